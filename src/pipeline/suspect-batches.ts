import { ExporterError, toExporterError } from '../kernel/errors.js';
import type { Batch, Delivered, Sink } from './ports.js';

/** Maximum number of suspect batches that one delivery skips: after 10,000 refusals in a row, an operator must decide. */
const maxSuspectBatches = 10;

/**
 * Delivers batches through a sink, and skips a suspect batch: one that the receiver refused record by record while it
 * accepted nothing else. Later batches only show whether the receiver accepts anything; they are not committed. If it
 * accepts one, this delivery fails, and the next one begins with the suspect batch.
 */
export function createSuspectSkipper(sink: Sink) {
  /** Why each suspect batch was refused. */
  const refusals: ExporterError[] = [];
  /**
   * Undefined for a suspect batch, and for an empty one after it.
   * @throws {ExporterError} as the sink; `rejected` if it took a batch after a suspect one.
   */
  const deliver = async (batch: Batch, signal: AbortSignal): Promise<Delivered | undefined> => {
    const isAfterSuspect = refusals.length > 0;
    if (isAfterSuspect && batch.events.length + batch.results.length === 0) return undefined;
    try {
      const delivered = await sink.deliver(batch, signal);
      if (!isAfterSuspect) return delivered;
    } catch (thrown) {
      const error = toExporterError(thrown);
      const isSuspect = error.reason === 'rejected' && 'suspects' in error.details;
      if (!isSuspect || refusals.length >= maxSuspectBatches) throw error;
      refusals.push(error);
      return undefined;
    }
    const message = 'Could not deliver records that the receiver refuses while it takes newer ones';
    throw new ExporterError('rejected', message);
  };
  return { refusals, deliver };
}
