import type { Registry } from 'prom-client';
import type { Family } from '../telemetry/family.js';
import { exposedFamily, keyOf, named, type Sample } from './exposed-family.js';

type Labels = Readonly<Record<string, string>>;

/** The series of one gauge, by server. */
export type GaugeTable = Readonly<{
  /** Sets one series. */
  change: (labels: Labels, value: number) => void;
  /** Puts `rows` in place of all series of a server, at once: no scrape sees half. */
  replace: (server: string, rows: readonly Readonly<{ labels: Labels; value: number }>[]) => void;
}>;

/** A gauge that `registry` serves. Series without a label `server` belong to the server `''`. */
export function gaugeTable(family: Family, registry: Registry): GaugeTable {
  const servers = new Map<string, Map<string, Sample>>();
  registry.registerMetric(exposedFamily(family, () => [...servers.values()].flatMap(rows => [...rows.values()])));
  const put = (rows: Map<string, Sample>, labels: Labels, value: number): void => {
    const values = family.labels.map(label => (labels[label] ?? '').toWellFormed());
    rows.set(keyOf(values), { labels: named(family.labels, values), value });
  };
  return {
    change: (labels, value) => {
      const server = labels['server'] ?? '';
      const rows = servers.get(server) ?? new Map<string, Sample>();
      put(rows, labels, value);
      servers.set(server, rows);
    },
    replace: (server, rows) => {
      const fresh = new Map<string, Sample>();
      for (const { labels, value } of rows) put(fresh, { ...labels, server }, value);
      servers.set(server, fresh);
    },
  };
}
