import type { ReadBatch } from './batch-builder.js';
import type { StateChange, Store } from './ports.js';

/** A batch that the sink has taken, and the change to store for it. */
export type DeliveredBatch = ReadBatch & Readonly<{ change: StateChange }>;

/** The delivered batch of one sink that is not stored yet. It is stored before anything else is read, not delivered again. */
export class PendingCommit {
  readonly #store: Pick<Store, 'commit'>;
  #pending: DeliveredBatch | undefined;

  constructor(store: Pick<Store, 'commit'>) {
    this.#store = store;
  }

  /**
   * Stores what has been delivered, or else what is pending, and returns it; undefined if there is neither.
   * @throws {ExporterError} `store`: it stays pending.
   */
  async commit(delivered = this.#pending): Promise<DeliveredBatch | undefined> {
    this.#pending = delivered;
    if (delivered !== undefined) await this.#store.commit(delivered.change);
    this.#pending = undefined;
    return delivered;
  }
}
