// How long it takes from the start of the process to the first /metrics with everything that was counted before, on the
// state of an exporter that has read 10,000 sessions.
// npm run bench -- start [--runs 5] [--sessions 10000]
import { statSync } from 'node:fs';
import { systemClock } from '../src/kernel/clock.js';
import { type Exporter, startExporter, total } from './rig/exporter.js';
import { type Line, recordsOf, rest, startLine, untilDelivered } from './rig/line.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

const eventsEach = 20;
const askEveryMs = 5;

type Started = Readonly<{ ms: number; exporter: Exporter }>;

/** Milliseconds until /metrics answers with these counters; the process starts within. */
async function startAndAsk(line: Line, counted: number): Promise<Started> {
  const startedMs = systemClock.monotonic();
  const exporter = await startExporter(line.home, { url: line.url, receiver: line.to });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it answers
    const text = await exporter.metrics().catch(() => '');
    if (text !== '' && total(text, 'vb365_restore_events_total') === counted) {
      return { ms: systemClock.monotonic() - startedMs, exporter };
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await rest(askEveryMs);
  }
}

/** Reads everything with one exporter, and ends that one. Answers what it had counted. */
async function makeState(line: Line, sessions: number): Promise<number> {
  line.server.tell('go');
  await untilDelivered(line, recordsOf(sessions, eventsEach));
  await line.exporter.stop();
  return sessions * eventsEach;
}

/** Time to the first complete /metrics. */
export async function startUp(): Promise<Section> {
  const [runs, sessions] = [flag('runs', 5), flag('sessions', 10_000)];
  const line = await startLine({ sessions, eventsEach });
  const counted = await makeState(line, sessions);
  const found: number[] = [];
  let series = 0;
  for (let run = 0; run < runs; run += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, on the same state
    const { ms, exporter } = await startAndAsk(line, counted);
    // oxlint-disable-next-line no-await-in-loop -- as above
    series = (await exporter.metrics()).split('\n').filter(text => text !== '' && !text.startsWith('#')).length;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await exporter.stop();
    found.push(ms);
    say(`${ms.toFixed(0)} ms`);
  }
  const stateMb = statSync(line.home.state).size / 1e6;
  await line.stop();
  const rows = [
    ['process start to first complete /metrics', `${spread(found, 0)} ms`, '< 1000 ms'],
    ['samples served', String(series), ''],
    ['state file', `${stateMb.toFixed(1)} MB`, ''],
  ];
  return { title: 'Start', body: `${introduction(sessions, runs)}\n\n${table(['what', 'figure', 'goal'], rows)}` };
}

const introduction = (sessions: number, runs: number): string =>
  `From the start of the process to an answer of /metrics that holds every event counted before, asked for every
${String(askEveryMs)} ms. The state is that of an exporter which has read ${sessions.toLocaleString('en')} sessions of ${String(eventsEach)} events, with metrics and log records;
the server still lists all of them. Median of ${String(runs)} starts (least to most).`;
