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
    state: watch('state', store.state),
    rows: watch('rows', store.rows),
    pending: watch('pending', store.pending),
    series: watch('series', store.series),
    commit: watch('commit', store.commit),
    close: watch('close', store.close),
  };
}
