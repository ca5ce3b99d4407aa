// The floor: the pool of the exporter fetches every page of every session, `JSON.parse` reads it, and that is all.
// Logs in, says so, begins when told to, and says how many events it has seen.
// node dist/bench/actors/floor.js --url http://127.0.0.1:1234 --limit 5000
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { connections } from '../../src/source/dispatcher.js';
import { flag, say, text } from '../rig/stats.js';

const limit = flag('limit', 5_000);
const origin = text('url');
const pool = connections({
  baseUrl: new URL(origin),
  connections: 4,
  connectTimeoutMs: 10_000,
  maxResponseBytes: 256 * 1024 * 1024,
  trust: { kind: 'authorities', ca: undefined },
  proxy: undefined,
  refusal: () => undefined,
});
const dispatcher = await pool.fresh();

async function read(path: string, token: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` };
  const { body } = await dispatcher.request({ origin, path: `/v8/${path}`, method: 'GET', headers });
  return JSON.parse(await body.text());
}

async function login(): Promise<string> {
  const body = 'grant_type=password&username=simulator&password=simulator';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await dispatcher.request({ origin, path: '/v8/Token', method: 'POST', headers, body });
  return z.object({ access_token: z.string() }).parse(await answer.body.json()).access_token;
}

const list = z.object({ results: z.array(z.object({ id: z.string() })) });

const rowsOf = (json: unknown): number => {
  const rows = typeof json === 'object' && json !== null && 'results' in json ? json.results : undefined;
  return Array.isArray(rows) ? rows.length : 0;
};

/** Goes on while pages are full, as whoever reads to the end has to. */
async function readSession(id: string, token: string): Promise<number> {
  for (let offset = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop -- a page is known to be needed when the one before it was full
    const json = await read(`RestoreSessions/${id}/Events?offset=${String(offset)}&limit=${String(limit)}`, token);
    const length = rowsOf(json);
    offset += length;
    if (length < limit) return offset;
  }
}

async function sessions(token: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    const json = list.parse(await read(`RestoreSessions?offset=${String(ids.length)}&limit=10000`, token));
    ids.push(...json.results.map(({ id }) => id));
    if (json.results.length < 10_000) return ids;
  }
}

const token = await login();
const told = once(createInterface(process.stdin), 'line');
say(JSON.stringify({ ready: true }));
await told;
let events = 0;
// oxlint-disable-next-line no-await-in-loop -- in turn, as the exporter reads
for (const id of await sessions(token)) events += await readSession(id, token);
const { user, system } = process.cpuUsage();
say(JSON.stringify({ events, cpuSeconds: (user + system) / 1e6 }));
