import type { Backlog } from './backlog.js';
import type { ReadBatch } from './batch-builder.js';
import type { DroppedRecords, StateChange, Store } from './ports.js';

/** A batch that the sink has taken, and the change to store for it, without the rows. */
export type DeliveredBatch = ReadBatch & Readonly<{ dropped: readonly DroppedRecords[]; change: StateChange }>;

/** The delivered batch of one sink that is not stored yet. It is stored before anything else is read, not delivered again. */
export class PendingCommit {
  readonly #store: Pick<Store, 'commit'>;
  readonly #backlog: Pick<Backlog, 'toStore'>;
  #pending: DeliveredBatch | undefined;

  constructor(store: Pick<Store, 'commit'>, backlog: Pick<Backlog, 'toStore'>) {
    this.#store = store;
    this.#backlog = backlog;
  }

  /**
   * Stores what has been delivered, or else what is pending, and returns it; undefined if there is neither.
   * @throws {ExporterError} `store`: it stays pending.
   */
  async commit(delivered = this.#pending): Promise<DeliveredBatch | undefined> {
    this.#pending = delivered;
    if (delivered !== undefined) {
      // A session that was requeued since it was read is not done, however long the commit had to wait.
      const rows = delivered.changed.map(({ row }) => this.#backlog.toStore(row));
      await this.#store.commit({ ...delivered.change, rows });
    }
    this.#pending = undefined;
    return delivered;
  }
}
