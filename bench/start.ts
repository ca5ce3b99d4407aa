// How long it takes from the start of the process to the first /metrics with everything that was counted before, on the
// state of an exporter that has read 10,000 sessions.
// npm run bench -- start [--runs 5] [--sessions 10000]
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { systemClock } from '../src/kernel/clock.js';
import { type Exporter, startExporter, total } from './rig/exporter.js';
import { type Line, recordsOf, rest, startLine, untilDelivered } from './rig/server-run.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

const eventsEach = 5;
const askEveryMs = 5;

type Started = Readonly<{ ms: number; cpuMs: number; exporter: Exporter }>;

/** Milliseconds until /metrics answers with these counters; the process starts within. */
async function startAndAsk(line: Line, counted: number): Promise<Started> {
  const startedMs = systemClock.monotonic();
  const exporter = await startExporter(line.home, { url: line.url, receiver: line.to });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it answers
    const text = await exporter.metrics().catch(() => '');
    if (text !== '' && total(text, 'vb365_restore_events_total') === counted) {
      const ms = systemClock.monotonic() - startedMs;
      return { ms, cpuMs: exporter.usage().cpuSeconds * 1000, exporter };
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await rest(askEveryMs);
  }
}

/** Milliseconds that a program without content takes, from start to end. */
function emptyProgram(): number {
  const startedMs = systemClock.monotonic();
  spawnSync(process.execPath, ['-e', '']);
  return systemClock.monotonic() - startedMs;
}

/** Reads everything with one exporter, and ends that one. Answers what it had counted. */
async function makeState(line: Line, sessions: number): Promise<number> {
  line.server.send('go');
  await untilDelivered(line, recordsOf(sessions, eventsEach));
  await line.exporter.stop();
  return sessions * eventsEach;
}

type Run = Readonly<{ ms: number; cpuMs: number; emptyMs: number; samples: number }>;

async function once(line: Line, counted: number): Promise<Run> {
  const emptyMs = emptyProgram();
  const { ms, cpuMs, exporter } = await startAndAsk(line, counted);
  const samples = (await exporter.metrics()).split('\n').filter(text => text !== '' && !text.startsWith('#')).length;
  await exporter.stop();
  say(`${ms.toFixed(0)} ms, of which ${cpuMs.toFixed(0)} ms of CPU; an empty program ${emptyMs.toFixed(0)} ms`);
  return { ms, cpuMs, emptyMs, samples };
}

/** Time to the first complete /metrics. */
export async function startUp(): Promise<Section> {
  const [runs, sessions] = [flag('runs', 5), flag('sessions', 10_000)];
  const line = await startLine({ sessions, eventsEach });
  const counted = await makeState(line, sessions);
  const found: Run[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other, on the same state
  for (let run = 0; run < runs; run += 1) found.push(await once(line, counted));
  const stateMb = statSync(line.home.state).size / 1e6;
  await line.stop();
  const each = (of: (run: Run) => number): string => spread(found.map(of), 0);
  const rows = [
    ['process start to first complete /metrics', `${each(({ ms }) => ms)} ms`, '< 1000 ms'],
    ['CPU time until then', `${each(({ cpuMs }) => cpuMs)} ms`, ''],
    ['an empty Node program, from start to exit', `${each(({ emptyMs }) => emptyMs)} ms`, ''],
    ['samples served', String(found[0]?.samples), ''],
    ['state file', `${stateMb.toFixed(1)} MB`, ''],
  ];
  return { title: 'Start', body: `${introduction(sessions, runs)}\n\n${table(['what', 'figure', 'goal'], rows)}` };
}

const introduction = (sessions: number, runs: number): string =>
  `Time from the start of the process to a response of /metrics that contains every event counted before; requested every
${String(askEveryMs)} ms. The state is that of an exporter that has read ${sessions.toLocaleString('en')} sessions of ${String(eventsEach)} events, with metrics and log records. The
server still lists all of them. Median of ${String(runs)} starts (least to most).`;
