import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { z } from 'zod';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds, seconds } from '../../src/model/time.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { type Child, profiling, start, type Usage, type Way } from './child.js';
import type { Database } from './postgresql.js';

/** The whole program, in its own process. */
export type Exporter = Readonly<{
  metrics: () => Promise<string>;
  /** Whether it has read its state and finished its first polls. */
  ready: () => Promise<boolean>;
  usage: () => Usage;
  stop: Child['stop'];
}>;

/** Where one server is, and what it speaks. */
export type ServerAt = Readonly<{ url: string; version: string }>;

export type ExporterOptions = Readonly<{
  /** Address of the one server, which speaks v8, or where many are. */
  url: string | readonly ServerAt[];
  /** Address of the receiver of log records; none are sent without one. */
  receiver?: string;
  /** Default `http/protobuf`. */
  protocol?: 'http/protobuf' | 'http/json';
  /** Whether names of owners are looked up on the one server. Default true. */
  resolveOwners?: boolean;
  /** Where the state is; in the file of the home without it. */
  database?: Database | undefined;
}>;

/** A folder with a configuration and a state file. */
export type Home = Readonly<{ folder: string; state: string; remove: () => void }>;

export function makeHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-bench-'));
  return { folder, state: `${folder}/state.db`, remove: () => rmSync(folder, { recursive: true }) };
}

/** Makes the state of an exporter that was there three days ago, so that everything since then is news to it. */
export async function wasThereBefore({ state }: Home, database?: Database): Promise<void> {
  const at = milliseconds(systemClock.now()) - seconds(3 * 86_400);
  const since = { server: 'bench', since: { metrics: at, logs: at } };
  if (database !== undefined) return database.commit(since);
  const store = await sqliteStore({ path: state });
  await store.commit(since);
  return store.close();
}

/** Starts it as the image does. `--profile <folder>` has it write a CPU profile at its end. */
export async function startExporter(home: Home, options: ExporterOptions): Promise<Exporter> {
  writeFileSync(`${home.folder}/password`, 'simulator');
  writeFileSync(`${home.folder}/config.yaml`, configOf(home, options));
  const at = `127.0.0.1:${String(await freePort())}`;
  const flags = [`--config.file=${home.folder}/config.yaml`, `--web.listen-address=${at}`, '--log.level=warn'];
  const { nodeFlags, env } = asInTheImage();
  const child: Child = start('../src/main.js', flags, { nodeFlags: [...nodeFlags, ...profiling()], env });
  const exporter: Exporter = {
    // A new connection: one that is kept may be closed by the other side at the moment it is used.
    metrics: async () => (await request(`http://${at}/metrics`, { reset: true })).body.text(),
    ready: async () => answers(`http://${at}/-/ready`),
    usage: child.usage,
    stop: child.stop,
  };
  return exporter;
}

/** What the image gives Node on its way. */
function asInTheImage(): Required<Way> {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  const nodeFlags = z.array(z.string()).parse(JSON.parse(entry)).slice(1, -1);
  const settings = [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\S+)/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const env: Readonly<Record<string, string>> = Object.fromEntries(settings);
  return { nodeFlags, env };
}

const configOf = (
  home: Home,
  { url, receiver, protocol = 'http/protobuf', resolveOwners = true, database }: ExporterOptions,
): string => `
servers:
${
  typeof url === 'string'
    ? `${serverEntry(home, 'bench', { url, version: 'v8' })}\n    resolve_owners: ${String(resolveOwners)}`
    : url.map((at, index) => serverEntry(home, `s${String(index)}`, at)).join('\n')
}
state: { ${database === undefined ? `path: ${home.state}` : `postgresql: { url: "${database.url}" }`} }
${receiver === undefined ? '' : `otlp: { endpoint: "${receiver}", protocol: ${protocol} }`}
`;

const serverEntry = ({ folder }: Home, name: string, at: ServerAt): string =>
  `  - name: ${name}
    url: "${at.url}"
    api_version: ${at.version}
    username: simulator
    password_file: ${folder}/password`;

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
