import type { Family } from '../telemetry/family.js';
import { labelText, sampleLine, type ServedFamily } from './exposition.js';

type Labels = Readonly<Record<string, string>>;

/** The series of one gauge, by server. */
export type GaugeTable = Readonly<{
  served: ServedFamily;
  /** Sets one series. */
  change: (labels: Labels, value: number) => void;
  /**
   * Puts `rows` in place of all series of a server, at once: no scrape sees half. Rows that differ only in what the
   * family does not show add up.
   */
  replace: (server: string, rows: readonly Readonly<{ labels: Labels; value: number }>[]) => void;
}>;

/** A gauge that is kept here. Series without a label `server` belong to the server `''`. */
export function gaugeTable({ name, help, type, labels: names }: Family): GaugeTable {
  const servers = new Map<string, Map<string, number>>();
  // Label values are quoted in a key, so that no two label sets share one.
  const keyOf = (labels: Labels): string =>
    labelText(
      names,
      names.map(label => (labels[label] ?? '').toWellFormed()),
    );
  return {
    served: {
      name,
      help,
      type,
      lines: () => [...servers.values()].flatMap(rows => [...rows].map(([key, value]) => sampleLine(name, key, value))),
    },
    change: (labels, value) => {
      const server = labels['server'] ?? '';
      const rows = servers.get(server) ?? new Map<string, number>();
      servers.set(server, rows.set(keyOf(labels), value));
    },
    replace: (server, rows) => {
      const fresh = new Map<string, number>();
      for (const { labels, value } of rows) {
        const key = keyOf({ ...labels, server });
        fresh.set(key, (fresh.get(key) ?? 0) + value);
      }
      servers.set(server, fresh);
    },
  };
}
