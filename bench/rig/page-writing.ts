import { systemClock } from '../../src/kernel/clock.js';
import type { Format } from '../../src/metrics/exposition.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { pageOf } from '../../test/support/exposition.js';
import { plainOf, prepared, writePlain, writePrepared } from './hand-made.js';
import { samplesIn } from './many-series.js';
import { spread } from './report.js';
import { median } from './stats.js';

export const whole = (count: number): string => count.toLocaleString('en');

/** How long something takes, in milliseconds. */
export async function took(what: () => unknown): Promise<number> {
  const sinceMs = systemClock.monotonic();
  await what();
  return systemClock.monotonic() - sinceMs;
}

/** All three write the same bytes, one after the other. Medians in milliseconds. */
async function writeInTurn(metrics: Metrics, format: Format) {
  const page = await pageOf(metrics, format);
  const [plain, end] = [plainOf(page), format === 'openmetrics' ? '# EOF\n' : ''];
  const ready = prepared(plain);
  for (const body of [writePlain(plain, end), writePrepared(ready, end)])
    if (!body.equals(Buffer.from(page))) throw new Error('What is written by hand is not the same page');
  const times: Readonly<Record<'plain' | 'ready' | 'own', number>>[] = [];
  for (let n = 0; n < 15; n += 1)
    times.push({
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      plain: await took(() => writePlain(plain, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      ready: await took(() => writePrepared(ready, end)),
      // oxlint-disable-next-line no-await-in-loop -- as above
      own: await took(async () => metrics.exposition(format)),
    });
  const middle = (name: 'plain' | 'ready' | 'own'): number => median(times.map(one => one[name]));
  return { plain: middle('plain'), ready: middle('ready'), own: middle('own') };
}

/** A row of the table: what a page of these metrics costs, and by hand. */
export async function writing(metrics: Metrics, format: Format, runs: number): Promise<readonly string[]> {
  const body = await pageOf(metrics, format);
  await writeInTurn(metrics, format);
  const found: Awaited<ReturnType<typeof writeInTurn>>[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
  for (let run = 0; run < runs; run += 1) found.push(await writeInTurn(metrics, format));
  const of = (what: (one: (typeof found)[number]) => number, digits: number): string => spread(found.map(what), digits);
  return [
    whole(samplesIn(body).length),
    format,
    (Buffer.byteLength(body) / 1e6).toFixed(1),
    of(({ own }) => own, 1),
    of(({ plain }) => plain, 1),
    of(({ own, plain }) => own / plain, 2),
    of(({ own, ready }) => own / ready, 2),
  ];
}
