import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../app.js';
import { type Config, parseConfig } from '../config/parse.js';
import { systemClock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import { simulate } from '../simulator/simulate.js';
import { type ReceivedRecord, receiveLogs } from './demo-receiver.js';
import { start, untilStopped } from './serve.js';
import type { ExitCode, Terminal } from './terminal.js';

export type DemoOptions = Readonly<{
  /** How long it goes on, in milliseconds; undefined: until it is asked to stop. */
  forMs: number | undefined;
  listenAddress: string;
  seed: number;
}>;

/**
 * The whole product on one screen: a simulated VB365 server, the exporter, and a receiver that prints each log record.
 * What it keeps is thrown away at the end.
 */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-demo-'));
  const simulator = await simulate({ clock: systemClock, seed: options.seed, live: {} });
  const receiver = await receiveLogs(record => {
    terminal.print(recordLine(record));
  });
  try {
    const config = demoConfig(simulator.url, receiver.url, folder);
    const app = await startAnywhere(config, options, terminal);
    const origin = `http://127.0.0.1:${String(app.listening.port)}`;
    terminal.print(`Metrics are at ${origin}/metrics, a page is at ${origin}/`);
    terminal.print('Log records, as they arrive at an OTLP receiver:');
    return await untilStopped(app, whenOver(options, terminal, origin));
  } finally {
    await receiver.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The embedded server, one turn a second, everything kept in `folder`. */
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

/** Starts at the address asked for, or at a free port when that one is taken. */
async function startAnywhere(config: Config, { listenAddress }: DemoOptions, terminal: Terminal): Promise<App> {
  const options = {
    configFile: undefined,
    webConfigFile: undefined,
    lifecycle: false,
    telemetryPath: '/metrics',
    logLevel: 'warn',
    logFormat: 'logfmt',
  } as const;
  try {
    return await start(() => config, { ...options, listenAddress }, terminal);
  } catch (thrown) {
    if (toExporterError(thrown).reason !== 'network') throw thrown;
    return start(() => config, { ...options, listenAddress: '127.0.0.1:0' }, terminal);
  }
}

/** Aborts when the demo is asked to stop, or its time is over and the series have been shown. */
function whenOver({ forMs }: DemoOptions, terminal: Terminal, origin: string): AbortSignal {
  const over = new AbortController();
  terminal.stop.addEventListener('abort', () => {
    over.abort();
  });
  if (forMs !== undefined) {
    void systemClock
      .sleep(forMs, over.signal)
      .then(async () => printSeries(origin, terminal))
      .catch(() => undefined)
      .finally(() => {
        over.abort();
      });
  }
  return over.signal;
}

/**
 * Prints the series that tell of restores, as Prometheus would read them at its third scrape: what is new is counted
 * for somebody who has come back and seen it at 0.
 */
async function printSeries(origin: string, terminal: Terminal): Promise<void> {
  await read(`${origin}/metrics`);
  await read(`${origin}/metrics`);
  const page = await read(`${origin}/metrics`);
  terminal.print('');
  terminal.print(`The restore series at ${origin}/metrics:`);
  for (const line of page.split('\n')) if (/^vb365_restore_(?!.*_bucket)/.test(line)) terminal.print(line);
}

async function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', chunk => (body += String(chunk)));
      response.once('end', () => {
        resolve(body);
      });
    });
    request.once('error', reject);
  });
}

/** `time level sentence` and the facts that matter most. */
function recordLine({ time, severity, body, attributes }: ReceivedRecord): string {
  const shown = ['veeam.organization.name', 'veeam.restore.session.type', 'veeam.restore.event.type'];
  const facts = shown.flatMap(name => attributes[name] ?? []).join(' ');
  return `${time} ${severity.padEnd(5)} ${body} [${facts}]`;
}
