import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { milliseconds } from '../../src/model/time.js';
import type { SeriesDelta } from '../../src/pipeline/ports.js';
import type { Block, Format } from '../../src/metrics/exposition.js';
import { createPageWriter } from '../../src/metrics/page-writer.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { restoreSessionsOpen } from '../../src/metrics/restore-families.js';
import { pollDuration, polls, serverUp } from '../../src/metrics/server-families.js';
import { pageOf } from '../support/exposition.js';
import { metricsOf } from '../support/metrics.js';

const exemplar = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), value: 1, at: milliseconds(1_500) };
const labels = (n: number): readonly string[] => [
  `s${String(n % 7)}`,
  `org ${String(n)}`,
  'exchange',
  'Save',
  'Failed',
];
const counted = (n: number, more: object = {}): SeriesDelta => ({
  family: 'vb365_restore_events_total',
  labels: labels(n),
  kind: 'counter',
  by: 1,
  exemplar,
  ...more,
});
const lasted = (n: number): SeriesDelta => ({
  family: 'vb365_restore_item_duration_seconds',
  labels: [`s${String(n % 7)}`, `w${String(n % 50)}`, 'Save'],
  kind: 'histogram',
  counts: Array.from({ length: 14 }, (_, i) => (i === n % 14 ? 1 : 0)),
  sumTicks: BigInt(n),
  exemplars: [exemplar],
});

/** Everything that can happen to what is served, each told by a number. */
const happenings: readonly ((metrics: Metrics, n: number) => void)[] = [
  (metrics, n) => metrics.stored.apply([counted(n), lasted(n)]),
  (metrics, n) => metrics.stored.apply([counted(n, { held: 1 })]),
  (metrics, n) => metrics.stored.apply([counted(n + 100_000)]),
  ({ stored }) => stored.apply(stored.letGo(Infinity)),
  (metrics, n) => {
    metrics.begin(`new ${String(n)}`);
  },
  (metrics, n) => {
    metrics.inc(polls, { server: `s${String(n % 7)}`, result: 'failed' });
    metrics.observe(pollDuration, { server: `s${String(n % 7)}` }, n / 8);
    metrics.set(serverUp, { server: `s${String(n % 7)}` }, n);
  },
  (metrics, n) => {
    const rows = [{ labels: { organization: `org ${String(n)}`, workload: 'exchange' }, value: n }];
    metrics.replace(restoreSessionsOpen, `s${String(n % 7)}`, rows);
  },
  (metrics, n) => {
    metrics.drop(`s${String(n % 7)}`);
  },
];

const manySeries = 2_000;

/** Metrics of several slices. `between` runs between two of them. */
function manyMetrics(between: () => void = () => undefined): Metrics {
  const turn = async (): Promise<void> => between();
  const metrics = metricsOf(['s0', 's1', 's2', 's3', 's4', 's5', 's6'], { turn });
  for (let n = 0; n < manySeries; n += 1) metrics.stored.apply([counted(n), lasted(n)]);
  for (const happens of happenings.slice(5)) for (let n = 0; n < 7; n += 1) happens(metrics, n);
  return metrics;
}

/** What a page says of us: what it says of the process is another thing at every look. */
const ours = (page: string): readonly string[] => page.split('\n').filter(line => /^(# \w+ )?vb365_/.test(line));

/** The count of restore events of one organization, as a page shows it. */
function valueOf(page: string, n: number): string | undefined {
  const start = `vb365_restore_events_total{server="s${String(n % 7)}",organization="org ${String(n)}",`;
  return page
    .split('\n')
    .find(text => text.startsWith(start))
    ?.split(' ')
    .at(-1);
}

describe('a page that is written in slices', () => {
  test('Nothing half shown: it is as everything stood when it was begun, whatever changes meanwhile', async () => {
    const still = {
      text: ours(await pageOf(manyMetrics())),
      openmetrics: ours(await pageOf(manyMetrics(), 'openmetrics')),
    };
    const change = fc.record({ kind: fc.nat(happenings.length - 1), n: fc.nat(manySeries) });
    const slices = fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(slices, fc.constantFrom<Format>('text', 'openmetrics'), async (changes, format) => {
        let slice = 0;
        const metrics = manyMetrics(() => {
          for (const { kind, n } of changes[slice] ?? []) happenings[kind]?.(metrics, n);
          slice += 1;
        });
        expect(ours(await pageOf(metrics, format))).toEqual(still[format]);
        expect(slice).toBeGreaterThan(8);
      }),
      { numRuns: 20 },
    );
  });

  test('and the next shows what has changed', async () => {
    let slice = 0;
    const metrics = manyMetrics(() => {
      if ((slice += 1) === 1) metrics.stored.apply([counted(1), counted(manySeries)]);
    });
    const [first, second] = [await pageOf(metrics), await pageOf(metrics)];
    expect([1, manySeries].map(n => valueOf(first, n))).toEqual(['1', undefined]);
    expect([1, manySeries].map(n => valueOf(second, n))).toEqual(['2', '1']);
  });

  test('is one for all who ask for its format meanwhile, and has one number', async () => {
    const metrics = manyMetrics();
    const [one, other, openMetrics] = await Promise.all(
      (['text', 'text', 'openmetrics'] as const).map(async format => metrics.exposition(format)),
    );
    expect(other).toBe(one);
    expect([one?.page, openMetrics?.page]).toEqual([1, 2]);
    expect(await metrics.exposition('text')).toMatchObject({ page: 3 });
  });
});

/** A block that fills a slice, and what of it was written. */
function rig() {
  const written: string[] = [];
  const block = (name: string): Block => ({
    write: format => {
      written.push(`${name} ${format}`);
      return `${name}\n`.repeat(70_000);
    },
  });
  return { written, a: block('a'), b: block('b') };
}

describe('pages', () => {
  const formats: readonly Format[] = ['text', 'openmetrics'];
  test('let everybody else go on after each slice', async () => {
    const { written, a, b } = rig();
    const turns: number[] = [];
    const pages = createPageWriter(async () => void turns.push(written.length));
    await pages.write([a, b], 'text');
    expect(turns).toEqual([1, 2]);
  });

  test('write a block before it changes, once for each page that waits for it, and not for one that is past it', async () => {
    const { written, a, b } = rig();
    const first = Promise.withResolvers<void>();
    const pages = createPageWriter(async () => first.promise);
    const both = formats.map(async format => pages.write([a, b], format));
    expect(written).toEqual(['a text', 'a openmetrics']);
    for (const block of [a, b, b]) pages.changing(block);
    expect(written.slice(2)).toEqual(['b text', 'b openmetrics']);
    first.resolve();
    const bodies = await Promise.all(both);
    expect(bodies.map(body => body.toString())).toEqual(
      formats.map(() => `${'a\n'.repeat(70_000)}${'b\n'.repeat(70_000)}`),
    );
    pages.changing(b);
    expect(written).toHaveLength(4);
  });

  test('forget one that failed', async () => {
    const { written, b } = rig();
    const pages = createPageWriter(async () => undefined);
    const broken: Block = {
      write: () => {
        throw new TypeError('broken');
      },
    };
    await expect(pages.write([broken, b], 'text')).rejects.toThrow('broken');
    pages.changing(b);
    expect(written).toEqual([]);
  });

  test('hold what is not ASCII as UTF-8', async () => {
    const body = await createPageWriter(async () => undefined).write([{ write: () => 'Ünïcode ✓\n' }], 'text');
    expect(body.toString()).toBe('Ünïcode ✓\n');
  });
});
