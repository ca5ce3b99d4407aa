import type { Store } from '../pipeline/ports.js';

/** The same store, telling of every operation that fails. */
export function watchedStore(store: Store, failed: (operation: keyof Store) => void): Store {
  const watch = async <T>(operation: keyof Store, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (thrown) {
      failed(operation);
      throw thrown;
    }
  };
  return {
    state: async server => watch('state', async () => store.state(server)),
    rows: async (server, sessions) => watch('rows', async () => store.rows(server, sessions)),
    pending: async (server, sink) => watch('pending', async () => store.pending(server, sink)),
    holders: async installationId => watch('holders', async () => store.holders(installationId)),
    series: async () => watch('series', async () => store.series()),
    deadLetters: async server => watch('deadLetters', async () => store.deadLetters(server)),
    commit: async change => watch('commit', async () => store.commit(change)),
    close: async () => watch('close', async () => store.close()),
  };
}
