import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { CursorRow, StateChange } from '../pipeline/ports.js';
import { rowsToStore, sinkSessions, type SinkStarts } from './cursor-rows.js';
import { type FeedDue, feedAnswered, feedDue, feedStarted, feedUnavailable, tokenOf } from './feed-state.js';
import { addCandidates, changedSince, settleCandidates } from './reconcile.js';
import type { SessionSnapshot, SessionSnapshots } from './session-snapshots.js';
import type { DiscoveryRules, DiscoveryState, Observation, SessionFindings } from './state.js';

export type DiscoveryStep = Readonly<{
  /** Holds once `commit` has been stored. */
  state: DiscoveryState;
  /** What to store in one transaction; undefined when nothing is new. */
  commit: DiscoveryCommit | undefined;
  wake: SinkWake | undefined;
  next: NextReads;
}>;

export type DiscoveryCommit = Required<Pick<StateChange, 'since' | 'facts' | 'rows' | 'deltas'>>;

/** What the sinks have to read: these sessions, done or not, and all open ones where `open` is set. */
export type SinkWake = Readonly<{ open: boolean; sessions: ReadonlySet<string> }>;

/** When a poll and the feed are due. */
export type NextReads = Readonly<{ poll: NextPoll; feed: FeedDue }>;

/** A poll reads a list, or only has the sinks read the open sessions. */
export type NextPoll = Readonly<{ atMs: number; reads: 'list' | 'open sessions'; reason: string }>;

type Observed<K extends Observation['kind']> = Extract<Observation, { kind: K }>;

/** A token that came without news is stored no more often than this: losing it costs only reading it again. */
const storeTokenMs = 60_000;

/** Applies an observation. Pure: the caller stores `commit`, and adopts `state` only after that. */
export function observe(state: DiscoveryState, observation: Observation, rules: DiscoveryRules): DiscoveryStep {
  switch (observation.kind) {
    case 'listed':
      return listed(state, observation, rules);
    case 'changes read':
      return changesRead(state, observation, rules);
    case 'list failed':
      return unrecorded(listFailed(state, observation), rules);
    case 'feed unavailable':
      return unrecorded(feedLost(state, observation), rules);
    case 'interval passed': {
      const poll = { startedMs: observation.atMs, notBeforeMs: observation.atMs };
      return { ...unrecorded({ ...state, poll }, rules), wake: { open: true, sessions: new Set() } };
    }
  }
}

/** The ids of the sessions whose stored rows decide what a sink has to read. */
export function sessionsOfInterest(
  state: DiscoveryState,
  { sessions, startedAt }: Pick<SessionFindings, 'sessions' | 'startedAt'>,
  rules: DiscoveryRules,
): readonly string[] {
  const wanted = sinkSessions(rules, startsAfter(state.since, startedAt, rules), sessions);
  return [...new Set(wanted.map(({ session }) => session.id))];
}

/** A session that was asked for in a state that has been read, and has stopped in it, has nothing new. */
export function sessionsToRead(
  { snapshots, unread }: DiscoveryState,
  { updated, deleted }: Observed<'changes read'>['changes'],
): readonly string[] {
  const isRead = (id: string, eTag: string): boolean => {
    const last = snapshots.get(id);
    return eTag !== '' && last?.eTag === eTag && !last.open && last.read;
  };
  const changed = [...updated].filter(([id, eTag]) => !isRead(id, eTag)).map(([id]) => id);
  return [...new Set([...unread, ...changed])].filter(id => !deleted.has(id));
}

export const nextReads = (state: DiscoveryState, rules: DiscoveryRules): NextReads => ({
  poll: nextPoll(state, rules),
  feed: feedDue(state.feed, state.watermark !== undefined),
});

function nextPoll(state: DiscoveryState, { intervals, reconcileMs }: DiscoveryRules): NextPoll {
  const { startedMs, notBeforeMs } = state.poll;
  const atMs = Math.max(notBeforeMs, startedMs + (state.open.size > 0 ? intervals.openMs : intervals.idleMs));
  const poll = (reads: NextPoll['reads'], reason: NextPoll['reason']): NextPoll => ({ atMs, reads, reason });
  if (state.watermark === undefined) return poll('list', 'not everything is listed');
  if (state.feed.kind !== 'following') return poll('list', 'feed is not followed');
  if (state.incomplete) return poll('list', 'feed is incomplete');
  if (atMs - state.listedMs >= reconcileMs) return poll('list', 'reconcile interval has passed');
  return poll('open sessions', 'feed is followed');
}

function listed(state: DiscoveryState, list: Observed<'listed'>, rules: DiscoveryRules): DiscoveryStep {
  const { sessions, feedEnd, startedMs, startedAt, atMs, askedAt } = list;
  const isFollowed = state.feed.kind === 'following';
  const after = {
    ...state,
    watermark: startedAt,
    askedAt,
    feed: feedEnd === undefined ? state.feed : feedStarted(state.feed, feedEnd, atMs),
    candidates: isFollowed ? addCandidates(state.candidates, state.snapshots, list) : state.candidates,
    incomplete: false,
    listedMs: startedMs,
    poll: { startedMs, notBeforeMs: atMs },
  };
  const changed = changedSince(state.snapshots, sessions);
  const token = feedEnd?.kind === 'changes' ? feedEnd.token : undefined;
  return recorded(state, after, { ...list, token, wake: { open: true, sessions: changed } }, rules);
}

function listFailed(
  state: DiscoveryState,
  { startedMs, error, feedEnd, atMs }: Observed<'list failed'>,
): DiscoveryState {
  // A new token is dropped: it was to be followed from behind this list.
  const isLost = feedEnd !== undefined && feedEnd.kind !== 'changes';
  const feed = isLost ? feedUnavailable(state.feed, feedEnd, atMs) : state.feed;
  return { ...state, feed, poll: { startedMs, notBeforeMs: atMs + (error.retryAfterMs ?? 0) } };
}

function changesRead(state: DiscoveryState, read: Observed<'changes read'>, rules: DiscoveryRules): DiscoveryStep {
  const { changes, request, unread } = read;
  const reported = [...changes.updated.keys(), ...changes.deleted];
  const { candidates, missed } = settleCandidates(state.candidates, reported, request.askedMs);
  const isIncomplete = changes.unreadable > 0;
  const gone = new Set([...changes.deleted, ...read.gone]);
  const after = {
    ...state,
    snapshots: state.snapshots.with(new Map([...gone].map(id => [id, undefined]))),
    feed: feedAnswered(state.feed, read, rules.intervals.openMs),
    unread: new Set(unread),
    candidates,
    gaps: [...state.gaps, ...(missed > 0 ? [missed] : []), ...(isIncomplete ? [0] : [])],
    incomplete: state.incomplete || isIncomplete,
    poll: isIncomplete ? pollNow(state) : state.poll,
  };
  // While a reported session is unread the stored token stays, so that the feed reports it again after a restart.
  const token = unread.length > 0 ? undefined : changes.token;
  const wake = { open: false, sessions: new Set([...read.sessions.map(({ id }) => id), ...gone]) };
  return recorded(state, after, { ...read, gone, token, wake }, rules);
}

function feedLost(state: DiscoveryState, { why, atMs }: Observed<'feed unavailable'>): DiscoveryState {
  const feed = feedUnavailable(state.feed, why, atMs);
  if (why.kind === 'failed')
    return { ...state, feed, poll: state.feed.kind === 'following' ? pollNow(state) : state.poll };
  const gaps = why.kind === 'none' ? state.gaps : [...state.gaps, 0];
  return { ...state, feed, gaps, watermark: undefined, poll: pollNow(state) };
}

const pollNow = ({ poll }: DiscoveryState): DiscoveryState['poll'] => ({ ...poll, startedMs: -Infinity });

const unrecorded = (state: DiscoveryState, rules: DiscoveryRules): DiscoveryStep => ({
  state,
  commit: undefined,
  wake: undefined,
  next: nextReads(state, rules),
});

/** `token`: the one to store; undefined to keep the stored one. */
type Recording = SessionFindings & Readonly<{ atMs: number; token: string | undefined; wake: SinkWake }>;

/** Stores the sessions that were found, with the token of the feed and the series and gaps that are new. */
function recorded(
  before: DiscoveryState,
  after: DiscoveryState,
  { sessions, gone, startedAt, stored, token, wake, atMs }: Recording,
  rules: DiscoveryRules,
): DiscoveryStep {
  const since = startsAfter(before.since, startedAt, rules);
  const rows = rowsToStore(sinkSessions(rules, since, sessions), stored, wake.sessions);
  const firsts = firstSessions(before.initialized, sessions);
  const deltas = [...[...firsts.values()].flatMap(rules.initialDeltas), ...after.gaps.flatMap(rules.feedGapDeltas)];
  const isNew = rows.length > 0 || deltas.length > 0 || since !== before.since || isTokenDue(before, token, atMs);
  const facts = token === undefined ? {} : { changeToken: token };
  const state = {
    ...after,
    since,
    open: openAfter(before.open, sessions, gone),
    initialized: firsts.size === 0 ? before.initialized : new Set([...before.initialized, ...firsts.keys()]),
    snapshots: tokenOf(after.feed) === undefined ? after.snapshots : seen(after.snapshots, sessions, { stored, rows }),
    gaps: [],
    storedMs: isNew ? atMs : before.storedMs,
  };
  return { state, commit: isNew ? { since, facts, rows, deltas } : undefined, wake, next: nextReads(state, rules) };
}

/** A sink that meets the server for the first time starts where `beginAt` says. The same object when there is none. */
function startsAfter(since: SinkStarts, now: Nanos, { sinks, beginAt }: DiscoveryRules): SinkStarts {
  const first = sinks.filter(sink => since[sink] === undefined);
  const starts = Object.fromEntries(first.map(sink => [sink, beginAt(sink, now)]));
  return first.length === 0 ? since : { ...since, ...starts };
}

function isTokenDue({ feed, storedMs }: DiscoveryState, token: string | undefined, nowMs: number): boolean {
  const last = tokenOf(feed)?.value;
  return token !== undefined && token !== last && (last === undefined || nowMs - storedMs >= storeTokenMs);
}

/** A session of each organization and workload whose series do not exist yet. */
function firstSessions(initialized: ReadonlySet<string>, sessions: readonly Session[]): ReadonlyMap<string, Session> {
  const firsts = new Map(
    sessions.map(session => [JSON.stringify([session.organization, session.workload.label]), session]),
  );
  for (const key of initialized) firsts.delete(key);
  return firsts;
}

function openAfter(
  before: DiscoveryState['open'],
  sessions: readonly Session[],
  gone: ReadonlySet<string>,
): DiscoveryState['open'] {
  const open = new Map(before);
  for (const session of sessions) {
    if (session.open) open.set(session.id, session);
    else open.delete(session.id);
  }
  for (const id of gone) open.delete(id);
  return open;
}

/** Remembers sessions as they are now. One that is done and stays so is not given to every sink to read. */
function seen(
  snapshots: SessionSnapshots,
  sessions: readonly Session[],
  { stored, rows }: Readonly<{ stored: readonly CursorRow[]; rows: readonly CursorRow[] }>,
): SessionSnapshots {
  const again = new Set(rows.map(({ session }) => session));
  const done = new Set(stored.filter(row => row.done && !again.has(row.session)).map(({ session }) => session));
  const changes = new Map<string, SessionSnapshot>();
  for (const session of sessions) {
    const { id, eTag = '', open } = session;
    const isRead = !done.has(id) || (snapshots.match(session) && snapshots.get(id)?.read === true);
    changes.set(id, { eTag, open, read: isRead });
  }
  return snapshots.with(changes);
}
