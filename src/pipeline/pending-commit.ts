import type { StateChange, Store } from './ports.js';

/**
 * Remembers what a sink has delivered. What could not be stored is owed, and must be settled before anything else is
 * read or delivered: a full disk repeats no delivery.
 */
export interface PendingCommit {
  /**
   * Stores a change, and tells `stored` once it is.
   * @throws {ExporterError} `store`: the change is owed from here on.
   */
  record(change: StateChange, stored: () => void): Promise<void>;
  /**
   * Stores what is owed.
   * @throws {ExporterError} `store`: it is owed still.
   */
  flush(): Promise<void>;
}

export function createPendingCommit(store: Pick<Store, 'commit'>): PendingCommit {
  let owed: Readonly<{ change: StateChange; stored: () => void }> | undefined;
  const settle = async (): Promise<void> => {
    if (owed === undefined) return;
    const { change, stored } = owed;
    await store.commit(change);
    owed = undefined;
    stored();
  };
  return {
    flush: settle,
    record: async (change, stored) => {
      owed = { change, stored };
      await settle();
    },
  };
}
