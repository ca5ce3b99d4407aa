import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { App } from '../app.js';
import { type Config, parseConfig } from '../config/parse.js';
import { systemClock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import { simulate } from '../simulator/simulate.js';
import { type ReceivedRecord, receiveLogs } from './demo-receiver.js';
import { runUntilAborted, start } from './serve.js';
import type { ExitCode, Terminal } from './terminal.js';

export type DemoFlags = Readonly<{
  /** How long the demo runs, in milliseconds; absent: until it should stop. */
  for?: number;
  'web.listenAddress': string;
  seed: number;
}>;

/** Runs a simulated VB365 server, the exporter, and an OTLP receiver that prints each log record. Keeps no files. */
export async function demo(flags: DemoFlags, terminal: Terminal): Promise<ExitCode> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-demo-'));
  const simulator = await simulate({ clock: systemClock, seed: flags.seed, live: {} });
  const receiver = await receiveLogs(record => terminal.print(recordLine(record)));
  try {
    const config = demoConfig(simulator.url, receiver.url, folder);
    const app = await startOnFreePort(config, flags['web.listenAddress'], terminal);
    const origin = `http://127.0.0.1:${String(app.listening.port)}`;
    terminal.print(`Metrics: ${origin}/metrics`);
    terminal.print(`Status page: ${origin}/`);
    terminal.print('Log records from the OTLP receiver:');
    return await runUntilAborted(app, endOf(flags.for, terminal, origin));
  } finally {
    await receiver.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One poll per second while a session is open; all files are in `folder`. */
function demoConfig(serverUrl: string, receiverUrl: string, folder: string): Config {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'simulator', { mode: 0o600 });
  const server = { name: 'demo', url: serverUrl, username: 'simulator', password_file: passwordFile };
  const file = JSON.stringify({
    servers: [{ ...server, poll_interval: '5s', open_poll_interval: '1s' }],
    state: { path: join(folder, 'state.db') },
    otlp: { endpoint: receiverUrl, protocol: 'http/json' },
  });
  return parseConfig({ file, env: {} });
}

/** Listens on another port when the address is in use. */
async function startOnFreePort(config: Config, listenAddress: string, terminal: Terminal): Promise<App> {
  const flags = {
    'web.listenAddress': listenAddress,
    'web.telemetryPath': '/metrics',
    'web.enableLifecycle': false,
    'log.level': 'warn',
    'log.format': 'logfmt',
  } as const;
  try {
    return await start(() => config, flags, terminal);
  } catch (thrown) {
    if (toExporterError(thrown).reason !== 'network') throw thrown;
    return start(() => config, { ...flags, 'web.listenAddress': '127.0.0.1:0' }, terminal);
  }
}

/** Aborts when the demo should stop, or when its time is over and it has printed the series. */
function endOf(forMs: number | undefined, { stop, print }: Terminal, origin: string): AbortSignal {
  if (forMs === undefined) return stop;
  const over = new AbortController();
  void systemClock
    .sleep(forMs, stop)
    .then(async () => printSeries(origin, print))
    .catch(() => undefined)
    .finally(() => over.abort());
  return over.signal;
}

/** Prints the restore series as Prometheus sees them after three scrapes: the exporter holds first increments before. */
async function printSeries(origin: string, print: Terminal['print']): Promise<void> {
  await read(`${origin}/metrics`);
  await read(`${origin}/metrics`);
  const page = await read(`${origin}/metrics`);
  print('');
  print(`Restore series at ${origin}/metrics:`);
  for (const line of page.split('\n')) if (/^vb365_restore_(?!.*_bucket)/.test(line)) print(line);
}

const read = async (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, response => resolve(text(response))).once('error', reject);
  });

/** `time level body [organization session-type event-type]`. */
function recordLine({ time, severity, body, attributes }: ReceivedRecord): string {
  const names = ['veeam.organization.name', 'veeam.restore.session.type', 'veeam.restore.event.type'];
  return `${time} ${severity.padEnd(5)} ${body} [${names.flatMap(name => attributes[name] ?? []).join(' ')}]`;
}
