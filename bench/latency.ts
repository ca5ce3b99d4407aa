// How long it takes from an event at the server (v8, change feed) to its series on /metrics, for a series that was scraped
// before, and to the receiver of log records. Events come when they like: one a second on the average.
// npm run bench -- latency [--runs 5] [--events 60]
import { z } from 'zod';
import { systemClock, systemRandom } from '../src/kernel/clock.js';
import { hear, until } from './rig/child.js';
import { total } from './rig/exporter.js';
import { type Line, rest, startLine } from './rig/server-run.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, percentile, say } from './rig/stats.js';

const lookEveryMs = 20;
const meanGapMs = 1_000;

/** Milliseconds that each event took. */
type Run = Readonly<{ series: readonly number[]; records: readonly number[] }>;

/** Looks at a count again and again, and notes when it was first seen to have reached each number. */
function watch(count: () => Promise<number>): Readonly<{ seenMs: number[]; end: () => Promise<void> }> {
  const seenMs: number[] = [];
  const over = new AbortController();
  const look = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const reached = await count();
      while (seenMs.length < reached) seenMs.push(systemClock.monotonic());
      await rest(lookEveryMs);
    }
  };
  const looking = look();
  return {
    seenMs,
    end: async () => {
      over.abort();
      await looking;
    },
  };
}

const counted = async ({ exporter }: Line): Promise<number> =>
  total(await exporter.metrics(), 'vb365_restore_events_total', 'event_type="Restore",status="Success"');

const arrived = z.object({ records: z.number() });

async function received({ receiver }: Line): Promise<number> {
  receiver.send('count');
  return arrived.parse(await hear(receiver)).records;
}

/** The first event makes the series, which is scraped before anything is measured. */
async function once(events: number): Promise<Run> {
  const line = await startLine({});
  line.server.send('go');
  line.server.send('append');
  await until(async () => (await counted(line)) === 1 && (await received(line)) === 1);
  await rest(2_000);
  const series = watch(async () => counted(line));
  const records = watch(async () => received(line));
  const sentMs: number[] = [0];
  for (let event = 0; event < events; event += 1) {
    await rest(-Math.log(1 - systemRandom()) * meanGapMs);
    sentMs.push(systemClock.monotonic());
    line.server.send('append');
  }
  await until(() => Math.min(series.seenMs.length, records.seenMs.length) > events);
  await Promise.all([series.end(), records.end()]);
  await line.stop();
  const took = (seenMs: readonly number[]): readonly number[] =>
    sentMs.map((ms, event) => (seenMs[event] ?? Number.NaN) - ms).slice(1);
  return { series: took(series.seenMs), records: took(records.seenMs) };
}

/** From the event at the server to where it is seen. */
export async function latency(): Promise<Section> {
  const [runs, events] = [flag('runs', 5), flag('events', 60)];
  const found: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    const one = await once(events);
    say(
      `p50 ${percentile(one.series, 50).toFixed(0)} ms to the series, ${percentile(one.records, 50).toFixed(0)} ms to the receiver`,
    );
    found.push(one);
  }
  const row = (name: string, of: (run: Run) => readonly number[], goals: readonly string[]): readonly string[] => {
    const all = found.flatMap(of);
    const p50 = `${spread(
      found.map(run => percentile(of(run), 50)),
      0,
    )} ms`;
    return [
      name,
      p50,
      goals[0] ?? '',
      `${percentile(all, 99).toFixed(0)} ms`,
      goals[1] ?? '',
      `${Math.max(...all).toFixed(0)} ms`,
    ];
  };
  const rows = [
    row('its series on /metrics', ({ series }) => series, ['< 250 ms', '< 2000 ms']),
    row('the receiver of log records', ({ records }) => records, ['', '< 3000 ms']),
  ];
  const head = ['from the event at the server to', 'p50', 'goal', 'p99', 'goal', 'longest'];
  return { title: 'Latency', body: `${introduction(runs, events)}\n\n${table(head, rows)}` };
}

const introduction = (runs: number, events: number): string =>
  `A v8 server with its change feed, the exporter, and an OTLP http/protobuf receiver, each in its own process. Events arrive at random
times, one per second on average, independent of each other. The series has been scraped before. Both sides are checked every
${String(lookEveryMs)} ms. ${String(runs)} runs of ${String(events)} events: p50 is the median of the runs (least to most), p99 is over all events. While the
feed reports changes, the exporter reads it at most every half second; an event right after another waits that long.`;
