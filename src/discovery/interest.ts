import { ExporterError } from '../kernel/errors.js';
import { type Session, textLength } from '../model/session.js';
import { milliseconds, type Nanos, seconds } from '../model/time.js';
import { endOf, ofStored } from '../pipeline/cursor.js';
import type { CursorRow, SessionFilter, SinkName, Store } from '../pipeline/ports.js';
import { tokenOf } from './feed-state.js';
import type { DiscoveryRules, DiscoveryState, ReadEvent } from './state.js';

/** Maximum number of open sessions of a server. Each one costs a request in every interval. */
const maxOpen = 5_000;
/** Maximum number of characters of the open sessions: a fixed part, and a part per session, which has about 300. */
const [maxOpenText, openTextEach] = [4 * 1024 * 1024, 512];
/** Maximum number of sessions of a server that its sinks are not done with. */
const maxUnfinished = 25_000;
/** A list shows so many sessions that are done: as long as they look the same, the feed has reported everything. */
const maxDone = 10_000;
/** Organizations whose series are known to exist. Others get theirs again, which changes nothing. */
const maxInitialized = 5_000;

export type SinkStarts = DiscoveryState['since'];

/** By more than this, no server sets a clock right: it is wrong now. */
const longestSetBack: Nanos = seconds(24 * 3600);

/**
 * A sink that is new to this server starts where `beginAt` says. A start that lies ahead was taken from a clock that has been
 * set back since the last poll: all events until then would be history. Returns the same object when no start changes.
 */
export function startsAfter(since: SinkStarts, now: Nanos, { sinks, beginAt, schedule }: DiscoveryRules): SinkStarts {
  const startOf = (sink: SinkName, at = beginAt(sink, now)): Nanos =>
    at > now && at <= now + longestSetBack ? now - milliseconds(schedule.idleMs) : at;
  const starts = Object.fromEntries(sinks.map(sink => [sink, startOf(sink, since[sink])]));
  return sinks.every(sink => starts[sink] === since[sink]) ? since : { ...since, ...starts };
}

/** The sinks that may get events of a session: it is open, or ended at most `grace` before their start. */
export const sinksOf = ({ open, endedAt, createdAt }: Session, since: SinkStarts, { sinks, grace }: DiscoveryRules) =>
  sinks.filter(sink => open || (endedAt ?? createdAt) >= (since[sink] ?? 0n) - grace);

export const seriesKey = ({ organization, workload }: Session): string =>
  JSON.stringify([organization, workload.label]);

/** The series that exist, with those of `firsts`. */
export const initialized = (
  before: DiscoveryState['initialized'],
  firsts: ReadonlyMap<string, Session>,
): DiscoveryState['initialized'] =>
  before.size + firsts.size > maxInitialized ? new Set(firsts.keys()) : before.union(firsts);

/** Whether a session has ended later than when a sink was done with it. @throws {ExporterError} `store` for a damaged cursor. */
export function hasEndedAgain(row: CursorRow, { endedAt }: Session): boolean {
  const lastEnd = ofStored(row, endOf);
  return endedAt !== undefined && lastEnd !== undefined && endedAt > lastEnd;
}

/** The ids of the sessions whose stored rows decide what a sink has to read, and of those that are gone. */
export function idsOfInterest(state: DiscoveryState, reads: ReadEvent, rules: DiscoveryRules): readonly string[] {
  const since = startsAfter(state.since, reads.startedAt, rules);
  const wanted = reads.sessions.filter(session => sinksOf(session, since, rules).length > 0).map(({ id }) => id);
  const deleted = 'changes' in reads ? reads.changes.deleted : new Set<string>();
  return [...new Set([...wanted, ...reads.gone, ...deleted])];
}

type InterestDeps = Readonly<{
  /** Server time. */
  now: () => Nanos;
  rows: (sessions: readonly string[]) => ReturnType<Store['rows']>;
}>;

/**
 * The listed sessions that matter. Any other one ended before a sink began, or all sinks are done with it; it looks as it
 * did, is not known as open or unread, and adds no series.
 * @throws {ExporterError} `rejected`, from the filter, when too many of a list are open or not done.
 */
export function sessionsOfInterest(state: DiscoveryState, rules: DiscoveryRules, deps: InterestDeps): SessionFilter {
  const { open, unread, snapshots } = state;
  const keys = new Set(state.initialized);
  const kept = { open: new Set<string>(), unfinished: new Set<string>(), done: new Set<string>() };
  const isShown = ({ id }: Session): boolean =>
    tokenOf(state.feed) !== undefined && (kept.done.has(id) || kept.done.size < maxDone);
  const mustKeep = (session: Session): boolean => {
    const isFirst = keys.size < keys.add(seriesKey(session)).size;
    if (keys.size > maxInitialized) keys.clear();
    const { id } = session;
    return isFirst || open.has(id) || unread.has(id) || (snapshots.get(id) !== undefined && !snapshots.match(session));
  };
  return async page => {
    const since = startsAfter(state.since, deps.now(), rules);
    const wanted = page.filter(session => sinksOf(session, since, rules).length > 0);
    const done = doneIn(await deps.rows(wanted.map(({ id }) => id)), new Map(wanted.map(one => [one.id, one])));
    const unfinished = new Set(wanted.filter(({ id, open: isOpen }) => isOpen || !done.has(id)).map(({ id }) => id));
    for (const { id, open: isOpen } of wanted) if (isOpen) kept.open.add(id);
    for (const id of unfinished) kept.unfinished.add(id);
    checkCounts(kept.open.size, kept.unfinished.size);
    return page.filter(session => {
      if (mustKeep(session) || unfinished.has(session.id)) return true;
      const isKept = done.has(session.id) && isShown(session);
      if (isKept) kept.done.add(session.id);
      return isKept;
    });
  };
}

/** The sessions with rows that are all done, and that have not ended again since. */
function doneIn(rows: readonly CursorRow[], sessions: ReadonlyMap<string, Session>): ReadonlySet<string> {
  const isPending = (row: CursorRow): boolean => {
    const session = sessions.get(row.session);
    return !row.done || (session !== undefined && hasEndedAgain(row, session));
  };
  const pending = new Set(rows.filter(isPending).map(({ session }) => session));
  return new Set(rows.map(({ session }) => session)).difference(pending);
}

/**
 * Checks what discovery would keep, before it does.
 * @throws {ExporterError} `rejected`.
 */
export function checkKept({ open, unread }: Pick<DiscoveryState, 'open' | 'unread'>, unfinished: number): void {
  checkCounts(open.size, Math.max(unfinished, unread.size));
  const characters = open.values().reduce((sum, session) => sum + textLength(session), 0);
  const most = maxOpenText + openTextEach * open.size;
  if (characters > most) throw tooMany(`open restore sessions with texts of more than ${String(most)} characters`);
}

function checkCounts(open: number, unfinished: number): void {
  if (open > maxOpen) throw tooMany(`more than ${String(maxOpen)} open restore sessions`);
  if (unfinished > maxUnfinished)
    throw tooMany(`more than ${String(maxUnfinished)} restore sessions that are not read to their end`);
}

const tooMany = (what: string): ExporterError => new ExporterError('rejected', `Could not follow ${what}`);
