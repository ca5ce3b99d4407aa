import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../src/kernel/clock.js';
import { startExporter } from '../support/exporter-process.js';
import { inFolder } from '../support/folder.js';
import { otlpReceiver } from '../support/otlp-receiver.js';
import { until } from '../support/until.js';
import { ask } from '../support/web.js';
import {
  eventModes,
  feedModes,
  type HostileMode,
  hostileServer,
  type HostileServer,
  listModes,
} from './support/hostile-server.js';

const mebi = 1024 * 1024;
const [maxMemory, maxTurnMs] = [300 * mebi, 200];
const [eventModeMs, listModeMs] = [4_000, 11_000];
/** A good server has an event in every second; it is counted so long after it at most. */
const maxLagMs = 10_000;

/** How the exporter is started, and the API version of the servers. */
type Setting = Readonly<{ apiVersion: 'v7' | 'v8'; flags: readonly string[]; env: Readonly<Record<string, string>> }>;

const image = { flags: ['--max-semi-space-size=16'], env: { MALLOC_MMAP_THRESHOLD_: '131072' } };
const plainNode = { flags: [], env: {} };
const settings: readonly (readonly [string, Setting])[] = [
  ['v7, as the image starts the exporter', { apiVersion: 'v7', ...image }],
  ['v8, in plain Node', { apiVersion: 'v8', ...plainNode }],
];

type Servers = Readonly<Record<string, HostileServer>>;

function writeConfig(folder: string, servers: Servers, otlp: URL, apiVersion: string): string {
  const [file, password] = [join(folder, 'vb365-exporter.yaml'), join(folder, 'password')];
  writeFileSync(password, 'p', { mode: 0o600 });
  const login = { api_version: apiVersion, username: 'u', password_file: password };
  const pace = { poll_interval: '5s', open_poll_interval: '1s' };
  const config = {
    servers: Object.entries(servers).map(([name, { url }]) => ({ name, url, ...login, ...pace })),
    state: { path: join(folder, 'state.db') },
    otlp: { endpoint: otlp.origin },
    traces: { enabled: true },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Most that was resident at once, by the kernel. */
const peakMemory = (pid: number): number =>
  1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]);

/** The longest turn of the event loop since a time, without those under 100 ms. */
function longestTurnMs(file: string, sinceMs: number): number {
  const turns = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(' ').map(Number));
  return Math.max(0, ...turns.map(([atMs = 0, busyMs = 0]) => (atMs > sinceMs ? busyMs : 0)));
}

/** Plays modes to one exporter, which also polls a good server, and checks after each what it has seen. */
async function playing(modes: readonly HostileMode[], modeMs: number, setting: Setting): Promise<void> {
  await inFolder(async folder => {
    const [hostile, good, receiver] = [await hostileServer(60), await hostileServer(1), await otlpReceiver()];
    const turns = join(folder, 'long-turns');
    writeFileSync(turns, '');
    const watch = `--import=${pathToFileURL(resolve('dist/test/e2e/support/long-turns.js')).href}`;
    const [first] = modes;
    if (first !== undefined) hostile.play(first);
    const child = startExporter(writeConfig(folder, { hostile, good }, receiver.url, setting.apiVersion), [], {
      flags: [...setting.flags, watch],
      env: { ...setting.env, LONG_TURNS_FILE: turns },
    });
    try {
      const startedMs = systemClock.now();
      const events = (): number => Math.floor((systemClock.now() - startedMs) / 1_000);
      good.rows(events);
      const port = await child.listening;
      const taken = async (): Promise<number> => {
        const { body } = await ask(port, '/metrics');
        return Number(
          /^vb365_sink_delivered_total\{server="good",sink="logs",outcome="delivered"\} (\d+)$/m.exec(body)?.[1],
        );
      };
      // An answer shows that the turn that starts the program is over.
      await taken();
      const sinceMs = systemClock.now() + 100;
      for (const mode of modes) {
        hostile.play(mode);
        const endsMs = systemClock.now() + modeMs;
        await until(() => systemClock.now() >= endsMs, 2 * modeMs);
        const due = events();
        await until(async () => (await taken()) >= due, maxLagMs);
        check(mode.name, peakMemory(child.pid), longestTurnMs(turns, sinceMs));
      }
    } finally {
      child.kill('SIGKILL');
      await child.ended;
      await Promise.all([hostile.close(), good.close(), receiver.close()]);
    }
  });
}

function check(mode: string, memory: number, turnMs: number): void {
  expect({ mode, memory, isSmall: memory < maxMemory }).toEqual({ mode, memory, isSmall: true });
  expect({ mode, turnMs, isQuick: turnMs < maxTurnMs }).toEqual({ mode, turnMs, isQuick: true });
}

describe.each(settings)(
  'a hostile server costs little memory, blocks nothing, delays no good server: %s',
  (_, setting) => {
    // Memory that one mode has left in pieces counts for the next: plain Node has no limit for that.
    const groups = setting.flags === plainNode.flags ? eventModes.map(mode => [mode]) : [eventModes];
    test.each(groups.map(group => [group.map(({ name }) => name).join(', '), group] as const))(
      'by the events of its sessions: %s',
      async (__, group) => playing(group, eventModeMs, setting),
    );

    const modes = setting.apiVersion === 'v8' ? [...feedModes, ...listModes] : listModes;
    test.each(modes)('by $name', async mode => playing([mode], listModeMs, setting));
  },
);
