import type { Clock } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos, seconds } from '../model/time.js';
import { type Backlog, entryOf } from './backlog.js';
import { concernsOneSession } from './failure.js';
import { formatCursor, startCursor } from './cursor.js';
import type { Headers } from './headers.js';
import type { Pages } from './pages.js';
import { type Row, type SeriesDelta, type SinkName, sinkNames, type Source, type Store } from './ports.js';

/** A session can turn up this late behind its creation and is still found by the window. */
const overlap: Nanos = seconds(300);
/** The window reaches back to the oldest open session, but no further than this; older ones are asked for by id. */
const widestWindow: Nanos = seconds(24 * 3600);

export type DiscoveryDeps = Readonly<{
  server: string;
  source: Pick<Source, 'now' | 'sessions' | 'session'>;
  store: Pick<Store, 'rows' | 'commit'>;
  headers: Headers;
  pages: Pages;
  clock: Pick<Clock, 'monotonic'>;
  backlogs: Readonly<Partial<Record<SinkName, Backlog>>>;
  /** Where each sink's history ends, for a server first met at `now`. */
  beginAt: (sink: SinkName, now: Nanos) => Nanos;
  grace: Nanos;
  /** The series that a session brings into being at 0. */
  born: (session: Session) => readonly SeriesDelta[];
  stored: (deltas: readonly SeriesDelta[]) => void;
}>;

/** What discovery remembers between turns. All but `since` is found again after a restart. */
export type Known = {
  since: Partial<Record<SinkName, Nanos>>;
  /** Every session created before has been listed; undefined before the first turn of this process. */
  watermark: Nanos | undefined;
  /** Open sessions by id, as of the last complete turn. */
  open: ReadonlyMap<string, Session>;
  /** Organizations and workloads whose series exist. */
  born: ReadonlySet<string>;
};

export type DiscoveryReport = Readonly<{
  result: 'complete' | 'partial' | 'failed';
  error: ExporterError | undefined;
  seconds: number;
  /** Sessions that the turn listed. */
  listed: number;
  /** Entries of the list that could not be decoded. */
  rejects: readonly string[];
}>;

/** One turn of discovery: finds the sessions that sinks have to read, and wakes the ones they wait for. Never rejects. */
export async function discover(deps: DiscoveryDeps, known: Known, signal: AbortSignal): Promise<DiscoveryReport> {
  const startedMs = deps.clock.monotonic();
  const elapsed = (): number => (deps.clock.monotonic() - startedMs) / 1000;
  try {
    const { sessions, rejects } = await look(deps, known, signal);
    const startedAt = deps.source.now() - milliseconds(elapsed() * 1000);
    await record(deps, known, { sessions, startedAt });
    const result = rejects.length === 0 ? 'complete' : 'partial';
    return { result, error: undefined, seconds: elapsed(), listed: sessions.length, rejects };
  } catch (thrown) {
    const error = toExporterError(thrown);
    return { result: 'failed', error, seconds: elapsed(), listed: 0, rejects: [] };
  }
}

type Seen = Readonly<{ sessions: readonly Session[]; rejects: readonly string[] }>;

/** Everything that is new since the last turn, and the state of everything open. */
async function look({ source }: DiscoveryDeps, known: Known, signal: AbortSignal): Promise<Seen> {
  const list = await source.sessions(windowStart(known), signal);
  const listed = new Set(list.sessions.map(({ id }) => id));
  const asked: Session[] = [];
  const rejects = [...list.rejects];
  for (const last of known.open.values()) {
    if (listed.has(last.id)) continue;
    const session = await stillOpen(source, last, { signal, rejects });
    if (session !== undefined) asked.push(session);
  }
  return { sessions: [...list.sessions, ...asked], rejects };
}

/** An open session that is too old for the list. One that cannot be read stays as it was and fails nothing else. */
async function stillOpen(
  source: Pick<Source, 'session'>,
  last: Session,
  { signal, rejects }: { signal: AbortSignal; rejects: string[] },
): Promise<Session | undefined> {
  try {
    return await source.session(last.id, signal);
  } catch (thrown) {
    const error = toExporterError(thrown);
    if (!concernsOneSession(error)) throw error;
    rejects.push(error.message);
    return last;
  }
}

/** The first turn lists everything, so that a session that is open since yesterday is found. */
export function windowStart({ watermark, open }: Pick<Known, 'watermark' | 'open'>): Nanos | undefined {
  if (watermark === undefined) return undefined;
  const limit = watermark - widestWindow;
  const recent = [...open.values()].map(({ createdAt }) => createdAt).filter(createdAt => createdAt >= limit);
  return recent.reduce((min, createdAt) => (createdAt < min ? createdAt : min), watermark - overlap);
}

type Finding = Readonly<{ sessions: readonly Session[]; startedAt: Nanos }>;

/** Stores what the turn found, then lets the sinks at it. */
async function record(deps: DiscoveryDeps, known: Known, { sessions, startedAt }: Finding): Promise<void> {
  const { server, store } = deps;
  const since = sinceOf(deps, known, startedAt);
  const wanted = wantedBy(deps, since, sessions);
  const rows = placed(wanted, await store.rows(server, [...new Set(wanted.map(({ session }) => session.id))]));
  const firsts = new Map(sessions.map(session => [bornKey(session), session]));
  for (const key of known.born) firsts.delete(key);
  const deltas = [...firsts.values()].flatMap(deps.born);
  const begun = Object.keys(since).length > Object.keys(known.since).length;
  if (rows.length > 0 || deltas.length > 0 || begun) await store.commit({ server, since, rows, deltas });
  deps.stored(deltas);
  Object.assign(known, {
    since,
    watermark: startedAt,
    open: new Map(sessions.filter(({ open }) => open).map(session => [session.id, session])),
    born: new Set([...known.born, ...firsts.keys()]),
  });
  handOut(deps, rows, wanted, startedAt);
}

/** Makes due what a sink has to read, with the header it needs for that, and lets pages be read anew. */
function handOut(deps: DiscoveryDeps, rows: readonly Row[], wanted: readonly Wanted[], now: Nanos): void {
  for (const backlog of Object.values(deps.backlogs)) backlog.wake();
  for (const row of rows) deps.backlogs[row.sink]?.put(entryOf(row));
  for (const { sink, session } of wanted)
    if (deps.backlogs[sink]?.get(session.id) !== undefined) deps.headers.put(session, now);
  deps.pages.renew();
}

const bornKey = ({ organization, workload }: Session): string => JSON.stringify([organization, workload.label]);

type Since = Readonly<Partial<Record<SinkName, Nanos>>>;

const sinksOf = ({ backlogs }: DiscoveryDeps): readonly SinkName[] =>
  sinkNames.filter(sink => backlogs[sink] !== undefined);

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

/** The rows to store: one where a sink has none for a session yet, and one where a session that was done is open again. */
function placed(wanted: readonly Wanted[], stored: readonly Row[]): readonly Row[] {
  const known = new Map(stored.map(row => [`${row.sink} ${row.session}`, row]));
  return wanted.flatMap(({ sink, session }) => {
    const row = known.get(`${sink} ${session.id}`);
    if (row === undefined) return [newRow(sink, session)];
    return row.done && session.open ? [{ ...row, done: false }] : [];
  });
}

const newRow = (sink: SinkName, { id, createdAt }: Session): Row => ({
  sink,
  session: id,
  createdAt,
  done: false,
  cursor: formatCursor(startCursor),
});
