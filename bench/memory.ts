// What stays in memory of one huge session, and of nothing at all; `growth` shows it after many events. Every event
// goes to metrics and to log records.
// npm run bench -- memory [--runs 5]
import { recordsOf, rest, startLine, untilDelivered } from './rig/server-run.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

/** The most MB that were resident at once while one session of so many events was read. */
async function peakOf(events: number): Promise<number> {
  const line = await startLine({ sessions: 1, eventsEach: events, days: 0.01 });
  line.server.send('go');
  await untilDelivered(line, recordsOf(1, events));
  const { peakMb } = line.exporter.usage();
  await line.stop();
  return peakMb;
}

/** MB after a minute in which nothing happens but a scrape every 15 s. */
async function idle(): Promise<number> {
  const line = await startLine({});
  line.server.send('go');
  for (let scrape = 0; scrape < 4; scrape += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    await rest(15_000);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await line.exporter.metrics();
  }
  const { rssMb } = line.exporter.usage();
  await line.stop();
  return rssMb;
}

async function once() {
  // At once, which takes a third of the time: what is resident is bounded by pages and batches, not by how fast they go.
  const [quiet, low, middle, high] = await Promise.all([idle(), peakOf(10_000), peakOf(100_000), peakOf(1_000_000)]);
  const found = { idle: quiet, low, middle, high };
  say(
    Object.entries(found)
      .map(([name, mb]) => `${name} ${mb.toFixed(0)} MB`)
      .join(', '),
  );
  return found;
}

/** Resident memory of the exporter. */
export async function memory(): Promise<Section> {
  const runs = flag('runs', 5);
  const found: Awaited<ReturnType<typeof once>>[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other, so that they do not starve
  for (let run = 0; run < runs; run += 1) found.push(await once());
  const each = (of: (one: (typeof found)[number]) => number, digits = 0): string => spread(found.map(of), digits);
  const rows = [
    ['idle for a minute', `${each(one => one.idle)} MB`, '< 150 MB'],
    ['peak while reading one session of 10,000 events', `${each(one => one.low)} MB`, ''],
    ['peak while reading one session of 100,000 events', `${each(one => one.middle)} MB`, ''],
    ['peak while reading one session of 1,000,000 events', `${each(one => one.high)} MB`, ''],
    ['ratio of the last two', each(one => one.high / one.middle, 2), 'bounded'],
  ];
  return { title: 'Memory', body: `${introduction(runs)}\n\n${table(['resident', 'figure', 'goal'], rows)}` };
}

const introduction = (runs: number): string =>
  `Resident memory of the exporter, with metrics and log records (OTLP http/protobuf), pages of 1,000. Medians of ${String(runs)} runs
(least to most).`;
