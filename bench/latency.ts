// How long it takes from an event at the server to its series on /metrics, for a series that was scraped before.
// The whole program and the simulator (v8, change feed) in this process, over HTTP.
// node dist/bench/latency.js [--events 200]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { startApp } from '../src/app.js';
import { parseConfig } from '../src/config/parse.js';
import { systemClock, systemRandom } from '../src/kernel/clock.js';
import { createLog } from '../src/kernel/log.js';
import { milliseconds } from '../src/model/time.js';
import { simulate } from '../src/simulator/simulate.js';
import { openWeb } from '../src/web/web-config.js';
import { flag, percentile, say } from './rig/stats.js';

const events = flag('events', 200);
const never = new AbortController().signal;
const now = () => milliseconds(systemClock.now());

const folder = mkdtempSync(join(tmpdir(), 'vb365-bench-'));
const simulator = await simulate({ clock: systemClock });
const session = simulator.world.addSession({ createdAt: now() });

const file = `
servers:
  - { name: hq, url: "${simulator.url}", api_version: v8, username: simulator, password_file: ${folder}/password }
state: { path: ${folder}/state.db }
`;

writeFileSync(`${folder}/password`, 'simulator');
const log = createLog({ level: 'warn', format: 'logfmt', write: line => say(line.trimEnd()) });
const config = parseConfig({ file, env: {} });
const app = await startApp({
  config,
  reread: () => config,
  lifecycle: false,
  listenAt: { host: '127.0.0.1', port: 0 },
  metricsPath: '/metrics',
  webConfig: () => openWeb,
  version: '0.0.0',
  log,
  clock: systemClock,
  random: systemRandom,
});

async function counted(): Promise<number> {
  const { body } = await request(`http://127.0.0.1:${String(app.listening.port)}/metrics`);
  const lines = (await body.text()).split('\n');
  const line = lines.find(one => /^vb365_restore_events_total\{.*event_type="Restore",status="Success"/.test(one));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
}

async function appendAndWait(): Promise<number> {
  const before = await counted();
  const startedMs = systemClock.monotonic();
  simulator.world.appendEvent(session.id, { startedAt: now(), type: 'Restore', status: 'Success' });
  while ((await counted()) === before) await systemClock.sleep(10, never);
  return systemClock.monotonic() - startedMs;
}

while ((await request(`http://127.0.0.1:${String(app.listening.port)}/-/ready`)).statusCode !== 200)
  await systemClock.sleep(50, never);
await appendAndWait();
const tookMs: number[] = [];
for (let n = 0; n < events; n += 1) {
  await systemClock.sleep(systemRandom() * 1_500, never);
  tookMs.push(await appendAndWait());
}
say(
  `${String(events)} events: p50 ${percentile(tookMs, 50).toFixed(0)} ms, p99 ${percentile(tookMs, 99).toFixed(0)} ms, longest ${Math.max(...tookMs).toFixed(0)} ms`,
);
await app.stop(5_000);
await simulator.close();
rmSync(folder, { recursive: true });
