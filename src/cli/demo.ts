import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import type { App } from '../app.js';
import { type Config, parseConfig } from '../config/parse.js';
import { systemClock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import { simulate } from '../simulator/simulate.js';
import { isJsonObject, type JsonObject, text as textOf } from '../source/json.js';
import { runUntilAborted, start } from './serve.js';
import type { ExitCode, Terminal } from './terminal.js';

type DemoFlags = Readonly<{
  /** How long the demo runs, in milliseconds; absent: until it should stop. */
  for?: number;
  'web.listenAddress': string;
  seed: number;
}>;

/** Runs a simulated VB365 server, the exporter, and an OTLP receiver that prints each log record. Keeps no files. */
export async function demo(flags: DemoFlags, terminal: Terminal): Promise<ExitCode> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-demo-'));
  const simulator = await simulate({ clock: systemClock, seed: flags.seed, live: {} });
  const receiver = await receiveLogs(terminal.print);
  try {
    const config = demoConfig(simulator.url, receiver.url, folder);
    const app = await startOnFreePort(config, flags['web.listenAddress'], terminal);
    const origin = `http://127.0.0.1:${String(app.listening.port)}`;
    terminal.print(`Metrics: ${origin}/metrics`);
    terminal.print(`Status page: ${origin}/`);
    terminal.print('Log records from the OTLP receiver:');
    const end = endOf(flags.for, terminal, origin);
    return await runUntilAborted(app, AbortSignal.any([end, terminal.outputClosed]));
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

/** Starts an OTLP receiver for logs as JSON on a free port; prints each log record. */
async function receiveLogs(print: Terminal['print']): Promise<Readonly<{ url: string; close: () => Promise<void> }>> {
  const server = createServer((request, response) => {
    void json(request).then(body => {
      const scopes = list(body, 'resourceLogs').flatMap(resource => list(resource, 'scopeLogs'));
      for (const record of scopes.flatMap(scope => list(scope, 'logRecords'))) print(recordLine(record));
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${String(port)}`, close };
}

/** `time level body [organization session-type event-type] owner=... relation=...` of a `LogRecord` (opentelemetry-proto). */
function recordLine(record: JsonObject): string {
  const time = new Date(Number(BigInt(textOf(record['timeUnixNano'])) / 1_000_000n)).toISOString();
  const attributes = new Map(list(record, 'attributes').map(({ key, value }) => [key, stringValue(value)]));
  const names = ['veeam.organization.name', 'veeam.restore.session.type', 'veeam.restore.event.type'];
  const about = names.flatMap(name => attributes.get(name) ?? []).join(' ');
  const ofOwner = (part: string): string | undefined => attributes.get(`veeam.restore.owner.${part}`);
  const owner = [['owner', ofOwner('name') ?? ofOwner('id')] as const, ['relation', ofOwner('relation')] as const]
    .map(([label, value]) => (value === undefined ? '' : ` ${label}=${/\s/.test(value) ? `"${value}"` : value}`))
    .join('');
  return `${time} ${textOf(record['severityText']).padEnd(5)} ${stringValue(record['body'])} [${about}]${owner}`;
}

function list(parent: unknown, key: string): readonly JsonObject[] {
  const value: unknown = isJsonObject(parent) ? parent[key] : undefined;
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

const stringValue = (value: unknown): string => (isJsonObject(value) ? textOf(value['stringValue']) : '');
