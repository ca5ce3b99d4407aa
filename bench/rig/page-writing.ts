import { nextTurn, systemClock } from '../../src/kernel/clock.js';
import type { Format } from '../../src/metrics/exposition.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { pageOf } from '../../test/support/exposition.js';
import { plainOf, prepared, writePlain, writePrepared } from './hand-made.js';
import { busyMetrics, samplesIn, serversFor } from './many-series.js';
import { spread } from './report.js';
import { median } from './stats.js';

/** One size of what is served, in one format. */
export type Case = Readonly<{ series: number; format: Format }>;

export const whole = (count: number): string => count.toLocaleString('en');

/** How long something takes, in milliseconds. */
export async function took(what: () => unknown): Promise<number> {
  const sinceMs = systemClock.monotonic();
  await what();
  return systemClock.monotonic() - sinceMs;
}

/** Metrics, and how long the longest of the slices was that their last page was written in. */
type Watched = Readonly<{ metrics: Metrics; longestSlice: () => number }>;

async function watchedMetrics(series: number): Promise<Watched> {
  const nowMs = systemClock.now();
  let [longestMs, sinceMs] = [0, 0];
  const metrics = await busyMetrics(await serversFor(series, nowMs), nowMs, async () => {
    longestMs = Math.max(longestMs, systemClock.monotonic() - sinceMs);
    await nextTurn();
    sinceMs = systemClock.monotonic();
  });
  const exposition: Metrics['exposition'] = async format => {
    [longestMs, sinceMs] = [0, systemClock.monotonic()];
    const page = await metrics.exposition(format);
    longestMs = Math.max(longestMs, systemClock.monotonic() - sinceMs);
    return page;
  };
  return { metrics: { ...metrics, exposition }, longestSlice: () => longestMs };
}

/** All three write the same bytes, in turn. Medians in milliseconds. */
async function writeInTurn({ metrics, longestSlice }: Watched, format: Format) {
  const page = await pageOf(metrics, format);
  const [plain, end] = [plainOf(page), format === 'openmetrics' ? '# EOF\n' : ''];
  const ready = prepared(plain);
  for (const body of [writePlain(plain, end), writePrepared(ready, end)])
    if (!body.equals(Buffer.from(page))) throw new Error('What is written by hand is not the same page');
  const times: Readonly<Record<'plain' | 'ready' | 'own' | 'slice', number>>[] = [];
  for (let n = 0; n < 15; n += 1)
    times.push({
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      plain: await took(() => writePlain(plain, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      ready: await took(() => writePrepared(ready, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      own: await took(async () => metrics.exposition(format)),
      slice: longestSlice(),
    });
  const middle = (name: 'plain' | 'ready' | 'own' | 'slice'): number => median(times.map(one => one[name]));
  return { plain: middle('plain'), ready: middle('ready'), own: middle('own'), slice: middle('slice') };
}

/** A row of the table: what a page costs, and by hand. */
export async function writing({ series, format }: Case, runs: number): Promise<readonly string[]> {
  const watched = await watchedMetrics(series);
  const count = samplesIn(await pageOf(watched.metrics)).length;
  await writeInTurn(watched, format);
  const found: Awaited<ReturnType<typeof writeInTurn>>[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (let run = 0; run < runs; run += 1) found.push(await writeInTurn(watched, format));
  const of = (what: (one: (typeof found)[number]) => number, digits: number): string => spread(found.map(what), digits);
  return [
    whole(count),
    format,
    of(({ own }) => own, 1),
    of(({ plain }) => plain, 1),
    of(({ own, plain }) => own / plain, 2),
    of(({ own, ready }) => own / ready, 2),
    of(({ slice }) => slice, 1),
  ];
}
