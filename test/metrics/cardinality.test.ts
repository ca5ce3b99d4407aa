import { describe, expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/kernel/clock.js';
import type { SeriesDelta } from '../../src/pipeline/ports.js';
import { metricsObserver } from '../../src/server/metrics-observer.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { batchDeltas, initialServerDeltas, initialSessionDeltas } from '../../src/metrics/deltas.js';
import { organizationLabels } from '../../src/metrics/organizations.js';
import { linesOf, pageOf as page, pageWith } from '../support/exposition.js';
import { batch, session, taken } from '../support/restore.js';
import { metricsOf } from '../support/metrics.js';
import { pollReport } from '../support/server-run.js';

setFlagsFromString('--expose-gc');

/** What is in use after all that can be freed has been. */
function heapBytes(): number {
  runInNewContext('gc()');
  return process.memoryUsage().heapUsed;
}

const create = (organizationLabel = true): Metrics => metricsOf(['hq'], { organizationLabel });
/** Lines of ours: those about the process come with what it does, such as its first collection of a kind of garbage. */
const ownLines = (text: string): number => text.split('\n').filter(line => line.startsWith('vb365_')).length;
const ofName = (n: number) => session({ organization: `tenant-${String(n)}.onmicrosoft.com` });
const connection = {
  tokenExpiresAtMs: () => undefined,
  certificateExpiresAtMs: () => undefined,
  clockSkewSeconds: () => 0,
  apiVersion: () => undefined,
};

/** Meets organizations `from` to `to` as the line does: their series are created, one event each is counted. */
function meet(metrics: Metrics, labelOf: (name: string) => string, [from, to]: readonly [number, number]): void {
  for (let n = from; n < to; n += 100) {
    const sessions = Array.from({ length: Math.min(100, to - n) }, (_, i) => ofName(n + i));
    for (const one of sessions) metrics.stored.apply(initialSessionDeltas('hq', one, labelOf));
    metrics.stored.apply(batchDeltas('hq', batch({ events: sessions.map(one => taken({}, one)) }), labelOf));
  }
}

const feed = (metrics: Metrics): void => {
  metrics.stored.apply(initialServerDeltas('hq', ['metrics']));
  for (const n of [1, 2]) metrics.stored.apply(initialSessionDeltas('hq', ofName(n)));
  const events = [taken({}, ofName(1)), taken({}, ofName(2)), taken({ order: 2 }, ofName(2))];
  metrics.stored.apply(batchDeltas('hq', batch({ events })));
  metricsObserver('hq', metrics, { clock: systemClock, connection }).discovered(pollReport(), [ofName(1), ofName(2)]);
};

const labels = (n: number) => ['hq', `tenant-${String(n)}`, 'exchange', 'Restore', 'Failed'];
const held = (n: number, by: number): SeriesDelta => ({
  family: 'vb365_restore_events_total',
  labels: labels(n),
  kind: 'counter',
  by,
  held: by,
});

describe('10,000 organizations', () => {
  test('make no more series, and take no more memory, than there is room for', async () => {
    const metrics = create();
    const labelOf = organizationLabels([], 1000);
    meet(metrics, labelOf, [0, 1000]);
    const atLimit = ownLines(await page(metrics));
    const heapAtLimit = heapBytes();
    meet(metrics, labelOf, [1000, 10_000]);
    const beyond = await page(metrics);
    // One label value more, `overflow`: its 5 types, 1 relation, 1 failure and 1 result created at 0, one event of another relation, one time; and the overflow counter.
    expect(ownLines(beyond) - atLimit).toBe(5 + 1 + 1 + 1 + 2 + 1 + 1);
    expect(linesOf(beyond, 'vb365_restore_events_total').filter(line => line.endsWith(' 9000'))).toHaveLength(1);
    expect(linesOf(beyond, 'vb365_series_overflow_total')).toEqual([
      'vb365_series_overflow_total{server="hq",label="organization"} 9000',
    ]);
    // 9,000 more organizations with their own series take some 40 MB.
    expect(heapBytes() - heapAtLimit).toBeLessThan(5 * 2 ** 20);
  });

  test('obey the limit in the gauge of open sessions as well', async () => {
    const metrics = create();
    const labelOf = organizationLabels([], 10);
    const observer = metricsObserver('hq', metrics, { clock: systemClock, connection, labelOf });
    observer.discovered(
      pollReport(),
      Array.from({ length: 10_000 }, (_, n) => ofName(n)),
    );
    const lines = linesOf(await page(metrics), 'vb365_restore_sessions_open');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe(
      'vb365_restore_sessions_open{server="hq",organization="overflow",workload="sharepoint"} 9990',
    );
    observer.discovered(pollReport(), []);
    expect(linesOf(await page(metrics), 'vb365_restore_sessions_open')).toHaveLength(11);
  });
});

describe('without the label organization', () => {
  test('organizations are served as their sum, and the newest time', async () => {
    const metrics = create(false);
    feed(metrics);
    const text = await page(metrics);
    expect(text).not.toContain('organization=');
    expect(linesOf(text, 'vb365_restore_events_total').at(-1)).toBe(
      'vb365_restore_events_total{server="hq",workload="sharepoint",event_type="Save",status="Success"} 3',
    );
    expect(linesOf(text, 'vb365_restore_sessions_open')).toEqual([
      'vb365_restore_sessions_open{server="hq",workload="sharepoint"} 2',
    ]);
    expect(linesOf(text, 'vb365_restore_last_event_timestamp_seconds')).toHaveLength(1);
  });

  test('no two lines are of one series', async () => {
    const metrics = create(false);
    feed(metrics);
    const names = (await page(metrics))
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
  });

  test('what is held back is held of the sum, and released by stored series', () => {
    const { stored } = create(false);
    stored.apply([held(1, 2), held(2, 3)]);
    const lines = () => linesOf(pageWith(stored.families), 'vb365_restore_events_total');
    expect(lines()).toEqual([expect.stringMatching(/ 0$/)]);
    const released = stored.releases(stored.turnPage());
    expect(released).toEqual([
      { ...held(1, 0), held: -2 },
      { ...held(2, 0), held: -3 },
    ]);
    stored.apply(released);
    expect(lines()).toEqual([expect.stringMatching(/ 5$/)]);
    expect(stored.releases(Infinity)).toEqual([]);
  });
});

describe('two label sets never fall into one series', () => {
  test('of families of this process: whatever a server may be called', async () => {
    const names = ['a', 'b', 'a.b', 'a-b', 'a_b', 'A', 'result', 'complete', 'server', 'a.result', '1'];
    const metrics = metricsOf(names);
    const text = await page(metrics);
    const families = [...text.matchAll(/^# TYPE (vb365_\w+) (counter|histogram)$/gm)].map(([, name = '']) => name);
    for (const family of families) {
      const lines = linesOf(text, family).map(line => line.slice(0, line.lastIndexOf(' ')));
      expect(new Set(lines).size).toBe(lines.length);
      if (lines.some(line => line.includes('server=')))
        expect(new Set(lines.map(line => /server="([^"]*)"/.exec(line)?.[1])).size).toBe(names.length);
    }
  });

  test('of a family of this process, even with a name that no configuration lets through', async () => {
    const hostile = ['x', 'x,result:failed', 'x,', ',result:complete,server:x', 'x,result:complete,server:y'];
    const text = await page(metricsOf(hostile));
    expect(new Set(linesOf(text, 'vb365_polls_total')).size).toBe(3 * hostile.length);
  });
});
