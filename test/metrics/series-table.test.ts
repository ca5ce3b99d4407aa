import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { milliseconds } from '../../src/model/time.js';
import type { Series, SeriesDelta } from '../../src/pipeline/ports.js';
import { SeriesTable } from '../../src/metrics/series-table.js';
import { counter, type Family, gauge, histogram } from '../../src/metrics/family.js';
import { linesOf, pageWith } from '../support/exposition.js';

const common = { unit: 'x', example: '', stored: true } as const;
const events = counter({
  ...common,
  name: 'vb365_e_total',
  help: 'E.',
  labels: ['server', 'organization'],
});
const length = histogram({
  ...common,
  name: 'vb365_l_seconds',
  help: 'L.',
  labels: ['server'],
  buckets: [0.5, 2],
});
const last = gauge({ ...common, name: 'vb365_t_timestamp_seconds', help: 'T.', labels: ['server'] });

const table = (families: readonly Family[] = [events, length, last]): SeriesTable => new SeriesTable(families);
const page = (series: SeriesTable): string => pageWith(series.families);
const count = (labels: readonly string[], by: number): SeriesDelta => ({
  family: 'vb365_e_total',
  labels,
  kind: 'counter',
  by,
});
const text = (series: SeriesTable, name: string): readonly string[] => linesOf(page(series), name);

describe('a stored series', () => {
  test('is served as the text format wants it', () => {
    const series = table();
    series.apply([
      count(['hq', 'a'], 2),
      count(['hq', 'a'], 1),
      { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [1, 0, 2], sumTicks: 90_446_928n },
      { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [0, 1, 0], sumTicks: 10_000_000n },
      { family: 'vb365_t_timestamp_seconds', labels: ['hq'], kind: 'latest', at: milliseconds(1_500) },
      { family: 'vb365_t_timestamp_seconds', labels: ['hq'], kind: 'latest', at: milliseconds(500) },
    ]);
    expect(page(series)).toBe(`# HELP vb365_e_total E.
# TYPE vb365_e_total counter
vb365_e_total{server="hq",organization="a"} 3
# HELP vb365_l_seconds L.
# TYPE vb365_l_seconds histogram
vb365_l_seconds_bucket{le="0.5",server="hq"} 1
vb365_l_seconds_bucket{le="2",server="hq"} 2
vb365_l_seconds_bucket{le="+Inf",server="hq"} 4
vb365_l_seconds_sum{server="hq"} 10.0446928
vb365_l_seconds_count{server="hq"} 4
# HELP vb365_t_timestamp_seconds T.
# TYPE vb365_t_timestamp_seconds gauge
vb365_t_timestamp_seconds{server="hq"} 1.5
`);
  });

  test('keeps the newest time, whatever the order', () => {
    const series = table();
    const latest = (ms: number): SeriesDelta => ({
      family: last.name,
      labels: ['hq'],
      kind: 'latest',
      at: milliseconds(ms),
    });
    for (const ms of [2_000, 3_000, 1_000]) series.apply([latest(ms)]);
    expect(text(series, last.name)).toEqual(['vb365_t_timestamp_seconds{server="hq"} 3']);
  });

  test('goes on where it was', () => {
    const series = table();
    const was: readonly Series[] = [
      { family: 'vb365_e_total', labels: ['hq', 'a'], kind: 'counter', value: 41n },
      { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [1n, 2n, 3n], sumTicks: 5n },
      { family: 'vb365_t_timestamp_seconds', labels: ['hq'], kind: 'latest', at: milliseconds(7_000) },
    ];
    expect(series.restore(was)).toEqual([]);
    series.apply([
      count(['hq', 'a'], 1),
      { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [1, 0, 0], sumTicks: 5n },
    ]);
    expect(text(series, 'vb365_e_total')).toEqual(['vb365_e_total{server="hq",organization="a"} 42']);
    expect(text(series, 'vb365_l_seconds').slice(2)).toEqual([
      'vb365_l_seconds_bucket{le="+Inf",server="hq"} 7',
      'vb365_l_seconds_sum{server="hq"} 0.000001',
      'vb365_l_seconds_count{server="hq"} 7',
    ]);
  });

  test('counts exactly where a floating point number would not', () => {
    const series = table();
    series.restore([{ family: 'vb365_e_total', labels: ['hq', 'a'], kind: 'counter', value: 2n ** 53n }]);
    for (let i = 0; i < 4; i += 1) series.apply([count(['hq', 'a'], 1)]);
    expect(text(series, 'vb365_e_total')).toEqual(['vb365_e_total{server="hq",organization="a"} 9007199254740996']);
  });

  test('of another shape is ignored and reported, and cannot grow', () => {
    const series = table();
    const gone = { labels: ['hq'], kind: 'counter', value: 1n } as const;
    expect(
      series.restore([
        { family: 'vb365_gone_total', ...gone },
        { family: 'vb365_gone_total', ...gone },
        { family: 'vb365_e_total', ...gone },
        { family: 'vb365_g', ...gone },
        { family: 'vb365_t_timestamp_seconds', ...gone },
        { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [1n, 2n], sumTicks: 5n },
      ]),
    ).toEqual([
      { family: 'vb365_gone_total', series: 2 },
      { family: 'vb365_e_total', series: 1 },
      { family: 'vb365_g', series: 1 },
      { family: 'vb365_t_timestamp_seconds', series: 1 },
      { family: 'vb365_l_seconds', series: 1 },
    ]);
    series.apply([
      { family: 'vb365_gone_total', labels: ['hq'], kind: 'counter', by: 1 },
      { family: 'vb365_l_seconds', labels: ['hq'], kind: 'histogram', counts: [1, 2], sumTicks: 5n },
      { family: 'vb365_e_total', labels: ['hq', 'a'], kind: 'latest', at: 1n },
    ]);
    expect(page(series)).not.toMatch(/^vb365/m);
  });
});

describe('label values', () => {
  test.each([
    ['a "quoted" name', String.raw`a \"quoted\" name`],
    ['back\\slash', String.raw`back\\slash`],
    ['new\nline', String.raw`new\nline`],
    ['|,:{}=', '|,:{}='],
    ['', ''],
    ['Ünïcode ✓', 'Ünïcode ✓'],
  ])('%j is written as %j', (organization, written) => {
    const series = table();
    series.apply([count(['hq', organization], 1)]);
    expect(text(series, 'vb365_e_total')).toEqual([`vb365_e_total{server="hq",organization="${written}"} 1`]);
  });

  test.each([
    [
      ['a,b', 'c'],
      ['a', 'b,c'],
    ],
    [
      ['a,organization:b', 'c'],
      ['a', 'b,organization:c'],
    ],
    [
      ['a","b', 'c'],
      ['a', 'b","c'],
    ],
  ])('%j and %j are two series', (one, other) => {
    const series = table();
    series.apply([count(one, 1), count(other, 1)]);
    expect(text(series, 'vb365_e_total')).toHaveLength(2);
  });

  test('never make two series one, nor one two', () => {
    const hostile = fc.string({ unit: fc.constantFrom('a', ',', ':', '"', '\\', '\n'), maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(hostile, hostile), { minLength: 10, maxLength: 40 }), pairs => {
        const series = table([events]);
        for (const [server, organization] of pairs) series.apply([count([server, organization], 1)]);
        const lines = text(series, 'vb365_e_total');
        expect(new Set(lines).size).toBe(new Set(pairs.map(pair => JSON.stringify(pair))).size);
        expect(lines.reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1]), 0)).toBe(pairs.length);
      }),
    );
  });
});
