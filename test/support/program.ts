import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openWeb } from '../../src/config/web-config.js';
import { type App, type AppOptions, startApp } from '../../src/app.js';
import type { SecretSource } from '../../src/config/environment.js';
import type { Config, ServerConfig } from '../../src/config/parse.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { Secret } from '../../src/kernel/secret.js';
import { keepAll, target } from './logs.js';

/** A folder that is gone after the test. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-test-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `password`: in place of the simulator's. */
type Over = Partial<ServerConfig> & Readonly<{ password?: SecretSource }>;

export const serverConfig = (url: string, { password, ...over }: Over = {}): ServerConfig => ({
  name: 'hq',
  url: new URL(url),
  apiVersion: 'v6',
  login: { kind: 'password', username: 'simulator', secret: password ?? { value: new Secret('simulator') } },
  tls: { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: false },
  proxy: undefined,
  pollIntervalMs: 20,
  openPollIntervalMs: 20,
  reconcileIntervalMs: 900_000,
  requestTimeoutMs: 5_000,
  pageSize: 1000,
  ...over,
});

export const configOf = (folder: string, server: ServerConfig, otlp?: URL): Config => ({
  servers: [server],
  history: { kind: 'now' },
  abandonAfterMs: 3_600_000,
  maxConcurrentRequests: 32,
  state: { path: join(folder, 'state.db') },
  metrics: { organizationLabel: true, maxOrganizations: 1000, firstIncrementHold: true },
  logs:
    otlp === undefined
      ? undefined
      : { ...target(otlp), personalData: keepAll, maxAgeMs: undefined, maxBehindMs: undefined, maxAheadMs: undefined },
  traces: undefined,
  ownTelemetry: undefined,
  hashKeyFile: undefined,
  warnings: [],
});

export type Program = App & {
  /** Lines of the program's own log. */
  readonly said: readonly string[];
  get(path: string): Promise<{ status: number; text: string }>;
  /** The value of a series, by its text before the value. */
  value(series: string): Promise<number | undefined>;
};

/** The whole program in this process, on a free port unless one is given. */
export async function program(
  config: Config,
  port = 0,
  clock: Clock = systemClock,
  over: Partial<Pick<AppOptions, 'reread' | 'random'>> = {},
): Promise<Program> {
  const said: string[] = [];
  const log = createLog({ level: 'debug', format: 'logfmt', write: line => void said.push(line) });
  const listenAt = { host: '127.0.0.1', port };
  const common = {
    configFile: undefined,
    reread: () => config,
    lifecycle: true,
    metricsPath: '/metrics',
    webConfig: () => openWeb,
    version: '0.0.0',
    clock,
    random: () => 0,
    ...over,
  };
  const app = await startApp({ config, listenAt, log, ...common });
  const get: Program['get'] = async path => {
    // oxlint-disable-next-line no-restricted-globals -- its own client
    const response = await fetch(`http://127.0.0.1:${String(app.listening.port)}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const value: Program['value'] = async series => {
    const { text } = await get('/metrics');
    const line = text.split('\n').find(one => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { ...app, said, get, value };
}

/** Long enough that looking takes no time from what is looked at. */
const betweenLooks = async (): Promise<void> => pause(10);

/** Waits until `holds` does, looking again after each `wait`; fails after `withinMs`. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  withinMs = 30_000,
  wait = betweenLooks,
): Promise<void> {
  const giveUpAt = systemClock.monotonic() + withinMs;
  while (!(await holds())) {
    if (systemClock.monotonic() > giveUpAt) throw new Error(`Not within ${String(withinMs)} ms: ${holds.toString()}`);
    await wait();
  }
}
