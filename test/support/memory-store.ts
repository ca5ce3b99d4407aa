import type { CursorRow, Series, SeriesDelta, ServerState, DeadLetter, Store } from '../../src/pipeline/ports.js';
import { fold, seriesKey } from '../../src/pipeline/series.js';

/** The series that the deltas change, after the change; throws before anything is changed. */
function folded(series: ReadonlyMap<string, Series>, deltas: readonly SeriesDelta[] = []): ReadonlyMap<string, Series> {
  const changed = new Map<string, Series>();
  for (const delta of deltas) {
    const key = seriesKey(delta);
    changed.set(key, fold(changed.get(key) ?? series.get(key), delta));
  }
  return changed;
}

const letterKey = (server: string, { sink, session, event }: DeadLetter): string =>
  JSON.stringify([server, sink, session, event]);

/** A store whose dead letters a test can read. */
export type ReadableStore = Store & Readonly<{ deadLetters(server: string): Promise<readonly DeadLetter[]> }>;

/** A store that forgets everything when the process ends. */
export function memoryStore(): ReadableStore {
  const states = new Map<string, ServerState>();
  const rows = new Map<string, Readonly<{ server: string; row: CursorRow }>>();
  const series = new Map<string, Series>();
  const letters = new Map<string, Readonly<{ server: string; one: DeadLetter }>>();
  const ofServer = (server: string): readonly CursorRow[] =>
    [...rows.values()].filter(entry => entry.server === server).map(({ row }) => row);
  const put = (server: string, changed: readonly CursorRow[]): void => {
    for (const row of changed) rows.set(JSON.stringify([server, row.sink, row.session]), { server, row });
  };
  const lettersOf = (server: string): readonly DeadLetter[] =>
    [...letters.values()].filter(entry => entry.server === server).map(({ one }) => one);
  const putLetter = (server: string, one: DeadLetter): void => {
    letters.set(letterKey(server, one), { server, one });
  };
  const move = (from: string, to: string): void => {
    const [old, own] = [states.get(from), states.get(to)];
    states.delete(from);
    if (old !== undefined)
      states.set(to, { since: { ...own?.since, ...old.since }, facts: { ...own?.facts, ...old.facts } });
    const moved = ofServer(from);
    for (const row of moved) rows.delete(JSON.stringify([from, row.sink, row.session]));
    put(to, moved);
    const movedLetters = lettersOf(from);
    for (const one of movedLetters) letters.delete(letterKey(from, one));
    for (const one of movedLetters) putLetter(to, one);
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
    series: async servers => [...series.values()].filter(({ labels }) => servers?.includes(labels[0] ?? '') ?? true),
    deadLetters: async server => lettersOf(server),
    commit: async ({ server, moves = [], since = {}, facts = {}, rows: changed = [], deltas, deadLetters = [] }) => {
      for (const [key, one] of folded(series, deltas)) series.set(key, one);
      for (const { from, to } of moves) move(from, to);
      const state = states.get(server) ?? { since: {}, facts: {} };
      states.set(server, { since: { ...state.since, ...since }, facts: { ...state.facts, ...facts } });
      put(server, changed);
      for (const one of deadLetters) putLetter(server, one);
    },
    close: async () => undefined,
  };
}
