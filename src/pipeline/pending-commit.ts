import type { Change, Store } from './ports.js';

/**
 * Remembers what a sink has delivered. What could not be stored is owed, and must be settled before anything else is
 * read or delivered: a full disk repeats no delivery.
 */
export interface Ledger {
  /**
   * Stores a change, and tells `stored` once it is.
   * @throws {ExporterError} `store`: the change is owed from here on.
   */
  record(change: Change, stored: () => void): Promise<void>;
  /**
   * Stores what is owed.
   * @throws {ExporterError} `store`: it is owed still.
   */
  settle(): Promise<void>;
}

export function createLedger(store: Pick<Store, 'commit'>): Ledger {
  let owed: Readonly<{ change: Change; stored: () => void }> | undefined;
  const settle = async (): Promise<void> => {
    if (owed === undefined) return;
    const { change, stored } = owed;
    await store.commit(change);
    owed = undefined;
    stored();
  };
  return {
    settle,
    record: async (change, stored) => {
      owed = { change, stored };
      await settle();
    },
  };
}
