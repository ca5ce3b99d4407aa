// The floor: fetches every page of every session over the connections of the exporter and parses it with `JSON.parse`.
// Logs in, prints that it is ready, starts on a line of standard input, and prints how many events it saw.
// node dist/bench/actors/floor.js --url http://127.0.0.1:1234
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { createConnectionPool } from '../../src/source/dispatcher.js';
import { isJsonObject } from '../../src/source/json.js';
import { report } from '../rig/actor.js';
import { text } from '../rig/stats.js';

/** As `page_size` of the exporter by default. */
const limit = 1_000;
const origin = text('url');
const pool = createConnectionPool({
  baseUrl: new URL(origin),
  connections: 4,
  connectTimeoutMs: 10_000,
  trust: { kind: 'authorities', ca: undefined },
  proxy: undefined,
  refusal: () => undefined,
});
const dispatcher = await pool.dispatcher();

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

type Read = Readonly<{ rows: number; more: boolean }>;

/** Looks at no more than it needs to go on. */
function look(json: unknown): Read {
  if (!isJsonObject(json) || !Array.isArray(json['results'])) throw new Error('The answer is not a page');
  const links = json['_links'];
  return { rows: json['results'].length, more: isJsonObject(links) && links['next'] !== undefined };
}

/** Goes on while there is a next page, as the exporter does: the requests are the same. */
async function readSession(id: string, token: string): Promise<number> {
  for (let offset = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop -- the page before says whether there is another
    const { rows, more } = look(
      await read(`RestoreSessions/${id}/Events?offset=${String(offset)}&limit=${String(limit)}`, token),
    );
    offset += rows;
    if (!more) return offset;
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
const started = once(createInterface(process.stdin), 'line');
report({ ready: true });
await started;
const before = process.cpuUsage();
let events = 0;
// oxlint-disable-next-line no-await-in-loop -- one after the other, as the exporter reads
for (const id of await sessions(token)) events += await readSession(id, token);
const { user, system } = process.cpuUsage(before);
report({ events, cpuSeconds: (user + system) / 1e6 });
