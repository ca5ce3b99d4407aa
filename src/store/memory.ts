import type { Row, Series, ServerState, Store } from '../pipeline/ports.js';
import { fold, seriesKey } from './fold.js';

/** A store that forgets everything when the program ends. */
export function memoryStore(): Store {
  const states = new Map<string, ServerState>();
  const rows = new Map<string, Readonly<{ server: string; row: Row }>>();
  const series = new Map<string, Series>();
  const ofServer = (server: string): readonly Row[] =>
    [...rows.values()].filter(entry => entry.server === server).map(({ row }) => row);
  return {
    state: async server => states.get(server) ?? { since: {} },
    rows: async (server, sessions) => {
      const wanted = new Set(sessions);
      return ofServer(server).filter(({ session }) => wanted.has(session));
    },
    pending: async (server, sink) => ofServer(server).filter(row => row.sink === sink && !row.done),
    series: async () => [...series.values()],
    commit: async ({ server, since = {}, rows: changed = [], deltas = [] }) => {
      const folded = new Map<string, Series>();
      for (const delta of deltas) {
        const key = seriesKey(delta);
        folded.set(key, fold(folded.get(key) ?? series.get(key), delta));
      }
      for (const [key, one] of folded) series.set(key, one);
      states.set(server, { since: { ...states.get(server)?.since, ...since } });
      for (const row of changed) rows.set(JSON.stringify([server, row.sink, row.session]), { server, row });
    },
    close: async () => undefined,
  };
}
