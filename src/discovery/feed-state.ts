import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { FeedAnswer, Source } from '../pipeline/ports.js';
import { createSeen, type Seen } from './session-snapshots.js';

/** How the change feed of a server stands, for metrics and the log. */
export type FeedState = Readonly<{
  /** News comes through the feed; false while it is polled for. */
  active: boolean;
  /** Why there is no feed, where there could be one. */
  error: ExporterError | undefined;
}>;

/** What is known of the change feed of a server. Times are milliseconds of the monotonic clock. */
export type Feed = {
  /** Where it goes on; undefined until the first list that a token was fetched before has been recorded. */
  token: string | undefined;
  /** A token was given out, and nothing has been told behind it yet. */
  untried: boolean;
  /** When a token was last stored. */
  storedMs: number;
  active: boolean;
  error: ExporterError | undefined;
  /** Not asked for a first token before. */
  retryMs: number;
  failures: number;
  /** How long the server may wait before it answers. */
  waitSeconds: number;
  /** What it told of cannot be trusted to be all: look at a list now. */
  doubted: boolean;
  readonly seen: Seen;
  /** Sessions it told of that could not be read yet. */
  readonly owed: Set<string>;
  /** Sessions that a list showed changed, of which the feed had not told; and when that list had been read. */
  readonly suspects: Set<string>;
  suspectedMs: number;
  /** Gaps found and not counted yet: how many sessions were missed in them. */
  readonly gaps: number[];
};

/** The long poll that the one known client of this feed uses (vb365-rest.md 6.8). */
export const longestWaitSeconds = 25;
/** A wait is not shortened below this. */
const shortestWaitSeconds = 5;
/** What a proxy or server cuts off after this is taken for too long a wait. */
const cutAfterMs = 2_000;
/** A feed that was refused is asked for again so often. */
const refusedMs = 600_000;
/** From 1 s to 60 s, full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 60_000 };
const leastBackoffMs = 1_000;

export const createFeed = (token: string | undefined): Feed => ({
  token,
  untried: false,
  storedMs: 0,
  active: false,
  error: undefined,
  retryMs: 0,
  failures: 0,
  waitSeconds: longestWaitSeconds,
  doubted: false,
  seen: createSeen(),
  owed: new Set(),
  suspects: new Set(),
  suspectedMs: 0,
  gaps: [],
});

export type FeedDeps = Readonly<{ source: Pick<Source, 'changes'>; clock: Pick<Clock, 'monotonic'>; random: Random }>;

/**
 * Asks for the end of the feed, when there is no token yet and it is time to: to be called before a list is read, so
 * that what changes while it is read is told. Undefined when there is no feed to follow. Rejects only when `signal`
 * has aborted.
 */
export async function endOfFeed(deps: FeedDeps, feed: Feed, signal: AbortSignal): Promise<string | undefined> {
  if (feed.token !== undefined || deps.clock.monotonic() < feed.retryMs) return undefined;
  try {
    const changes = await deps.source.changes({ token: undefined, waitSeconds: 1 }, signal);
    if (changes.kind === 'told') {
      feed.untried = true;
      return changes.token;
    }
    refuse(deps, feed, changes);
  } catch (thrown) {
    signal.throwIfAborted();
    fail(deps, feed, toExporterError(thrown));
  }
  return undefined;
}

/** The feed has answered a request that was begun at `askedMs`. */
export function succeed(feed: Feed): void {
  feed.active = true;
  feed.untried = false;
  feed.error = undefined;
  feed.failures = 0;
  feed.waitSeconds = Math.min(longestWaitSeconds, feed.waitSeconds + 1);
}

/** There is no feed for now: its token is no good, so that the next list is begun with another. */
export function refuse({ clock }: FeedDeps, feed: Feed, changes: Exclude<FeedAnswer, { kind: 'told' }>): void {
  const hadToken = feed.token !== undefined;
  feed.active = false;
  feed.token = undefined;
  feed.error = changes.kind === 'refused' ? changes.error : undefined;
  // The token may be what is refused: without it the feed is asked once more, at once. One that was given out a moment
  // ago is not: another would be refused as well, and each costs a list of everything.
  feed.retryMs = (hadToken && !feed.untried) || changes.kind === 'none' ? 0 : clock.monotonic() + refusedMs;
  if (hadToken && changes.kind !== 'none') feed.gaps.push(0);
}

/** A request has failed: polling takes over until the feed answers again. Returns how long to leave it alone, in ms. */
export function fail(deps: FeedDeps, feed: Feed, error: ExporterError, ranMs = 0): number {
  feed.active = false;
  feed.error = error;
  feed.failures += 1;
  if (ranMs >= cutAfterMs) feed.waitSeconds = Math.max(shortestWaitSeconds, Math.floor(feed.waitSeconds / 2));
  const restMs = Math.max(leastBackoffMs, error.retryAfterMs ?? backoffMs(backoff, feed.failures, deps.random));
  feed.retryMs = deps.clock.monotonic() + restMs;
  return restMs;
}
