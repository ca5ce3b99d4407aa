import type { Clock, Random } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import type { FeedAnswer, Source } from '../pipeline/ports.js';
import type { FeedChanges, FeedFailure, FeedRequest } from './feed-state.js';
import { readSessions } from './list-scan.js';
import { sessionsToRead } from './observe.js';
import type { DiscoveryState, SessionReads } from './state.js';

/** With more changed sessions than this, one list costs the server less. */
const manySessions = 50;

/** What the feed answered to a request. */
export type FeedReply = Readonly<{ request: FeedRequest; answer: FeedAnswer | FeedFailure }>;

/** Asks the feed what has changed and waits for it. Never rejects. */
export async function askFeed(
  {
    source,
    clock,
    random,
  }: Readonly<{ source: Pick<Source, 'changes'>; clock: Pick<Clock, 'monotonic'>; random: Random }>,
  request: FeedRequest,
  signal: AbortSignal,
): Promise<FeedReply> {
  try {
    return { request, answer: await source.changes(request, signal) };
  } catch (thrown) {
    const ranMs = clock.monotonic() - request.askedMs;
    return { request, answer: { kind: 'failed', error: toExporterError(thrown), ranMs, jitter: random() } };
  }
}

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
  const { sessions, rejects } = await source.sessions(undefined, signal);
  const byId = new Map(sessions.map(session => [session.id, session]));
  const missing = ids.filter(id => !byId.has(id));
  // A session that is missing may be one that could not be decoded.
  const [gone, unread] = rejects.length === 0 ? [missing, []] : [[], missing];
  return { sessions: ids.flatMap(id => byId.get(id) ?? []), gone: new Set(gone), startedAt, unread, rejects };
}
