import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Scraper } from '../../src/metrics/scrapers.js';
import { memoryStore } from '../support/memory-store.js';
import { batchDeltas, initialServerDeltas } from '../../src/metrics/deltas.js';
import { pageOf } from '../support/exposition.js';
import { batch, taken } from '../support/restore.js';
import { startExporter } from '../support/scraped.js';
import { drivenClock } from '../support/simulator.js';
import { toolPath } from './support/tools.js';
import { metricsOf } from '../support/metrics.js';

/** What promtool says, with its exit code; both are nothing when all is well. */
function promtool(args: readonly string[], input = ''): Readonly<{ code: number | null; said: string }> {
  const { status, stdout, stderr } = spawnSync(toolPath('promtool'), args, { input });
  return { code: status, said: `${stdout.toString()}${stderr.toString()}` };
}

test('promtool has nothing to say about a page, whatever organizations are called', async () => {
  const metrics = metricsOf(['hq']);
  metrics.stored.apply(initialServerDeltas('hq'));
  const events = ['plain', 'a "b"\\\n|,:', '', '✓'].map(organization => taken({}, { organization }));
  metrics.stored.apply(batchDeltas('hq', batch({ events })));
  const text = await pageOf(metrics);
  expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, said: '' });
});

test('the alert example about data of somebody else fires for nothing else', () => {
  const { code, said } = promtool(['test', 'rules', 'examples/prometheus/tests/somebody-elses-data.yml']);
  expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
});

const a: Scraper = { key: '10.0.0.1 Prometheus', scrapes: true };
const b: Scraper = { key: '10.0.0.2 Prometheus', scrapes: true };
const never = '_';

/** Runs what happens at which second, and writes down what each scraper sees at its interval, as promtool reads it. */
async function recorded(
  intervals: Readonly<Record<'a' | 'b', number>>,
  happens: Readonly<Record<number, 'count' | 'crash' | 'restart'>>,
) {
  const clock = drivenClock();
  const store = memoryStore();
  let exporter = await startExporter({ clock, store });
  const seen: Record<'a' | 'b', string[]> = { a: [], b: [] };
  for (let second = 0; second < 900; second += 1) {
    const now = happens[second];
    if (now === 'count' || now === 'crash') await exporter.count('failed', 1, now === 'crash' ? 'crash' : undefined);
    if (now === 'crash' || now === 'restart') exporter = await startExporter({ clock, store });
    // The second one scrapes half an interval later than the first.
    if (second % intervals.a === 0) seen.a.push(String((await exporter.scrape(a)).failed ?? never));
    if ((second + intervals.b / 2) % intervals.b === 0) seen.b.push(String((await exporter.scrape(b)).failed ?? never));
    clock.advance(1000);
  }
  return seen;
}

/** A promtool test: the samples of a scraper, and what `increase()` over all of it must be, rounded. */
const rule = (interval: number, samples: readonly string[], increase: number): string => `
  - interval: ${String(interval)}s
    input_series:
      - { series: 'x', values: '${samples.join(' ')}' }
    promql_expr_test:
      - expr: increase(x[15m]) >= bool 0.99 * ${String(increase)} and increase(x[15m]) <= bool 1.5 * ${String(increase)}
        eval_time: 899s
        exp_samples: [{ labels: '{}', value: 1 }]
      - expr: sum(max_over_time(x[15m]) - min_over_time(x[15m]))
        eval_time: 899s
        exp_samples: [{ labels: '{}', value: ${String(increase)} }]
`;

describe('The first failure alerts: increase() in promtool sees each event once', () => {
  test.each([
    ['the first event ever', { a: 15, b: 30 }, { 400: 'count' }, 1],
    ['a crash between commit and scrape', { a: 15, b: 30 }, { 400: 'crash' }, 1],
    [
      'events caught up right after a restart',
      { a: 15, b: 30 },
      { 300: 'count', 500: 'restart', 501: 'count', 502: 'count' },
      3,
    ],
    ['two servers with different phases', { a: 60, b: 60 }, { 401: 'count', 431: 'count', 461: 'crash' }, 3],
    ['a scrape interval of two minutes', { a: 120, b: 120 }, { 301: 'count' }, 1],
    ['two minutes and 15 seconds', { a: 15, b: 120 }, { 301: 'count', 302: 'count' }, 2],
  ] as const)('%s', async (_, intervals, happens, events) => {
    const seen = await recorded(intervals, happens);
    const folder = mkdtempSync(join(tmpdir(), 'vb365-promtool-'));
    try {
      const file = join(folder, 'test.yml');
      const tests = rule(intervals.a, seen.a, events) + rule(intervals.b, seen.b, events);
      writeFileSync(file, `rule_files: []\nevaluation_interval: 15s\ntests:${tests}`);
      const { code, said } = promtool(['test', 'rules', file]);
      expect(`${said}\n${JSON.stringify(seen)}`).toContain('SUCCESS');
      expect(code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
