import type { Session } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import { formatCursor, ofStored, parseCursor, startCursor } from '../pipeline/cursor.js';
import { concernsOneRequest, type CursorRow, type SinkName, type StateChange } from '../pipeline/ports.js';
import {
  type DueTime,
  feedAnswered,
  type FeedChanges,
  feedDue,
  feedStarted,
  feedUnavailable,
  tokenOf,
} from './feed-state.js';
import { hasEndedAgain, initialized, type SinkStarts, sinksOf, seriesKey, startsAfter } from './interest.js';
import {
  afterFailedList,
  type DiscoveryRules,
  type DiscoveryState,
  type Observation,
  type ReportedSessions,
} from './state.js';

export type DiscoveryStep = Readonly<{
  /** Holds once `commit` has been stored. */
  state: DiscoveryState;
  /** What to store in one transaction; undefined when nothing is new. */
  commit?: Required<Pick<StateChange, 'since' | 'facts' | 'rows' | 'deltas'>> | undefined;
  wake?: SinkWake;
  /** Sessions that a list showed to have changed and the feed did not report. */
  missed?: readonly string[];
  /** Sessions that the server has deleted before its retention may do so. */
  deleted?: readonly string[];
  next: NextReads;
}>;

/** What the sinks have to read: these sessions, done or not, and all open ones if `open` is set. */
export type SinkWake = Readonly<{ open: boolean; sessions: ReadonlySet<string> }>;

/** When a poll and the feed are due. A poll reads a list, or only has the sinks read the open sessions. */
type NextReads = Readonly<{ poll: DueTime & Readonly<{ reads: 'list' | 'open sessions' }>; feed: DueTime }>;

type Observed<K extends Observation['kind']> = Extract<Observation, { kind: K }>;

/** A token without changes is stored no more often than this: losing it only costs reading the same changes again. */
const storeTokenMs = 60_000;

/** Applies an observation. Pure: the caller stores `commit`, and adopts `state` only after that. */
export function observe(state: DiscoveryState, observation: Observation, rules: DiscoveryRules): DiscoveryStep {
  switch (observation.kind) {
    case 'listed part':
      return listedPart(state, observation, rules);
    case 'listed':
      return listed(state, observation, rules);
    case 'changes read':
      return changesRead(state, observation, rules);
    case 'unread asked again':
      return unreadAsked(state, observation, rules);
    case 'list failed':
      return { ...unrecorded(listFailed(state, observation), rules), ...wakeAfter(observation, state) };
    case 'feed unavailable':
      return unrecorded(feedLost(state, observation), rules);
    case 'interval passed': {
      const poll = { startedMs: observation.atMs, notBeforeMs: observation.atMs };
      return { ...unrecorded({ ...state, poll }, rules), wake: { open: true, sessions: new Set() } };
    }
  }
}

/** A session whose reported state has been read, and that had stopped in it, has nothing new. */
export function sessionsToRead({ snapshots, unread }: DiscoveryState, changes: FeedChanges): ReportedSessions {
  const { updated, deleted } = changes;
  const isRead = (id: string, eTag: string): boolean => {
    const last = snapshots.get(id);
    return eTag !== '' && last?.eTag === eTag && !last.open && last.read;
  };
  const changed = [...updated].filter(([id, eTag]) => !isRead(id, eTag)).map(([id]) => id);
  const wanted = new Set(changed).difference(deleted);
  return { changed: [...wanted.difference(unread)], unread: [...unread.difference(deleted)] };
}

export const nextReads = (state: DiscoveryState, rules: DiscoveryRules): NextReads => ({
  poll: nextPoll(state, rules),
  feed: feedDue(state.feed, state.watermark !== undefined),
});

function nextPoll(state: DiscoveryState, { schedule }: DiscoveryRules): NextReads['poll'] {
  const { startedMs, notBeforeMs } = state.poll;
  const atMs = Math.max(notBeforeMs, startedMs + (state.open.size > 0 ? schedule.openMs : schedule.idleMs));
  const list = (reason: string) => ({ atMs, reads: 'list', reason }) as const;
  if (state.watermark === undefined) return list('not everything is listed');
  if (state.feed.kind !== 'following') return list('feed is not followed');
  if (state.incomplete) return list('feed is incomplete');
  if (state.unread.size > 0) return list('reported sessions are unread');
  if (atMs - state.listedMs >= schedule.reconcileMs) return list('reconcile interval has passed');
  return { atMs, reads: 'open sessions', reason: 'feed is followed' };
}

function listed(state: DiscoveryState, list: Observed<'listed'>, rules: DiscoveryRules): DiscoveryStep {
  const { feedEnd, startedMs, startedAt, atMs, askedAt } = list;
  const { feed } = state;
  const { changed, deleted, ...found } = foundInList(state, list);
  const after = {
    ...state,
    ...found,
    watermark: startedAt,
    askedAt,
    feed: feedEnd === undefined ? feed : feedStarted(feed, feedEnd, atMs),
    incomplete: false,
    listedMs: startedMs,
    listedAllMs: list.all ? startedMs : state.listedAllMs,
    poll: { startedMs, notBeforeMs: atMs },
  };
  const token = feedEnd?.kind === 'changes' ? feedEnd.token : undefined;
  return record(state, after, { ...list, token, deleted, wake: { open: true, sessions: changed } }, rules);
}

function listedPart(state: DiscoveryState, part: Observed<'listed part'>, rules: DiscoveryRules): DiscoveryStep {
  const { changed, deleted, ...found } = foundInList(state, part);
  const wake = { open: false, sessions: changed };
  return record(state, { ...state, ...found }, { ...part, token: undefined, deleted, wake }, rules);
}

/** What a list, or a part of it, shows to have changed, and what it leaves to the feed. */
function foundInList(state: DiscoveryState, { sessions, gone, atMs }: Observed<'listed' | 'listed part'>) {
  const { feed, snapshots, candidates } = state;
  const differing = sessions.filter(session => !snapshots.match(session));
  // A stopped session that is seen for the first time has not changed.
  const changed = differing.filter(({ id, open }) => !open && snapshots.get(id) !== undefined);
  // The feed has reported those that are unread.
  const ids = candidates.ids.union(idsOf(differing)).union(gone).difference(state.unread);
  return {
    changed: idsOf(changed),
    // From its token on, the feed reports what the server deletes.
    deleted: tokenOf(feed) === undefined ? gone : new Set<string>(),
    unread: state.unread.difference(idsOf(sessions)),
    candidates: feed.kind === 'following' ? { ids, listedMs: atMs } : candidates,
  };
}

const idsOf = (sessions: readonly Session[]): ReadonlySet<string> => new Set(sessions.map(({ id }) => id));

/** The events of open sessions can be read although the list could not, unless that concerns the whole server. */
const wakeAfter = ({ error }: Observed<'list failed'>, { watermark }: DiscoveryState): Pick<DiscoveryStep, 'wake'> =>
  watermark !== undefined && concernsOneRequest(error) ? { wake: { open: true, sessions: new Set() } } : {};

function listFailed(state: DiscoveryState, failure: Observed<'list failed'>): DiscoveryState {
  const { startedMs, error, feedEnd, atMs } = failure;
  // A new token is dropped: the feed would only report what changes after a list that does not exist.
  const isKept = feedEnd === undefined || feedEnd.kind === 'changes';
  const feed = isKept ? state.feed : feedUnavailable(state.feed, feedEnd, atMs);
  const listedAllMs = afterFailedList(state, startedMs);
  return { ...state, feed, listedAllMs, poll: { startedMs, notBeforeMs: atMs + (error.retryAfterMs ?? 0) } };
}

function changesRead(state: DiscoveryState, read: Observed<'changes read'>, rules: DiscoveryRules): DiscoveryStep {
  const { changes, unread, askedMs } = read;
  const ids = state.candidates.ids.difference(changes.updated).difference(changes.deleted);
  // In a request begun before the list had been read, the feed could not report everything that the list showed.
  const missed = askedMs < state.candidates.listedMs ? new Set<string>() : ids;
  const isIncomplete = changes.unreadable > 0;
  const gone = changes.deleted.union(read.gone);
  const after = {
    ...state,
    snapshots: state.snapshots.with(forgotten(gone)),
    feed: feedAnswered(state.feed, read, rules.schedule.openMs),
    unread: new Set(unread),
    candidates: { ...state.candidates, ids: ids.difference(missed) },
    gaps: [...state.gaps, ...(missed.size > 0 ? [missed.size] : []), ...(isIncomplete ? [0] : [])],
    incomplete: state.incomplete || isIncomplete,
    poll: isIncomplete ? pollNow(state) : state.poll,
  };
  // While a reported session is unread the stored token stays, so that the feed reports it again after a restart.
  const token = unread.length > 0 ? undefined : changes.token;
  const wake = { open: false, sessions: idsOf(read.sessions).union(gone) };
  const recorded = record(state, after, { ...read, gone, token, deleted: changes.deleted, wake }, rules);
  return { ...recorded, missed: [...missed] };
}

function unreadAsked(
  state: DiscoveryState,
  read: Observed<'unread asked again'>,
  rules: DiscoveryRules,
): DiscoveryStep {
  const { unread, gone, sessions } = read;
  const after = { ...state, snapshots: state.snapshots.with(forgotten(gone)), unread: new Set(unread) };
  const token = unread.length > 0 ? undefined : tokenOf(state.feed)?.value;
  const wake = { open: false, sessions: idsOf(sessions).union(gone) };
  return record(state, after, { ...read, token, deleted: gone, wake }, rules);
}

const forgotten = (gone: ReadonlySet<string>): ReadonlyMap<string, undefined> =>
  new Map([...gone].map(id => [id, undefined]));

function feedLost(state: DiscoveryState, { why, atMs }: Observed<'feed unavailable'>): DiscoveryState {
  const feed = feedUnavailable(state.feed, why, atMs);
  if (why.kind === 'failed')
    return { ...state, feed, poll: state.feed.kind === 'following' ? pollNow(state) : state.poll };
  const gaps = why.kind === 'none' ? state.gaps : [...state.gaps, 0];
  return { ...state, feed, gaps, watermark: undefined, poll: pollNow(state) };
}

const pollNow = ({ poll }: DiscoveryState): DiscoveryState['poll'] => ({ ...poll, startedMs: -Infinity });

const unrecorded = (state: DiscoveryState, rules: DiscoveryRules) => ({ state, next: nextReads(state, rules) });

/** `token`: the one to store; undefined to keep the stored one. `deleted`: sessions that the server no longer has. */
type Recording = Observed<'listed part' | 'listed' | 'changes read' | 'unread asked again'> &
  Readonly<{ token: string | undefined; deleted: ReadonlySet<string>; wake: SinkWake }>;

/** Stores the sessions that were found, with the token of the feed and the series and gaps that are new. */
function record(before: DiscoveryState, after: DiscoveryState, found: Recording, rules: DiscoveryRules): DiscoveryStep {
  const { sessions, gone, startedAt, stored, token, wake, atMs } = found;
  const since = startsAfter(before.since, startedAt, rules);
  const rows = rowsToStore(found, since, rules);
  const firsts = new Map(sessions.map(session => [seriesKey(session), session] as const));
  for (const key of before.initialized) firsts.delete(key);
  const deleted = deletedEarly(found);
  const deltas = [
    ...rules.series.initialDeltas([...firsts.values()]),
    ...after.gaps.flatMap(missed => rules.series.feedGapDeltas(missed)),
    ...(deleted.length > 0 ? rules.series.deletedDeltas(deleted.length) : []),
  ];
  const isNew = rows.length > 0 || deltas.length > 0 || since !== before.since || isTokenDue(before, token, atMs);
  const again = new Set(rows.map(({ session }) => session));
  const done = new Set(stored.filter(row => row.done && !again.has(row.session)).map(({ session }) => session));
  const facts = token === undefined ? {} : { changeToken: token };
  const latest = new Map([...before.open, ...sessions.map(session => [session.id, session] as const)]);
  const state = {
    ...after,
    since,
    open: new Map([...latest].filter(([id, { open }]) => open && !gone.has(id))),
    initialized: initialized(before.initialized, firsts),
    snapshots: tokenOf(after.feed) === undefined ? after.snapshots : after.snapshots.seen(sessions, done),
    gaps: [],
    storedMs: isNew ? atMs : before.storedMs,
  };
  const commit = isNew ? { since, facts, rows, deltas } : undefined;
  return { state, commit, deleted, wake, next: nextReads(state, rules) };
}

/** The shortest history that VB365 can be told to keep. */
const shortestRetention: Nanos = seconds(7 * 86_400);

/** Sessions that the server has deleted and that were too young for its own retention. */
function deletedEarly({ deleted, stored, startedAt }: Recording): readonly string[] {
  const isEarly = ({ session, createdAt }: CursorRow): boolean =>
    deleted.has(session) && startedAt - createdAt < shortestRetention;
  return [...new Set(stored.filter(isEarly).map(({ session }) => session))];
}

/** New rows, and rows that are no longer done: the session is open again, is woken, or has ended again since. @throws {ExporterError} `store`. */
function rowsToStore(found: Recording, since: SinkStarts, rules: DiscoveryRules): readonly CursorRow[] {
  const { sessions, stored, wake } = found;
  const byKey = new Map(stored.map(row => [`${row.sink} ${row.session}`, row]));
  const rowOf = (sink: SinkName, session: Session): CursorRow | undefined => {
    const { id, createdAt, open } = session;
    const row = byKey.get(`${sink} ${id}`);
    if (row === undefined) return { sink, session: id, createdAt, done: false, cursor: formatCursor(startCursor) };
    const again = row.done && (open || wake.sessions.has(id) || hasEndedAgain(row, session));
    // What cannot be read must not be stored as pending.
    if (again) ofStored(row, parseCursor);
    return again ? { ...row, done: false } : undefined;
  };
  return sessions.flatMap(session => sinksOf(session, since, rules).flatMap(sink => rowOf(sink, session) ?? []));
}

function isTokenDue({ feed, storedMs }: DiscoveryState, token: string | undefined, nowMs: number): boolean {
  const last = tokenOf(feed)?.value;
  return token !== undefined && token !== last && (last === undefined || nowMs - storedMs >= storeTokenMs);
}
