import type { Store } from '../pipeline/ports.js';

/** The same store, telling of every operation that fails. */
export function watchedStore(store: Store, failed: (operation: keyof Store) => void): Store {
  const watch =
    <Arguments extends readonly unknown[], Result>(
      operation: keyof Store,
      action: (...given: Arguments) => Promise<Result>,
    ) =>
    async (...given: Arguments): Promise<Result> => {
      try {
        return await action(...given);
      } catch (thrown) {
        failed(operation);
        throw thrown;
      }
    };
  return {
    state: watch('state', async server => store.state(server)),
    rows: watch('rows', async (server, sessions) => store.rows(server, sessions)),
    pending: watch('pending', async (server, sink) => store.pending(server, sink)),
    series: watch('series', async () => store.series()),
    commit: watch('commit', async change => store.commit(change)),
    close: watch('close', async () => store.close()),
  };
}
