import { ExporterError, toExporterError } from '../kernel/errors.js';
import type { Batch, Delivered, Sink } from './ports.js';

/** How many suspect batches one delivery goes past; 10,000 refusals in a row are for a person to judge. */
const maxSuspectBatches = 10;

/**
 * Delivers batches through a sink, and goes past a suspect batch: one that the receiver refused record by record while
 * it took nothing else. Later batches are probes, which show whether the receiver takes anything; nothing of them is
 * committed. If it takes one, this delivery fails, and the next begins with the suspect batch, which the sink then decides.
 */
export class ReceiverProbe {
  readonly #sink: Sink;
  #suspects = 0;
  #refusal: ExporterError | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Why the first suspect batch was refused. */
  get refusal(): ExporterError | undefined {
    return this.#refusal;
  }

  /**
   * Undefined for a suspect batch, and for an empty one after it.
   * @throws {ExporterError} as the sink; `rejected` if it took a probe.
   */
  async deliver(batch: Batch, signal: AbortSignal): Promise<Delivered | undefined> {
    if (this.#suspects > 0 && batch.events.length + batch.results.length === 0) return undefined;
    const delivered = await this.#attempt(batch, signal);
    if (delivered === undefined || this.#suspects === 0) return delivered;
    throw new ExporterError(
      'rejected',
      'Could not deliver records that the receiver refuses while it takes newer ones',
    );
  }

  async #attempt(batch: Batch, signal: AbortSignal): Promise<Delivered | undefined> {
    try {
      return await this.#sink.deliver(batch, signal);
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (!isSuspect(error) || this.#suspects >= maxSuspectBatches) throw error;
      this.#suspects += 1;
      this.#refusal ??= error;
      return undefined;
    }
  }
}

const isSuspect = ({ reason, details }: ExporterError): boolean => reason === 'rejected' && 'suspects' in details;
