import { systemClock } from '../../src/kernel/clock.js';
import type { Format } from '../../src/sink/exposition.js';
import type { Metrics } from '../../src/sink/registry.js';
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

/** All three write the same bytes, in turn. Medians in milliseconds. */
async function writeInTurn(metrics: Metrics, format: Format) {
  const page = await pageOf(metrics, format);
  const [plain, end] = [plainOf(page), format === 'openmetrics' ? '# EOF\n' : ''];
  const ready = prepared(plain);
  for (const body of [writePlain(plain, end), writePrepared(ready, end)])
    if (!body.equals(Buffer.from(page))) throw new Error('What is written by hand is not the same page');
  const times: Readonly<{ plain: number; ready: number; own: number }>[] = [];
  for (let n = 0; n < 15; n += 1)
    times.push({
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      plain: await took(() => writePlain(plain, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      ready: await took(() => writePrepared(ready, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      own: await took(async () => metrics.exposition(format)),
    });
  return {
    plain: median(times.map(one => one.plain)),
    ready: median(times.map(one => one.ready)),
    own: median(times.map(one => one.own)),
  };
}

/** A row of the table: what a page costs, and by hand. */
export async function writing({ series, format }: Case, runs: number): Promise<readonly string[]> {
  const nowMs = systemClock.now();
  const metrics = await busyMetrics(await serversFor(series, nowMs), nowMs);
  const count = samplesIn(await pageOf(metrics)).length;
  await writeInTurn(metrics, format);
  const found: Awaited<ReturnType<typeof writeInTurn>>[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (let run = 0; run < runs; run += 1) found.push(await writeInTurn(metrics, format));
  return [
    whole(count),
    format,
    spread(
      found.map(({ own }) => own),
      1,
    ),
    spread(
      found.map(({ plain }) => plain),
      1,
    ),
    spread(found.map(({ own, plain }) => own / plain)),
    spread(found.map(({ own, ready }) => own / ready)),
  ];
}
