import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, entryOf } from '../pipeline/backlog.js';
import { endOf, formatCursor, startCursor } from '../pipeline/cursor.js';
import type { DiscoveryDeps, Known } from './list-scan.js';
import type { Feed } from './feed-state.js';
import { type CursorRow, type SinkName, sinkNames } from '../pipeline/ports.js';

/** What discovery has found out, by a list or by the feed. */
export type Finding = Readonly<{
  /** Sessions as they are now, each once. */
  sessions: readonly Session[];
  /** Server time at which looking was begun. */
  startedAt: Nanos;
  /** Everything that is open from here on. */
  open: ReadonlyMap<string, Session>;
  /** Sessions that changed after they had stopped: to be read again, done or not. */
  changed: ReadonlySet<string>;
  /** What sinks are to read now: everything that is open or has holes, or only these sessions. */
  wake: 'all' | ReadonlySet<string>;
  /** Where the feed goes on; undefined to leave that alone. */
  token: string | undefined;
  /** Sessions of which the feed told could not be read: a restart is to hear of them again. */
  owing?: boolean;
}>;

/** A token that came without news is stored no more often than this: losing it costs nothing but reading it again. */
const storeTokenMs = 60_000;

/** Stores what was found, the token of the feed in the same transaction, then lets the sinks at it. */
export async function record(deps: DiscoveryDeps, known: Known, finding: Finding): Promise<void> {
  const { server, store, clock } = deps;
  const { feed } = known;
  const gaps = [...feed.gaps];
  const since = sinceOf(deps, known, finding.startedAt);
  const wanted = wantedBy(deps, since, finding.sessions);
  const stored = await store.rows(server, [...new Set(wanted.map(({ session }) => session.id))]);
  const rows = placed(wanted, stored, finding.changed);
  const firsts = unborn(known, finding.sessions);
  const deltas = [...[...firsts.values()].flatMap(deps.initialDeltas), ...gaps.flatMap(deps.feedGapDeltas)];
  const begun = Object.keys(since).length > Object.keys(known.since).length;
  const storable = finding.owing === true ? undefined : finding.token;
  const news = rows.length > 0 || deltas.length > 0 || begun || isTokenStale(feed, storable, clock.monotonic());
  if (news) {
    await store.commit({ server, since, facts: factsOf(storable), rows, deltas });
    feed.storedMs = clock.monotonic();
  }
  deps.stored(deltas);
  feed.gaps.splice(0, gaps.length);
  feed.token = finding.token ?? feed.token;
  Object.assign(known, { since, open: finding.open, born: new Set([...known.born, ...firsts.keys()]) });
  if (feed.token !== undefined) remember(feed, finding.sessions, doneIn(stored, rows));
  handOut(deps, finding, rows, wanted);
}

const factsOf = (token: string | undefined) => (token === undefined ? {} : { changeToken: token });

const isTokenStale = (feed: Feed, token: string | undefined, nowMs: number): boolean =>
  token !== undefined && token !== feed.token && (feed.token === undefined || nowMs - feed.storedMs >= storeTokenMs);

/** Sessions that some sink is done with, and stays so. */
function doneIn(stored: readonly CursorRow[], placedRows: readonly CursorRow[]): ReadonlySet<string> {
  const again = new Set(placedRows.map(({ session }) => session));
  return new Set(stored.filter(({ done, session }) => done && !again.has(session)).map(({ session }) => session));
}

function remember({ seen }: Feed, sessions: readonly Session[], done: ReadonlySet<string>): void {
  for (const session of sessions) seen.put(session, !done.has(session.id));
}

/** Makes due what a sink has to read, with the header it needs for that, and lets pages be read anew. */
function handOut(deps: DiscoveryDeps, finding: Finding, rows: readonly CursorRow[], wanted: readonly Wanted[]): void {
  const { wake, changed, startedAt } = finding;
  for (const backlog of Object.values(deps.backlogs)) {
    if (wake === 'all') backlog.wake();
    for (const id of wake === 'all' ? changed : wake) backlog.requeue(id, startedAt);
  }
  for (const row of rows) deps.backlogs[row.sink]?.put(entryOf(row));
  for (const { sink, session } of wanted)
    if (deps.backlogs[sink]?.get(session.id) !== undefined) deps.sessionCache.put(session, startedAt);
  deps.pageCache.invalidate();
}

/** The first session of each organization and workload whose series do not exist yet. */
function unborn({ born }: Known, sessions: readonly Session[]): ReadonlyMap<string, Session> {
  const firsts = new Map(sessions.map(session => [bornKey(session), session]));
  for (const key of born) firsts.delete(key);
  return firsts;
}

const bornKey = ({ organization, workload }: Session): string => JSON.stringify([organization, workload.label]);

type Since = Readonly<Partial<Record<SinkName, Nanos>>>;
type Sinks = Readonly<{ backlogs: Readonly<Partial<Record<SinkName, Backlog>>> }>;

const sinksOf = ({ backlogs }: Sinks): readonly SinkName[] => sinkNames.filter(sink => backlogs[sink] !== undefined);

/** A sink that meets the server for the first time begins now, or as far back as it was told to look. */
function sinceOf(deps: DiscoveryDeps, known: Known, now: Nanos): Since {
  const begin = (sink: SinkName): Nanos => known.since[sink] ?? deps.beginAt(sink, now);
  return { ...known.since, ...Object.fromEntries(sinksOf(deps).map(sink => [sink, begin(sink)])) };
}

type Wanted = Readonly<{ sink: SinkName; session: Session }>;

/** Which sink can still expect news of which session: it is open, or was within the grace time of the sink's `since`. */
function wantedBy(deps: DiscoveryDeps, since: Since, sessions: readonly Session[]): readonly Wanted[] {
  return sinksOf(deps).flatMap(sink => {
    const begin = (since[sink] ?? 0n) - deps.grace;
    return sessions
      .filter(({ open, endedAt, createdAt }) => open || (endedAt ?? createdAt) >= begin)
      .map(session => ({ sink, session }));
  });
}

/** The rows to store: one where a sink has none for a session yet, and one where a session that was done is not so any more. */
function placed(
  wanted: readonly Wanted[],
  stored: readonly CursorRow[],
  changed: ReadonlySet<string>,
): readonly CursorRow[] {
  const known = new Map(stored.map(row => [`${row.sink} ${row.session}`, row]));
  return wanted.flatMap(({ sink, session }) => {
    const row = known.get(`${sink} ${session.id}`);
    if (row === undefined) return [newRow(sink, session)];
    if (!row.done) return [];
    const again = session.open || changed.has(session.id) || hasEndedAgain(session, row);
    return again ? [{ ...row, done: false }] : [];
  });
}

/** Opened and stopped again since it was done with, perhaps while nobody looked. */
function hasEndedAgain({ endedAt }: Session, { cursor }: CursorRow): boolean {
  const known = endOf(cursor);
  return endedAt !== undefined && known !== undefined && endedAt > known;
}

const newRow = (sink: SinkName, { id, createdAt }: Session): CursorRow => ({
  sink,
  session: id,
  createdAt,
  done: false,
  cursor: formatCursor(startCursor),
});
