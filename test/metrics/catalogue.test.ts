import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { families } from '../../src/metrics/catalogue.js';
import { closedLabels, counter, type Family } from '../../src/metrics/family.js';
import { metricsMarkdown } from '../../docs/src/metrics-markdown.js';

const named = families.map(row => [row.name, row] as const);

describe('every family', () => {
  test('is listed once, by name', () => {
    const names = families.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toHaveLength(52);
  });

  test.each(named)('%s follows the naming conventions of Prometheus', (name, { type, unit }) => {
    expect(name).toMatch(/^vb365_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name.endsWith('_seconds')).toBe(unit.startsWith('seconds'));
    expect(name.endsWith('_timestamp_seconds')).toBe(unit === 'seconds since 1970');
    expect(name.endsWith('_info')).toBe(unit === 'constant');
  });

  test.each(named)('%s has closed or owned labels, the server first', (_, { labels, known }) => {
    const allowed = [
      'server',
      'organization',
      'workload',
      'event_type',
      'status',
      'result',
      'sink',
      'outcome',
      'reason',
      'relation',
    ];
    const own = ['change', 'field', 'label', 'kind', 'operation', 'code', 'version', 'api_version', 'installation_id'];
    expect([...allowed, ...own]).toEqual(expect.arrayContaining([...labels]));
    expect(labels.indexOf('server')).toBeLessThanOrEqual(0);
    expect(labels).toEqual(expect.arrayContaining(Object.keys(known ?? {})));
  });

  test.each(named)('%s has an example that uses it', (name, { example }) => {
    expect(example).toContain(name);
  });

  test.each(families.filter(row => row.type === 'histogram').map(row => [row.name, row.buckets] as const))(
    '%s has ascending buckets that reach beyond 10 s, and at most 14',
    (_, buckets) => {
      expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
      expect(buckets.at(-1)).toBeGreaterThan(10);
      expect(buckets.length).toBeLessThanOrEqual(14);
    },
  );
});

describe('closed labels', () => {
  const row = counter({
    name: 'vb365_x_total',
    help: '',
    unit: 'x',
    labels: ['server', 'a', 'b'],
    known: { a: ['1', '2'], b: ['x', 'y'] },
    stored: true,
    example: '',
  });

  test('are every combination of the known values', () => {
    expect(closedLabels(row, { server: ['s'] }).map(values => values.join(''))).toEqual(['s1x', 's1y', 's2x', 's2y']);
  });

  test('are cut down to what is given', () => {
    expect(closedLabels(row, { server: ['s'], a: ['2'] })).toEqual([
      ['s', '2', 'x'],
      ['s', '2', 'y'],
    ]);
  });

  test('leave out values that never occur together', () => {
    const limited: Family = { ...row, never: { a: ['1'], b: ['y'] } };
    expect(closedLabels(limited, { server: ['s'] }).map(values => values.join(''))).toEqual(['s1x', 's2x', 's2y']);
  });

  test('are none when a label is open', () => {
    const open: Family = { ...row, known: { a: ['1'] } };
    expect(closedLabels(open, { server: ['s'] })).toEqual([]);
  });
});

test('docs/METRICS.md says what the catalogue says', () => {
  expect(readFileSync('docs/METRICS.md', 'utf8')).toBe(metricsMarkdown());
});
