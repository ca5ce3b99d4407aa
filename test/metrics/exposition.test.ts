import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../src/model/time.js';
import type { Exemplar, SeriesDelta } from '../../src/pipeline/ports.js';
import { exemplarText, type Format, sampleLine } from '../../src/metrics/exposition.js';
import { SeriesTable } from '../../src/metrics/series-table.js';
import { counter, gauge, histogram } from '../../src/metrics/family.js';
import { batchDeltas } from '../../src/metrics/deltas.js';
import { linesOf, pageOf, pageWith } from '../support/exposition.js';
import { batch, taken } from '../support/restore.js';
import { metricsOf } from '../support/metrics.js';

const common = { unit: 'x', example: '', stored: true } as const;
const events = counter({ ...common, name: 'vb365_e_total', help: 'Say "\\".', labels: ['server'] });
const bytes = counter({ ...common, name: 'vb365_b_bytes_total', help: 'B.', labels: ['server'] });
const length = histogram({
  ...common,
  name: 'vb365_l_seconds',
  help: 'L.',
  labels: ['server'],
  buckets: [0.5, 2],
});
const last = gauge({ ...common, name: 'vb365_t_timestamp_seconds', help: 'T.', labels: ['server'] });

const exemplar: Exemplar = {
  traceId: '61954db672784d2686f7888bda5a4ec4',
  spanId: 'ec1e1be0b5655434',
  value: 1,
  at: seconds(1.5),
};
const count = (over: object = {}): SeriesDelta => ({
  family: events.name,
  labels: ['hq'],
  kind: 'counter',
  by: 1,
  ...over,
});

const table = () => {
  const made = new SeriesTable([events, bytes, length, last]);
  const of = { labels: ['hq'] };
  made.apply([
    count({ exemplar }),
    { ...of, family: bytes.name, kind: 'counter', by: 7 },
    {
      ...of,
      family: length.name,
      kind: 'histogram',
      counts: [1, 0, 2],
      sumTicks: 90_000_000n,
      exemplars: [{ ...exemplar, value: 0.25 }, undefined, { ...exemplar, spanId: undefined, value: 4 }],
    },
    { ...of, family: last.name, kind: 'latest', at: seconds(3) },
  ]);
  return made;
};
const page = (format: Format, made = table()): string => pageWith(made.families, format);

describe('a page', () => {
  test('as OpenMetrics 1.0', () => {
    expect(page('openmetrics')).toBe(`# TYPE vb365_e counter
# HELP vb365_e Say \\"\\\\\\".
vb365_e_total{server="hq"} 1 # {trace_id="61954db672784d2686f7888bda5a4ec4",span_id="ec1e1be0b5655434"} 1 1.5
# TYPE vb365_b_bytes counter
# UNIT vb365_b_bytes bytes
# HELP vb365_b_bytes B.
vb365_b_bytes_total{server="hq"} 7
# TYPE vb365_l_seconds histogram
# UNIT vb365_l_seconds seconds
# HELP vb365_l_seconds L.
vb365_l_seconds_bucket{le="0.5",server="hq"} 1 # {trace_id="61954db672784d2686f7888bda5a4ec4",span_id="ec1e1be0b5655434"} 0.25 1.5
vb365_l_seconds_bucket{le="2.0",server="hq"} 1
vb365_l_seconds_bucket{le="+Inf",server="hq"} 3 # {trace_id="61954db672784d2686f7888bda5a4ec4"} 4 1.5
vb365_l_seconds_sum{server="hq"} 9
vb365_l_seconds_count{server="hq"} 3
# TYPE vb365_t_timestamp_seconds gauge
# UNIT vb365_t_timestamp_seconds seconds
# HELP vb365_t_timestamp_seconds T.
vb365_t_timestamp_seconds{server="hq"} 3
# EOF
`);
  });

  test('as text 0.0.4 has no exemplars, units or end mark', () => {
    expect(page('text')).toBe(`# HELP vb365_e_total Say "\\\\".
# TYPE vb365_e_total counter
vb365_e_total{server="hq"} 1
# HELP vb365_b_bytes_total B.
# TYPE vb365_b_bytes_total counter
vb365_b_bytes_total{server="hq"} 7
# HELP vb365_l_seconds L.
# TYPE vb365_l_seconds histogram
vb365_l_seconds_bucket{le="0.5",server="hq"} 1
vb365_l_seconds_bucket{le="2",server="hq"} 1
vb365_l_seconds_bucket{le="+Inf",server="hq"} 3
vb365_l_seconds_sum{server="hq"} 9
vb365_l_seconds_count{server="hq"} 3
# HELP vb365_t_timestamp_seconds T.
# TYPE vb365_t_timestamp_seconds gauge
vb365_t_timestamp_seconds{server="hq"} 3
`);
  });

  test('of the whole program, in either format, however often and in whatever order', async () => {
    const metrics = metricsOf(['hq']);
    const written = [];
    for (const format of ['openmetrics', 'text', 'openmetrics', 'text'] as const)
      written.push(await pageOf(metrics, format));
    expect(written.map(text => text.includes('# TYPE vb365_polls_total counter'))).toEqual([false, true, false, true]);
    expect(written.map(text => text.endsWith('\n# EOF\n'))).toEqual([true, false, true, false]);
    for (const text of written) {
      expect(text).toContain('vb365_polls_total{server="hq",result="complete"} 0');
      expect(text).toMatch(/^process_cpu_seconds_total \d/m);
      expect(text).not.toContain('_created');
      expect(text).not.toMatch(/ Nan$/m);
    }
    expect(written[0]).toContain('vb365_poll_duration_seconds_bucket{le="1.0",server="hq"} 0');
    expect(written[1]).toContain('vb365_poll_duration_seconds_bucket{le="1",server="hq"} 0');
  });

  test('is numbered, from 1', async () => {
    const metrics = metricsOf(['hq']);
    expect([(await metrics.exposition('text')).page, (await metrics.exposition('openmetrics')).page]).toEqual([1, 2]);
  });
});

describe('numbers', () => {
  test.each([
    [0, '0'],
    [-0.5, '-0.5'],
    [1e21, '1e+21'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [NaN, 'NaN'],
  ])('%p is written %s', (value, text) => {
    expect(sampleLine('x', '', value)).toBe(`x ${text}\n`);
  });
});

const exemplarsOf = (event: Parameters<typeof taken>[0], session: Parameters<typeof taken>[1] = {}) =>
  batchDeltas('hq', batch({ events: [taken(event, session)] })).map(delta =>
    delta.kind === 'counter' ? delta.exemplar : undefined,
  )[0];

describe('an exemplar', () => {
  test('is the newest of its series, whatever the order', () => {
    const made = table();
    made.apply([
      count({ exemplar: { ...exemplar, at: seconds(9) } }),
      count({ exemplar: { ...exemplar, at: seconds(2) } }),
    ]);
    made.apply([count()]);
    expect(page('openmetrics', made)).toMatch(/^vb365_e_total\{server="hq"\} 4 # \{.*\} 1 9$/m);
  });

  test('of a bucket stays when later observations fall only into lower ones', () => {
    const made = table();
    const of = { family: length.name, labels: ['hq'], kind: 'histogram', sumTicks: 0n } as const;
    made.apply([{ ...of, counts: [1, 0, 0], exemplars: [{ ...exemplar, at: seconds(9) }] }]);
    const exemplars = linesOf(page('openmetrics', made), length.name).map(line => line.split(' # ')[1] ?? '');
    expect(exemplars[0]).toMatch(/ 1 9$/);
    expect(exemplars[2]).toMatch(/ 4 1.5$/);
  });

  test('does not stand at a series that is held back', () => {
    const made = table();
    made.apply([count({ exemplar, held: 1 })]);
    expect(page('openmetrics', made)).toMatch(/^vb365_e_total\{server="hq"\} 1$/m);
  });

  test('that is too long is left out, and the page stays whole', () => {
    expect(exemplarText({ ...exemplar, traceId: 'a'.repeat(97) }, 'openmetrics')).toContain('trace_id');
    expect(exemplarText({ ...exemplar, traceId: 'a'.repeat(98) }, 'openmetrics')).toBe('');
  });

  test('of a restore event leads to its trace: session and event, at the time of the event', async () => {
    const metrics = metricsOf(['hq']);
    metrics.stored.apply(batchDeltas('hq', batch({ events: [taken()] })));
    const text = await pageOf(metrics, 'openmetrics');
    const end = ' # {trace_id="61954db672784d2686f7888bda5a4ec4",span_id="ec1e1be0b5655434"}';
    expect(linesOf(text, 'vb365_restore_events_total')[0]).toMatch(new RegExp(`${end} 1 1496141848.0869608$`));
    expect(linesOf(text, 'vb365_restore_item_duration_seconds').filter(line => line.includes('#'))).toEqual([
      `vb365_restore_item_duration_seconds_bucket{le="0.1",server="hq",workload="sharepoint",event_type="Save"} 1${end} 0.0446928 1496141848.0869608`,
    ]);
  });

  test('is not made of what has no trace or no time, nor of a time to come', () => {
    expect(exemplarsOf({}, { id: 'no guid' })).toBeUndefined();
    expect(exemplarsOf({ startedAt: -5n, endedAt: -1n })).toBeUndefined();
    expect(exemplarsOf({ endedAt: seconds(8e9) })).toMatchObject({ at: batch().at });
    expect(exemplarsOf({ id: 'no guid' })).toMatchObject({ spanId: undefined });
  });
});
