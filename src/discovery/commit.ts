import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, entryOf } from '../pipeline/backlog.js';
import type { PageCache } from '../pipeline/page-cache.js';
import type { CursorRow, SeriesDelta, SinkName, Store } from '../pipeline/ports.js';
import type { SessionCache } from '../pipeline/session-cache.js';
import type { DiscoveryStep, SinkWake } from './observe.js';

export type CommitDeps = Readonly<{
  server: string;
  store: Pick<Store, 'rows' | 'commit'>;
  sessionCache: SessionCache;
  pageCache: PageCache;
  backlogs: Readonly<Partial<Record<SinkName, Backlog>>>;
  /** Deltas have been stored. */
  stored: (deltas: readonly SeriesDelta[]) => void;
}>;

/** What was read, and since when, by the server's clock. */
export type ReadSessions = Readonly<{ sessions: readonly Session[]; startedAt: Nanos }>;

/**
 * Stores what a step changes, then hands it out to the sinks.
 * @throws {ExporterError} `store`; nothing has changed then.
 */
export async function commitStep(deps: CommitDeps, step: DiscoveryStep, found: ReadSessions): Promise<void> {
  if (step.commit !== undefined) {
    await deps.store.commit({ server: deps.server, ...step.commit });
    deps.stored(step.commit.deltas);
  }
  if (step.wake !== undefined) handOut(deps, { wake: step.wake, rows: step.commit?.rows ?? [] }, found);
}

/** Makes due what the sinks have to read, and caches the sessions that they need for that. */
function handOut(
  { backlogs, sessionCache, pageCache }: CommitDeps,
  { wake, rows }: Readonly<{ wake: SinkWake; rows: readonly CursorRow[] }>,
  { sessions, startedAt }: ReadSessions,
): void {
  const all = Object.values(backlogs);
  for (const backlog of all) {
    if (wake.open) backlog.wake();
    for (const id of wake.sessions) backlog.requeue(id, startedAt);
  }
  for (const row of rows) backlogs[row.sink]?.put(entryOf(row));
  for (const session of sessions)
    if (all.some(backlog => backlog.get(session.id) !== undefined)) sessionCache.put(session, startedAt);
  pageCache.invalidate();
}
