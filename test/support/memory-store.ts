import type { CursorRow, Series, SeriesDelta, ServerState, DeadLetter, Store } from '../../src/pipeline/ports.js';
import { fold, seriesKey } from '../../src/pipeline/series.js';

/** The series that deltas change, as they stand then; throws before anything is changed. */
function folded(series: ReadonlyMap<string, Series>, deltas: readonly SeriesDelta[] = []): ReadonlyMap<string, Series> {
  const changed = new Map<string, Series>();
  for (const delta of deltas) {
    const key = seriesKey(delta);
    changed.set(key, fold(changed.get(key) ?? series.get(key), delta));
  }
  return changed;
}

const asideKey = (server: string, { sink, session, event }: DeadLetter): string =>
  JSON.stringify([server, sink, session, event]);

/** A store that forgets everything when the program ends. */
export function memoryStore(): Store {
  const states = new Map<string, ServerState>();
  const rows = new Map<string, Readonly<{ server: string; row: CursorRow }>>();
  const series = new Map<string, Series>();
  const aside = new Map<string, Readonly<{ server: string; one: DeadLetter }>>();
  const ofServer = (server: string): readonly CursorRow[] =>
    [...rows.values()].filter(entry => entry.server === server).map(({ row }) => row);
  const put = (server: string, changed: readonly CursorRow[]): void => {
    for (const row of changed) rows.set(JSON.stringify([server, row.sink, row.session]), { server, row });
  };
  const asideOf = (server: string): readonly DeadLetter[] =>
    [...aside.values()].filter(entry => entry.server === server).map(({ one }) => one);
  const putAside = (server: string, one: DeadLetter): void => {
    aside.set(asideKey(server, one), { server, one });
  };
  const move = (from: string, to: string): void => {
    const [old, own] = [states.get(from), states.get(to)];
    states.delete(from);
    if (old !== undefined)
      states.set(to, { since: { ...own?.since, ...old.since }, facts: { ...own?.facts, ...old.facts } });
    const moved = ofServer(from);
    for (const row of moved) rows.delete(JSON.stringify([from, row.sink, row.session]));
    put(to, moved);
    const movedAside = asideOf(from);
    for (const one of movedAside) aside.delete(asideKey(from, one));
    for (const one of movedAside) putAside(to, one);
  };
  return {
    state: async server => states.get(server) ?? { since: {}, facts: {} },
    rows: async (server, sessions) => {
      const wanted = new Set(sessions);
      return ofServer(server).filter(({ session }) => wanted.has(session));
    },
    pending: async (server, sink) => ofServer(server).filter(row => row.sink === sink && !row.done),
    holders: async installationId =>
      [...states].flatMap(([server, { facts }]) => (facts.installationId === installationId ? [server] : [])),
    series: async () => [...series.values()],
    deadLetters: async server => asideOf(server),
    commit: async ({ server, moves = [], since = {}, facts = {}, rows: changed = [], deltas, deadLetters = [] }) => {
      for (const [key, one] of folded(series, deltas)) series.set(key, one);
      for (const { from, to } of moves) move(from, to);
      const state = states.get(server) ?? { since: {}, facts: {} };
      states.set(server, { since: { ...state.since, ...since }, facts: { ...state.facts, ...facts } });
      put(server, changed);
      for (const one of deadLetters) putAside(server, one);
    },
    close: async () => undefined,
  };
}
