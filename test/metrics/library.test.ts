import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { GaugeTable } from '../../src/metrics/gauge-table.js';
import { SeriesTable } from '../../src/metrics/series-table.js';
import { counter, gauge, histogram } from '../../src/metrics/family.js';
import { pageWith } from '../support/exposition.js';

const common = { unit: 'x', example: '', stored: true } as const;
const events = counter({
  ...common,
  name: 'vb365_e_total',
  help: 'Events.',
  labels: ['server', 'kind'],
});
const open = gauge({ ...common, name: 'vb365_o', help: 'Open.', labels: ['server', 'kind'] });
const length = histogram({
  ...common,
  name: 'vb365_l_seconds',
  help: 'Length.',
  labels: ['server', 'kind'],
  buckets: [0.001, 0.5, 2, 30],
});

/** What happens to a series: it is counted, set, and observed in halves of a second, which add up without rounding. */
type Change = Readonly<{ server: string; kind: string; by: number; value: number; halves: number }>;

/** The same in our tables and in the library's. */
async function bothPages(changes: readonly Change[]): Promise<readonly [string, string]> {
  const registry = new Registry();
  const names = { labelNames: ['server', 'kind'], registers: [registry] };
  const library = {
    events: new Counter({ name: events.name, help: events.help, ...names }),
    length: new Histogram({ name: length.name, help: length.help, buckets: [...length.buckets], ...names }),
    open: new Gauge({ name: open.name, help: open.help, ...names }),
  };
  const table = new SeriesTable([events, length]);
  const gauges = new GaugeTable(open);
  for (const { server, kind, by, value, halves } of changes) {
    const seconds = halves / 2;
    library.events.inc({ server, kind }, by);
    library.length.observe({ server, kind }, seconds);
    library.open.set({ server, kind }, value);
    const first = length.buckets.findIndex(bound => seconds <= bound);
    const bucket = first === -1 ? length.buckets.length : first;
    const counts = Array.from({ length: length.buckets.length + 1 }, (_, i) => (i === bucket ? 1 : 0));
    table.apply([
      { family: events.name, labels: [server, kind], kind: 'counter', by },
      { family: length.name, labels: [server, kind], kind: 'histogram', counts, sumTicks: BigInt(halves) * 5_000_000n },
    ]);
    gauges.set({ server, kind }, value);
  }
  return [pageWith([...table.families, gauges.served]), await registry.metrics()];
}

/** The library puts empty lines between metrics. */
const linesOf = (page: string): readonly string[] => page.split('\n').filter(line => line !== '');

test('counters, histograms and gauges are written as the library writes them, byte by byte', async () => {
  // No commas: the library lets label sets with them fall together. One server: a gauge of ours is in order of servers.
  const text = fc.string({ unit: fc.constantFrom('a', 'B', '"', '\\', '\n', '{', '}', ' ', 'é', '✓'), maxLength: 4 });
  const change = fc.record({
    server: fc.constant('hq'),
    kind: text,
    by: fc.oneof(fc.nat(), fc.constant(0)),
    value: fc.oneof(fc.double({ noNaN: true }), fc.integer()),
    halves: fc.nat(100),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 60 }), async changes => {
      const [own, library] = await bothPages(changes);
      expect(linesOf(own)).toEqual(linesOf(library));
    }),
  );
});
