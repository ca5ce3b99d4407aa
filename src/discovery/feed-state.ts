import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { ExporterError } from '../kernel/errors.js';
import type { FeedAnswer, FeedPosition } from '../pipeline/ports.js';

/** Where the feed goes on. `fresh`: the server has just given the token out and has not answered it yet. */
export type FeedToken = Readonly<{ value: string; fresh: boolean }>;

/** How the change feed of a server stands. Times are monotonic milliseconds. */
export type FeedState = Readonly<{ /** How long the server may wait before it answers. */ waitSeconds: number }> &
  (
    | Readonly<{ kind: 'none' }>
    /** The token is from an earlier process and has not been answered in this one. */
    | Readonly<{ kind: 'starting'; token: FeedToken }>
    | Readonly<{ kind: 'following'; token: FeedToken; due: FeedDue }>
    /** No token is asked for before. */
    | Readonly<{ kind: 'refused'; untilMs: number; error: ExporterError | undefined }>
    | Readonly<{
        kind: 'failing';
        untilMs: number;
        failures: number;
        error: ExporterError;
        token: FeedToken | undefined;
      }>
  );

/** When the feed is asked next, and why then. */
export type FeedDue = Readonly<{ atMs: number; reason: string }>;

/** What observers see of the feed. */
export type FeedStatus = Readonly<{
  /** The feed reports what is new; false while lists are polled for it. */
  active: boolean;
  /** Why the feed is not followed, where it could be. */
  error: ExporterError | undefined;
}>;

export type FeedChanges = Extract<FeedAnswer, { kind: 'changes' }>;
export type FeedLoss = Exclude<FeedAnswer, FeedChanges>;
/** `ranMs`: how long the request took; `jitter`: 0 to 1, exclusive. */
export type FeedFailure = Readonly<{ kind: 'failed'; error: ExporterError; ranMs: number; jitter: number }>;
/** A request to the feed, and when it was begun. */
export type FeedRequest = FeedPosition & Readonly<{ askedMs: number }>;

/** The long poll that the one known client of this feed uses (vb365-rest.md 6.8). */
const longestWaitSeconds = 25;
const shortestWaitSeconds = 5;
/** When a request fails after this, a proxy or the server may have cut off too long a wait. */
const cutAfterMs = 2_000;
/** A refused feed is asked for a token this often. */
const refusedMs = 600_000;
/** From 1 s to 60 s, full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 60_000 };
const leastBackoffMs = 1_000;
/** Answers about sessions come no faster than this, from request to request: changes in between come together. */
const sessionsPauseMs = 500;
const othersPauseMs = 1_000;

export const initialFeed = (token: string | undefined): FeedState =>
  token === undefined
    ? { kind: 'none', waitSeconds: longestWaitSeconds }
    : { kind: 'starting', token: { value: token, fresh: false }, waitSeconds: longestWaitSeconds };

export const tokenOf = (feed: FeedState): FeedToken | undefined => ('token' in feed ? feed.token : undefined);

export const statusOf = (feed: FeedState): FeedStatus => ({
  active: feed.kind === 'following',
  error: 'error' in feed ? feed.error : undefined,
});

/** The next request; without a token, for the end of the feed. Only a feed that is followed is waited for. */
export const requestOf = (feed: FeedState, askedMs: number): FeedRequest => ({
  token: tokenOf(feed)?.value,
  waitSeconds: feed.kind === 'following' ? feed.waitSeconds : 1,
  askedMs,
});

/** Whether the end of the feed has to be asked for before a list is read. */
export const needsToken = (feed: FeedState, nowMs: number): boolean =>
  tokenOf(feed) === undefined && (!('untilMs' in feed) || nowMs >= feed.untilMs);

/** `listed`: everything has been listed once, so that the feed has something to add to. */
export function feedDue(feed: FeedState, listed: boolean): FeedDue {
  if (tokenOf(feed) === undefined) return { atMs: Infinity, reason: 'no token' };
  if (!listed) return { atMs: Infinity, reason: 'a list comes first' };
  if (feed.kind === 'following') return feed.due;
  if (feed.kind === 'failing') return { atMs: feed.untilMs, reason: 'failed' };
  return { atMs: -Infinity, reason: 'token from an earlier process' };
}

/** The end of the feed was asked for, and a list read after that. */
export function feedStarted(feed: FeedState, end: FeedAnswer | FeedFailure, atMs: number): FeedState {
  if (end.kind !== 'changes') return feedUnavailable(feed, end, atMs);
  const due = { atMs, reason: 'new token' };
  return { kind: 'following', token: { value: end.token, fresh: true }, due, waitSeconds: feed.waitSeconds };
}

/** `openMs`: the poll interval while sessions are open. */
export function feedAnswered(
  feed: FeedState,
  { changes, request, atMs }: Readonly<{ changes: FeedChanges; request: FeedRequest; atMs: number }>,
  openMs: number,
): FeedState {
  const due = (ms: number, reason: string): FeedState => ({
    kind: 'following',
    token: { value: changes.token, fresh: false },
    due: { atMs: request.askedMs + ms, reason },
    waitSeconds: Math.min(longestWaitSeconds, feed.waitSeconds + 1),
  });
  const isEarly = atMs - request.askedMs < request.waitSeconds * 500;
  // A feed that repeats itself, or comes back early with nothing, is asked no more often than a list.
  if (changes.token === request.token && changes.entries > 0) return due(openMs, 'same answer again');
  if (changes.more) return due(0, 'more is waiting');
  if (changes.updated.size + changes.deleted.size > 0) return due(sessionsPauseMs, 'sessions changed');
  if (changes.entries > 0) return due(othersPauseMs, 'other objects changed');
  return isEarly ? due(openMs, 'empty answer came early') : due(0, 'long poll ended');
}

/** Lists are polled until the feed answers again. */
export function feedUnavailable(feed: FeedState, why: FeedLoss | FeedFailure, atMs: number): FeedState {
  const { waitSeconds } = feed;
  const token = tokenOf(feed);
  if (why.kind === 'failed') return feedFailed(feed, why, atMs);
  if (why.kind === 'none') return { kind: 'none', waitSeconds };
  // The token may be what is refused: the feed is asked for another at once. When a fresh one is refused, another would
  // be too, and each costs a list of everything.
  const untilMs = token !== undefined && !token.fresh ? atMs : atMs + refusedMs;
  return { kind: 'refused', untilMs, error: why.kind === 'refused' ? why.error : undefined, waitSeconds };
}

function feedFailed(feed: FeedState, { error, ranMs, jitter }: FeedFailure, atMs: number): FeedState {
  const failures = 1 + (feed.kind === 'failing' ? feed.failures : 0);
  const restMs = Math.max(leastBackoffMs, error.retryAfterMs ?? backoffMs(backoff, failures, () => jitter));
  const halved = Math.max(shortestWaitSeconds, Math.floor(feed.waitSeconds / 2));
  const waitSeconds = ranMs >= cutAfterMs ? halved : feed.waitSeconds;
  return { kind: 'failing', untilMs: atMs + restMs, failures, error, token: tokenOf(feed), waitSeconds };
}
