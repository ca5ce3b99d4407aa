import type { Clock, Random } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import type { FeedAnswer, Source } from '../pipeline/ports.js';
import { type FeedChanges, type FeedFailure, type FeedRequest, needsToken } from './feed-state.js';
import { readSessions, type SessionReads } from './list-scan.js';
import { sessionsToRead } from './observe.js';
import type { DiscoveryState, FeedEnd } from './state.js';

type FeedDeps = Readonly<{ source: Pick<Source, 'changes'>; clock: Pick<Clock, 'monotonic'>; random: Random }>;

/** With more changed sessions than this, one list costs the server less. */
const manySessions = 50;

/** What the feed answered to a request. */
export type FeedReply = Readonly<{ request: FeedRequest; answer: FeedAnswer | FeedFailure }>;

/** Asks the feed what has changed since its token; waits for it. Never rejects. */
export async function askFeed(deps: FeedDeps, request: FeedRequest, signal: AbortSignal): Promise<FeedReply> {
  try {
    return { request, answer: await deps.source.changes(request, signal) };
  } catch (thrown) {
    const ranMs = deps.clock.monotonic() - request.askedMs;
    return { request, answer: feedFailure(deps, thrown, ranMs) };
  }
}

/**
 * Asks for the end of the feed when there is no token and it is time to. A list is read after that, so that the feed
 * reports what changes while the list is read. Undefined when the feed was not asked. Rejects only when `signal` aborts.
 */
export async function endOfFeed(
  deps: FeedDeps,
  { feed }: DiscoveryState,
  signal: AbortSignal,
): Promise<FeedEnd | undefined> {
  if (!needsToken(feed, deps.clock.monotonic())) return undefined;
  try {
    return await deps.source.changes({ token: undefined, waitSeconds: 1 }, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return feedFailure(deps, thrown, 0);
  }
}

export const feedFailure = ({ random }: Pick<FeedDeps, 'random'>, thrown: unknown, ranMs: number): FeedFailure => ({
  kind: 'failed',
  error: toExporterError(thrown),
  ranMs,
  jitter: random(),
});

/**
 * Reads the sessions that the feed reported, and those that could not be read before.
 * @throws {ExporterError} as `Source`.
 */
export async function readChanges(
  source: Pick<Source, 'now' | 'sessions' | 'session'>,
  { state, changes }: Readonly<{ state: DiscoveryState; changes: FeedChanges }>,
  signal: AbortSignal,
): Promise<SessionReads> {
  const ids = sessionsToRead(state, changes);
  if (ids.length <= manySessions) return readSessions(source, ids, signal);
  const startedAt = source.now();
  const list = await source.sessions(undefined, signal);
  const byId = new Map(list.sessions.map(session => [session.id, session]));
  const missing = ids.filter(id => !byId.has(id));
  // A session that is missing may be one that could not be decoded.
  const isComplete = list.rejects.length === 0;
  return {
    sessions: ids.flatMap(id => byId.get(id) ?? []),
    gone: new Set(isComplete ? missing : []),
    startedAt,
    unread: isComplete ? [] : missing,
    rejects: list.rejects,
  };
}
