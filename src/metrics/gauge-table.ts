import type { Family } from './family.js';
import { type Block, labelText, numberText, sampleStart, type ServedFamily } from './exposition.js';

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

/** What a server has of a gauge: values, by the part of their line that never changes. */
type Own = Readonly<{ block: Block; rows: Map<string, number> }>;

/**
 * A gauge that is kept here. Series without a label `server` belong to the server `''`.
 * @param changing told of a block before a series of it changes.
 */
export function gaugeTable({ name, help, type, labels: names }: Family, changing: (block: Block) => void): GaugeTable {
  const servers = new Map<string, Own>();
  // Label values are quoted, so that no two label sets share a key.
  const keyOf = (labels: Labels): string =>
    sampleStart(
      name,
      labelText(
        names,
        names.map(label => (labels[label] ?? '').toWellFormed()),
      ),
    );
  const changed = (server: string): Map<string, number> => {
    const own = servers.get(server) ?? noRows();
    changing(own.block);
    servers.set(server, own);
    return own.rows;
  };
  return {
    served: { name, help, type, blocks: () => [...servers.values()].map(({ block }) => block) },
    change: (labels, value) => {
      changed(labels['server'] ?? '').set(keyOf(labels), value);
    },
    replace: (server, fresh) => {
      const rows = changed(server);
      rows.clear();
      for (const { labels, value } of fresh) {
        const key = keyOf({ ...labels, server });
        rows.set(key, (rows.get(key) ?? 0) + value);
      }
    },
  };
}

function noRows(): Own {
  const rows = new Map<string, number>();
  const write = (): string => {
    let text = '';
    for (const [start, value] of rows) text += `${start}${numberText(value)}\n`;
    return text;
  };
  return { block: { write }, rows };
}
