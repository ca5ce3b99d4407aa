import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendLabel } from '../../src/cli/option-values.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import * as restoreFamilies from '../../src/metrics/restore-families.js';
import type { Nanos } from '../../src/model/time.js';
import { onPastStage } from '../support/past.js';
import { program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { nowNanos, polled } from '../support/stage.js';
import { until } from '../support/until.js';

const families = [
  'vb365_restore_events_total',
  'vb365_restore_owner_events_total',
  'vb365_restore_item_duration_seconds',
  'vb365_restore_item_bytes_total',
  'vb365_restore_sessions_total',
  'vb365_restore_session_duration_seconds',
];

const ofFamilies = (lines: readonly string[]): readonly string[] =>
  lines.filter(line => families.some(family => line.startsWith(family))).toSorted();

/** The samples of a file by series, oldest first, as value and time. */
function samplesOf(lines: readonly string[]): ReadonlyMap<string, readonly (readonly [value: number, at: number])[]> {
  const found = new Map<string, (readonly [number, number])[]>();
  for (const line of lines.filter(one => one.startsWith('vb365_'))) {
    const [, series = '', value, at] = /^(\S+\{.*\}) (\S+) (\S+)$/.exec(line) ?? [];
    const samples = found.get(series) ?? [];
    samples.push([Number(value), Number(at)]);
    found.set(series, samples);
  }
  return found;
}

/** Prometheus asks for OpenMetrics, in which bounds have a decimal point; the test gets the text format. */
const asScraped = (text: string): string => text.replaceAll(/le="(\d+)"/g, 'le="$1.0"');

const none = { sessions: 1, eventsEach: 1, days: 1 } as const;

describe('backfill', () => {
  test.each([true, false])(
    'ends with the families, labels and values of live counting (organization: %s)',
    async organizationLabel => {
      // Without the state file that live counting has, `--to now` is now.
      const settings = { metrics: { organization_label: organizationLabel }, state: { path: 'none.db' } };
      await onPastStage({ history: none }, settings, async ({ run, folder, simulator: { world, url } }) => {
        for (const { id } of world.sessions()) world.purgeSession(id);
        const config = configOf(folder, serverConfig(url, { apiVersion: 'v8' }));
        const app = await program({ ...config, metrics: { ...config.metrics, organizationLabel } });
        try {
          await until(async () => polled(app));
          for (const [index, status] of ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'].entries()) {
            const at = nowNanos();
            const organization = `org${String(index % 2)}.example.com`;
            const { id } = world.addSession({ createdAt: at, type: index % 2 === 0 ? 'Vex' : 'Veod', organization });
            for (const type of ['None', 'View', 'Save', 'Export', 'Send', 'Restore'])
              world.appendEvent(id, {
                startedAt: at,
                endedAt: at + 1_234_500n,
                type,
                status,
                itemSizeBytes: 1000 + index,
              });
            world.stopSession(id, { endedAt: at + 2_000_000n });
          }
          const live = async (): Promise<readonly string[]> =>
            ofFamilies(asScraped((await app.get('/metrics')).text).split('\n'));
          const past = async (): Promise<readonly string[]> => {
            const { printed } = await run(['backfill', '--to', 'now', '--out', '-']);
            return [...samplesOf(printed)].map(([series, values]) => `${series} ${String(values.at(-2)?.[0])}`);
          };
          await until(async () => JSON.stringify(ofFamilies(await past())) === JSON.stringify(await live()), 20_000);
          expect(ofFamilies(await past()).length).toBeGreaterThan(100);
        } finally {
          await app.stop(5_000);
        }
      });
    },
  );

  test('begins each series at 0, never falls but to 0 at the end, and ends where live counting began', async () => {
    await onPastStage({}, {}, async ({ run, folder, simulator: { world, url } }) => {
      const app = await program(configOf(folder, serverConfig(url)));
      await until(async () => polled(app));
      await app.stop(5_000);
      const out = join(folder, 'past.om');
      const ran = await run(['backfill', '--out', out, '--label', 'job=vb365', '--label', 'note=a "b"']);
      expect(ran).toMatchObject({ code: 0, printed: [], errors: [expect.stringMatching(/^hq: ends at 20/)] });
      const since = (await run(['state', 'show', '--json'])).printed.join('\n');
      const endMs = Date.parse((/"metrics": "(.*?)"/.exec(since) ?? [])[1] ?? '');
      const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
      expect(lines.at(-1)).toBe('# EOF');
      const all = samplesOf(lines);
      let [counted, failed] = [0, 0];
      for (const [series, samples] of all) {
        expect(series).toMatch(/[{,]job="vb365",note="a \\"b\\"",server="hq",/);
        const values = samples.map(([value]) => value);
        expect([values[0], values.at(-1)]).toEqual([0, 0]);
        expect(values.slice(0, -1)).toEqual(values.slice(0, -1).toSorted((a, b) => a - b));
        const times = samples.map(([, at]) => at);
        expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
        expect(times.slice(0, -2).filter(at => at % 300 !== 0)).toEqual([]);
        const hours = new Set(times.filter(at => at % 3600 === 0));
        expect(hours.size).toBe(Math.floor((times.at(-3) ?? 0) / 3600) - (times[0] ?? 0) / 3600 + 1);
        const gaps = samples.map(([value, at], index) =>
          value === values[index - 1] ? 0 : at - (times[index - 1] ?? at),
        );
        expect(Math.max(...gaps)).toBeLessThanOrEqual(300);
        expect(times.slice(-2).map(at => Math.round(at * 1000))).toEqual([endMs, endMs + 1]);
        if (series.startsWith('vb365_restore_events_total')) counted += values.at(-2) ?? 0;
        if (series.startsWith('vb365_restore_sessions_failed_total')) failed += values.at(-2) ?? 0;
      }
      expect(counted).toBe([...world.book()].length);
      expect(failed).toBe(world.sessions().filter(({ result }) => result === 'Failed').length);
    });
  });

  test('ends where live counting began, whatever --to says, and the organizations keep their names', async () => {
    const settings = { metrics: { max_organizations: 1 } };
    await onPastStage({ history: none }, settings, async ({ run, folder, simulator: { world, url } }) => {
      for (const { id } of world.sessions()) world.purgeSession(id);
      const add = (organization: string, at: Nanos): void => {
        const { id } = world.addSession({ createdAt: at, organization });
        world.appendEvent(id, { startedAt: at, type: 'Restore' });
        world.stopSession(id, { endedAt: at + 1_000_000n });
      };
      const config = configOf(folder, serverConfig(url));
      const app = await program({ ...config, metrics: { ...config.metrics, maxOrganizations: 1 } });
      try {
        await until(async () => polled(app));
        add('live.example.com', nowNanos());
        await until(async () => (await app.get('/metrics')).text.includes('live.example.com'));
      } finally {
        await app.stop(5_000);
      }
      add('gone.example.com', nowNanos() - 7_200_000_000_000n);
      add('live.example.com', nowNanos() - 3_600_000_000_000n);
      const { code, printed, errors } = await run(['backfill', '--to', 'now', '--out', '-']);
      expect([code, errors]).toEqual([0, [expect.stringMatching(/^hq: ends at 20.*Z, where live counting began$/)]]);
      const counted = [...samplesOf(printed)].filter(([series]) => series.startsWith('vb365_restore_events_total'));
      const sums = counted.map(([series, samples]) => [
        /organization="(.*?)"/.exec(series)?.[1] ?? '',
        samples.at(-2)?.[0],
      ]);
      expect(Object.fromEntries(sums.filter(([, sum]) => sum !== 0))).toEqual({
        'live.example.com': 1,
        overflow: 1,
      });
    });
  });

  test('of two files, the second one begins where the first one ends', async () => {
    await onPastStage({}, { state: { path: 'none.db' } }, async ({ run, simulator: { world } }) => {
      const end = new Date(systemClock.now() - 60_000).toISOString();
      for (const middle of [
        new Date(Math.floor(Date.parse(end) / 864e5) * 864e5 - 5 * 864e5).toISOString(),
        new Date(Date.parse(end) - 7 * 864e5).toISOString(),
      ]) {
        const files = [
          ['--to', middle],
          ['--from', middle, '--to', end],
        ];
        const [first, second] = await Promise.all(
          files.map(async flags => samplesOf((await run(['backfill', '--out', '-', ...flags])).printed)),
        );
        const begins = [...(second?.values() ?? [])].map(([sample]) => sample?.[1] ?? 0);
        const ends = [...(first?.values() ?? [])].map(samples => samples.at(-1)?.[1] ?? Infinity);
        expect(Math.min(...begins)).toBeGreaterThanOrEqual(Math.max(...ends));
        const counted = [...(first ?? []), ...(second ?? [])]
          .filter(([series]) => series.startsWith('vb365_restore_events_total'))
          .map(([, samples]) => [samples[0]?.[0], samples.at(-2)?.[0] ?? 0] as const);
        expect(counted.filter(([zero]) => zero !== 0)).toEqual([]);
        expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe([...world.book()].length);
      }
    });
  });

  test('ends before Prometheus scraped live counting, also when the clock of the server is ahead', async () => {
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + 90_000 };
    await onPastStage({ clock }, {}, async ({ run, folder, simulator: { world, url } }) => {
      const beganMs = systemClock.now();
      const app = await program(configOf(folder, serverConfig(url)));
      await until(async () => polled(app));
      await app.stop(5_000);
      const { printed } = await run(['backfill', '--out', '-']);
      const all = [...samplesOf(printed)].filter(([series]) => series.startsWith('vb365_restore_events_total'));
      const lasts = all.map(([, samples]) => (samples.at(-1)?.[1] ?? Infinity) * 1000);
      expect(Math.max(...lasts)).toBeLessThanOrEqual(beganMs);
      expect(Math.min(...lasts)).toBeGreaterThan(beganMs - 5_000);
      const counted = all.reduce((sum, [, samples]) => sum + (samples.at(-2)?.[0] ?? 0), 0);
      expect(counted).toBe([...world.book()].length);
    });
  });

  test('writes no more while the reader of standard output is behind', async () => {
    await onPastStage({}, { state: { path: 'none.db' } }, async ({ run }) => {
      let prints = 0;
      let isBehind = false;
      const caughtUp = Promise.withResolvers<void>();
      const ran = run(['backfill', '--to', 'now', '--out', '-'], {
        print: () => void (prints += 1),
        drained: async () => {
          isBehind ||= prints > 0;
          if (isBehind) await caughtUp.promise;
        },
      });
      await until(() => prints > 0);
      expect([isBehind, prints]).toEqual([true, 1]);
      caughtUp.resolve();
      expect(await ran).toMatchObject({ code: 0 });
    });
  });

  test('stops between two samples when it is told to', async () => {
    await onPastStage({}, { state: { path: 'none.db' } }, async ({ run }) => {
      const stop = new AbortController();
      let prints = 0;
      const print = (): void => {
        prints += 1;
        stop.abort();
      };
      const ran = await run(['backfill', '--to', 'now', '--out', '-'], { print, stop: stop.signal });
      expect([ran.code, ran.errors, prints]).toEqual([1, ['Could not finish: interrupted'], 1]);
    });
  });

  test('refuses every label of its families', () => {
    for (const label of [...Object.values(restoreFamilies).flatMap(({ labels }) => labels), 'le'])
      expect(() => appendLabel(`${label}=x`, [])).toThrow('The metrics of the exporter have that label already');
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['a label of the families', ['--out', 'x.om', '--label', 'server=foo'], 2, /have that label already/],
    ['a label twice', ['--out', 'x.om', '--label', 'job=a', '--label', 'job=b'], 2, /A label can be given once/],
    ['no file', [], 2, /required option '--out <file>' not specified/],
    ['no state', ['--out', 'x.om'], 1, /^Could not read state file ".*state.db": there is no such file/],
    ['no label', ['--out', 'x.om', '--label', '1=2'], 2, /Must be a label such as job=vb365/],
    ['no step', ['--out', 'x.om', '--step', '0s'], 2, /Must be at least 1s/],
  ])('%s is one line', async (_what, flags, code, message) => {
    await onPastStage({}, {}, async ({ run }) => {
      const ran = await run(['backfill', ...flags]);
      expect([ran.code, ran.printed]).toEqual([code, []]);
      expect(ran.errors.join('\n')).toMatch(message);
      expect(existsSync('x.om')).toBe(false);
    });
  });
});
