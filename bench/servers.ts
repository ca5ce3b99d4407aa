// What many servers cost: simulated ones, all in this process, against one exporter process. Every tenth has an open
// restore session; one event a second turns up in one of them. Half of the servers speak v8, half v6.
// node dist/bench/servers.js [--servers 200] [--minutes 10]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { systemClock } from '../src/kernel/clock.js';
import { milliseconds } from '../src/model/time.js';
import { simulate } from '../src/simulator/simulate.js';
import { World } from '../src/simulator/world.js';
import { flag, percentile, say } from './rig/stats.js';

const count = flag('servers', 200);
const minutes = flag('minutes', 10);
/** What the server at a place in the list speaks. */
const versionOf = (index: number): 'v6' | 'v8' => (index % 20 < 10 ? 'v8' : 'v6');
const never = new AbortController().signal;
const now = () => milliseconds(systemClock.now());
const ticksPerSecond = 100;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const folder = mkdtempSync(join(tmpdir(), 'vb365-bench-'));
writeFileSync(`${folder}/password`, 'simulator');
const servers = await Promise.all(
  Array.from({ length: count }, async (_, index) => {
    const world = new World(index + 1);
    for (let n = 0; n < 50; n += 1)
      world.addSession({ createdAt: now() - BigInt(n + 1) * 3_600_000_000_000n, endedAt: now() });
    const open = index % 10 === 0 ? world.addSession({ createdAt: now() }) : undefined;
    return { world, open, simulator: await simulate({ clock: systemClock, world, seed: index + 1 }) };
  }),
);
const rows = servers.map(
  ({ simulator }, index) =>
    `  - { name: s${String(index)}, url: "${simulator.url}", api_version: ${versionOf(index)}, username: simulator, password_file: ${folder}/password }`,
);
writeFileSync(`${folder}/config.yaml`, `servers:\n${rows.join('\n')}\nstate: { path: ${folder}/state.db }\n`);

const port = await freePort();
const main = new URL('../src/main.js', import.meta.url).pathname;
const flags = [
  `--config.file=${folder}/config.yaml`,
  `--web.listen-address=127.0.0.1:${String(port)}`,
  '--log.level=warn',
];
const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'inherit', 'inherit'] });

const metrics = async (): Promise<string> => (await request(`http://127.0.0.1:${String(port)}/metrics`)).body.text();
const ready = async (): Promise<boolean> =>
  request(`http://127.0.0.1:${String(port)}/-/ready`).then(
    async ({ statusCode, body }) => (await body.text(), statusCode === 200),
    () => false,
  );
const startedMs = systemClock.monotonic();
while (!(await ready())) await systemClock.sleep(250, never);
say(`ready after ${((systemClock.monotonic() - startedMs) / 1000).toFixed(1)} s`);

/** CPU seconds of the exporter so far, and its resident memory in MB. */
function usage(): { cpuSeconds: number; rssMb: number } {
  const fields =
    readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, rssMb: rssKb / 1024 };
}

/** Events of servers of one version that the metrics sink has taken so far, by upper bound of their lag in seconds. */
function lags(text: string, version: 'v6' | 'v8'): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [, labels = '', value] of text.matchAll(/^vb365_event_lag_seconds_bucket\{(.*)\} (\d+)$/gm)) {
    const [server, le = ''] = ['server="s', 'le="'].map(name => labels.split(name)[1]?.split('"')[0]);
    if (versionOf(Number(server)) === version) sums.set(le, (sums.get(le) ?? 0) + Number(value));
  }
  return sums;
}

const total = (text: string, family: string): number =>
  [...text.matchAll(new RegExp(`^${family}(?:\\{.*\\})? (\\d+)`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );

const before = usage();
const requestsBefore = total(await metrics(), 'vb365_api_requests_total');
const busy = servers.flatMap(({ world, open }) => (open === undefined ? [] : [{ world, id: open.id }]));
const rss: number[] = [];
const renderMs: number[] = [];
let appended = 0;
const seconds = minutes * 60;
const beganMs = systemClock.monotonic();
for (let second = 0; second < seconds; second += 1) {
  const one = busy[second % busy.length];
  if (second < seconds - 15 && one !== undefined) {
    one.world.appendEvent(one.id, { startedAt: now(), type: 'Restore', status: 'Success' });
    appended += 1;
  }
  if (second % 15 === 0) {
    const askedMs = systemClock.monotonic();
    await metrics();
    renderMs.push(systemClock.monotonic() - askedMs);
    rss.push(usage().rssMb);
  }
  await systemClock.sleep(Math.max(0, beganMs + (second + 1) * 1000 - systemClock.monotonic()), never);
}
const text = await metrics();
const ranSeconds = (systemClock.monotonic() - beganMs) / 1000;
const cpu = (usage().cpuSeconds - before.cpuSeconds) / ranSeconds;
const requests = (total(text, 'vb365_api_requests_total') - requestsBefore) / ranSeconds;
function lagOf(version: 'v6' | 'v8'): string {
  const sums = lags(text, version);
  const all = sums.get('+Inf') ?? 0;
  const shares = ['1', '2.5', '5', '10'].map(le => `${((100 * (sums.get(le) ?? 0)) / all).toFixed(1)} % <= ${le} s`);
  return `${version}: ${String(all)} events taken; lag ${shares.join(', ')}`;
}
say(`servers ${String(count)}, minutes ${String(minutes)}, requests ${requests.toFixed(1)}/s`);
say(`CPU ${(100 * cpu).toFixed(1)} % of one core, RSS ${Math.max(...rss).toFixed(0)} MB at most`);
say(`events appended ${String(appended)}`);
say(lagOf('v8'));
say(lagOf('v6'));
say(
  `scrape: ${String(text.length)} bytes, p50 ${percentile(renderMs, 50).toFixed(0)} ms, longest ${Math.max(...renderMs).toFixed(0)} ms`,
);
child.kill('SIGTERM');
await new Promise(resolve => child.once('exit', resolve));
await Promise.all(servers.map(async ({ simulator }) => simulator.close()));
rmSync(folder, { recursive: true });
