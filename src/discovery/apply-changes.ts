import { toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { type DiscoveryDeps, type DiscoveryReport, type Known, type Looked, reported } from './list-scan.js';
import { concernsOneSession } from '../pipeline/failure.js';
import type { Feed } from './feed-state.js';
import type { FeedAnswer } from '../pipeline/ports.js';
import { clearSuspects } from './reconcile.js';
import { record } from './commit.js';

export type Told = Extract<FeedAnswer, { kind: 'told' }>;

/** With more sessions to ask for than this, one list costs the server less. */
const manySessions = 50;

/**
 * One turn of discovery by the feed: asks for the sessions of which it told, and has the sinks read them at once.
 * `askedMs`: when the feed was asked. The feed goes on from the answer's token once all of it has been recorded;
 * sessions that cannot be read are asked for again with the next answer, and until then the stored token stays. Never
 * rejects.
 */
export async function takeChanges(
  deps: DiscoveryDeps,
  known: Known,
  { told, askedMs }: Readonly<{ told: Told; askedMs: number }>,
  signal: AbortSignal,
): Promise<DiscoveryReport> {
  const { feed } = known;
  return reported(deps, async () => {
    const startedAt = deps.source.now();
    clearSuspects(feed, [...told.updated.keys(), ...told.deleted], askedMs);
    if (told.unreadable > 0) feed.gaps.push(0);
    if (told.unreadable > 0) feed.doubted = true;
    const asked = await ask(deps, toAskFor(feed, told), signal);
    const gone = new Set([...told.deleted, ...asked.gone]);
    const changed = new Set(asked.sessions.map(({ id }) => id));
    const open = openAfter(known.open, asked.sessions, gone);
    const wake = new Set([...changed, ...gone]);
    const owing = asked.failed.length > 0;
    await record(deps, known, { sessions: asked.sessions, startedAt, open, changed, wake, token: told.token, owing });
    for (const id of gone) feed.seen.delete(id);
    feed.owed.clear();
    for (const id of asked.failed) feed.owed.add(id);
    return asked;
  });
}

/** A Stopped session whose `eTag` has been read already has nothing new. */
function toAskFor({ seen, owed }: Feed, { updated, deleted }: Told): readonly string[] {
  const isRead = (id: string, eTag: string): boolean => {
    const last = seen.get(id);
    return eTag !== '' && last?.eTag === eTag && !last.open && last.read;
  };
  const fresh = [...updated].filter(([id, eTag]) => !isRead(id, eTag)).map(([id]) => id);
  return [...new Set([...owed, ...fresh])].filter(id => !deleted.has(id));
}

type Asked = Looked & Readonly<{ gone: readonly string[]; failed: readonly string[] }>;

async function ask(deps: DiscoveryDeps, ids: readonly string[], signal: AbortSignal): Promise<Asked> {
  return ids.length > manySessions ? askForAll(deps, ids, signal) : askOneByOne(deps, ids, signal);
}

async function askForAll({ source }: DiscoveryDeps, ids: readonly string[], signal: AbortSignal): Promise<Asked> {
  const { sessions, rejects } = await source.sessions(undefined, signal);
  const byId = new Map(sessions.map(session => [session.id, session]));
  const found = ids.flatMap(id => byId.get(id) ?? []);
  const missing = ids.filter(id => !byId.has(id));
  // One that is missing may be one that could not be decoded.
  return rejects.length === 0
    ? { sessions: found, rejects, gone: missing, failed: [] }
    : { sessions: found, rejects, gone: [], failed: missing };
}

async function askOneByOne({ source }: DiscoveryDeps, ids: readonly string[], signal: AbortSignal): Promise<Asked> {
  const sessions: Session[] = [];
  const rejects: string[] = [];
  const gone: string[] = [];
  const failed: string[] = [];
  for (const id of ids) {
    try {
      const session = await source.session(id, signal);
      if (session === undefined) gone.push(id);
      else sessions.push(session);
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (!concernsOneSession(error)) throw error;
      rejects.push(error.message);
      failed.push(id);
    }
  }
  return { sessions, rejects, gone, failed };
}

function openAfter(before: Known['open'], sessions: readonly Session[], gone: ReadonlySet<string>): Known['open'] {
  const open = new Map(before);
  for (const session of sessions) {
    if (session.open) open.set(session.id, session);
    else open.delete(session.id);
  }
  for (const id of gone) open.delete(id);
  return open;
}
