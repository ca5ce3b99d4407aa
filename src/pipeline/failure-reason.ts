import { failureText } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Completion } from './completion.js';
import type { Cursor } from './cursor.js';
import { type IntervalSet, sizeOf } from './interval-set.js';
import type { SinkWorker } from './sink-worker.js';

/**
 * The session of a result with what its first failed event says: the API has no reason for a failed session. The event is read
 * again, because a cursor only holds its order.
 * @throws {ExporterError} as the source.
 */
export async function withFailure(
  worker: SinkWorker,
  session: Session,
  { result, cursor }: Completion,
  signal: AbortSignal,
): Promise<Session> {
  const isFailure = result && session.result.label === 'Failed' && (cursor.tally.Failed ?? 0) > 0;
  // Metrics hold no texts.
  if (!isFailure || worker.sink.name === 'metrics') return session;
  return { ...session, failure: await firstFailure(worker, session.id, cursor, signal) };
}

/** `''` if the event is not found, or a cursor with too many exceptions does not hold its order. */
async function firstFailure(
  { pageCache }: SinkWorker,
  session: string,
  { taken, exceptions }: Cursor,
  signal: AbortSignal,
): Promise<string> {
  const [first] = exceptions?.Failed?.[0] ?? [];
  if (first === undefined) return '';
  const page = await pageCache.read(session, sizeOf(below(taken, first)), signal);
  const row = page?.rows.find(({ order }) => order === first);
  return row !== undefined && 'event' in row ? failureText(row.event) : '';
}

const below = (orders: IntervalSet, order: number): IntervalSet =>
  orders.filter(([first]) => first < order).map(([first, last]) => [first, Math.min(last, order - 1)]);
