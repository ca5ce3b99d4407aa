import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { ExporterError } from '../kernel/errors.js';
import type { FeedAnswer, FeedPosition } from '../pipeline/ports.js';

/** Position in the feed. `fresh`: just issued, not used yet. */
type FeedToken = Readonly<{ value: string; fresh: boolean }>;

/** State of the change feed of a server. Times are monotonic milliseconds. */
export type FeedState = Readonly<{ /** How long the server may wait before it answers. */ waitSeconds: number }> &
  (
    | Readonly<{ kind: 'none' }>
    /** The token is from an earlier process and has not been answered in this one. */
    | Readonly<{ kind: 'starting'; token: FeedToken }>
    | Readonly<{ kind: 'following'; token: FeedToken; due: DueTime }>
    /** The exporter requests no token before `untilMs`. */
    | Readonly<{ kind: 'refused'; untilMs: number; error: ExporterError | undefined }>
    | Readonly<{
        kind: 'failing';
        untilMs: number;
        failures: number;
        error: ExporterError;
        token: FeedToken | undefined;
      }>
  );

/** When something is read next, and why then. */
export type DueTime = Readonly<{ atMs: number; reason: string }>;

/** `active`: the feed reports changes, so no lists are polled. `error`: why it is not active although there is a feed. */
export type FeedStatus = Readonly<{ active: boolean; error: ExporterError | undefined }>;

/** The result of a request to the feed. `ranMs`: how long the request took; `jitter`: 0 to 1, exclusive. */
export type FeedResult = FeedAnswer | Readonly<{ kind: 'failed'; error: ExporterError; ranMs: number; jitter: number }>;
export type FeedChanges = Extract<FeedResult, { kind: 'changes' }>;
/** Why the feed reports no changes. */
export type FeedLoss = Exclude<FeedResult, FeedChanges>;

/** Long poll of the only known client of this feed (vb365-rest.md 6.8). */
const longestWaitSeconds = 25;
const shortestWaitSeconds = 5;
/** If a request fails after this time, a proxy or the server may have ended the wait because it was too long. */
const cutAfterMs = 2_000;
/** Time between requests for a token after the server refused the feed. */
const refusedMs = 600_000;
/** From 1 s to 60 s, full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 60_000 };
const leastBackoffMs = 1_000;
/** Minimum time from one request to the next after changes, so that further changes arrive together. */
const sessionsPauseMs = 500;
const othersPauseMs = 1_000;
/** The same while more is waiting: a feed that never ends costs ten requests a second. */
const morePauseMs = 100;

export const initialFeed = (token: string | undefined): FeedState =>
  token === undefined
    ? { kind: 'none', waitSeconds: longestWaitSeconds }
    : { kind: 'starting', token: { value: token, fresh: false }, waitSeconds: longestWaitSeconds };

export const tokenOf = (feed: FeedState): FeedToken | undefined => ('token' in feed ? feed.token : undefined);

export const statusOf = (feed: FeedState): FeedStatus => ({
  active: feed.kind === 'following',
  error: 'error' in feed ? feed.error : undefined,
});

/** Position for the next request; the end of the feed without a token. Only a feed that is followed gets a long poll. */
export const positionOf = (feed: FeedState): FeedPosition => ({
  token: tokenOf(feed)?.value,
  waitSeconds: feed.kind === 'following' ? feed.waitSeconds : 1,
});

/** Whether to request the end of the feed before the next list. */
export const needsToken = (feed: FeedState, nowMs: number): boolean =>
  tokenOf(feed) === undefined && (!('untilMs' in feed) || nowMs >= feed.untilMs);

/** `listed`: whether everything has been listed once. The feed reports only what changes after that. */
export function feedDue(feed: FeedState, listed: boolean): DueTime {
  if (tokenOf(feed) === undefined) return { atMs: Infinity, reason: 'no token' };
  if (!listed) return { atMs: Infinity, reason: 'a list comes first' };
  if (feed.kind === 'following') return feed.due;
  if (feed.kind === 'failing') return { atMs: feed.untilMs, reason: 'failed' };
  return { atMs: -Infinity, reason: 'token from an earlier process' };
}

/** The state after a request for the end of the feed and the list that followed it. */
export function feedStarted(feed: FeedState, end: FeedResult, atMs: number): FeedState {
  if (end.kind !== 'changes') return feedUnavailable(feed, end, atMs);
  const due = { atMs, reason: 'new token' };
  return { kind: 'following', token: { value: end.token, fresh: true }, due, waitSeconds: feed.waitSeconds };
}

/** The request begun at `askedMs` was answered. `openMs`: the poll interval while sessions are open. */
export function feedAnswered(
  feed: FeedState,
  { changes, askedMs, atMs }: Readonly<{ changes: FeedChanges; askedMs: number; atMs: number }>,
  openMs: number,
): FeedState {
  const { token, waitSeconds } = positionOf(feed);
  const due = (ms: number, reason: string): FeedState => ({
    kind: 'following',
    token: { value: changes.token, fresh: false },
    due: { atMs: askedMs + ms, reason },
    waitSeconds: Math.min(longestWaitSeconds, feed.waitSeconds + 1),
  });
  const isEarly = atMs - askedMs < waitSeconds * 500;
  // A feed that repeats itself, or returns early with nothing, is polled no more often than a list.
  if (changes.token === token && changes.entries > 0) return due(openMs, 'same answer again');
  if (changes.more) return due(morePauseMs, 'more is waiting');
  if (changes.updated.size + changes.deleted.size > 0) return due(sessionsPauseMs, 'sessions changed');
  if (changes.entries > 0) return due(othersPauseMs, 'other objects changed');
  return isEarly ? due(openMs, 'empty answer came early') : due(0, 'long poll ended');
}

/** Lists are polled until the feed answers again. */
export function feedUnavailable(feed: FeedState, why: FeedLoss, atMs: number): FeedState {
  const { waitSeconds } = feed;
  const token = tokenOf(feed);
  if (why.kind === 'failed') return feedFailed(feed, why, atMs);
  if (why.kind === 'none') return { kind: 'none', waitSeconds };
  // The server may have refused only the token, so a new one is requested at once. If it refuses a fresh token, it would
  // refuse another one too, and each costs a list of everything.
  const untilMs = token !== undefined && !token.fresh ? atMs : atMs + refusedMs;
  return { kind: 'refused', untilMs, error: why.kind === 'refused' ? why.error : undefined, waitSeconds };
}

function feedFailed(feed: FeedState, why: Extract<FeedLoss, { kind: 'failed' }>, atMs: number): FeedState {
  const { error, ranMs, jitter } = why;
  const failures = 1 + (feed.kind === 'failing' ? feed.failures : 0);
  const restMs = Math.max(leastBackoffMs, error.retryAfterMs ?? backoffMs(backoff, failures, () => jitter));
  const halved = Math.max(shortestWaitSeconds, Math.floor(feed.waitSeconds / 2));
  const waitSeconds = ranMs >= cutAfterMs ? halved : feed.waitSeconds;
  return { kind: 'failing', untilMs: atMs + restMs, failures, error, token: tokenOf(feed), waitSeconds };
}
