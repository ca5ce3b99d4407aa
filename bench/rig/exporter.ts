import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds, seconds } from '../../src/model/time.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { type Child, start, type Usage } from './child.js';

/** The whole program, in a process of its own. */
export type Exporter = Readonly<{
  metrics: () => Promise<string>;
  /** Whether it has read its state and tried its first turns. */
  ready: () => Promise<boolean>;
  usage: () => Usage;
  stop: Child['stop'];
}>;

export type ExporterOptions = Readonly<{
  /** Address of the one server. */
  url: string;
  /** Address of the receiver of log records; none are sent without one. */
  receiver?: string;
  pageSize?: number;
}>;

/** A folder with a configuration and a state file. */
export type Home = Readonly<{ folder: string; state: string; remove: () => void }>;

export function makeHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-bench-'));
  return { folder, state: `${folder}/state.db`, remove: () => rmSync(folder, { recursive: true }) };
}

/** Makes the state of an exporter that was there three days ago, so that everything since then is news to it. */
export async function wasThereBefore({ state }: Home): Promise<void> {
  const store = await sqliteStore({ path: state });
  const at = milliseconds(systemClock.now()) - seconds(3 * 86_400);
  await store.commit({ server: 'bench', since: { metrics: at, logs: at } });
  await store.close();
}

/** Starts it, and waits until it listens. */
export async function startExporter(home: Home, options: ExporterOptions): Promise<Exporter> {
  writeFileSync(`${home.folder}/password`, 'simulator');
  writeFileSync(`${home.folder}/config.yaml`, configOf(home, options));
  const at = `127.0.0.1:${String(await freePort())}`;
  const flags = [`--config.file=${home.folder}/config.yaml`, `--web.listen-address=${at}`, '--log.level=warn'];
  const child: Child = start('../src/main.js', flags, true);
  const exporter: Exporter = {
    metrics: async () => (await request(`http://${at}/metrics`)).body.text(),
    ready: async () => answers(`http://${at}/-/ready`),
    usage: child.usage,
    stop: child.stop,
  };
  return exporter;
}

const configOf = ({ folder, state }: Home, { url, receiver, pageSize = 1_000 }: ExporterOptions): string => `
servers:
  - name: bench
    url: "${url}"
    api_version: v8
    username: simulator
    password_file: ${folder}/password
    page_size: ${String(pageSize)}
state: { path: ${state} }
${receiver === undefined ? '' : `otlp: { endpoint: "${receiver}" }`}
`;

export const answers = async (url: string): Promise<boolean> =>
  request(url).then(
    async ({ statusCode, body }) => (await body.text(), statusCode === 200),
    () => false,
  );

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The sum of all samples of a family whose labels hold `part`. */
export const total = (text: string, family: string, part = ''): number =>
  text
    .split('\n')
    .filter(line => line.startsWith(`${family}{`) && line.includes(part))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
