import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import type { SimulatedVersion } from '../../src/simulator/quirks.js';
import { simulate, type Simulator } from '../../src/simulator/simulate.js';
import type { Intercept, RecordedRequest } from '../../src/simulator/traffic.js';
import { startExporter } from '../support/exporter-process.js';
import { answer, cut, type Fault, reset, silence, webPage } from '../support/faults.js';
import { inFolder } from '../support/folder.js';
import { chance } from '../support/chance.js';
import { type Accounts, keepAccounts } from './accounts.js';
import { scrape } from './kills.js';

export type SoakOptions = Readonly<{
  /** How long answers are faulty. */
  seconds: number;
  servers: number;
  /** Open sessions on each server; each gets an event every 2 s. */
  sessions: number;
  /** The part of the requests with a faulty answer, and the part without any. */
  faults: number;
  hangs: number;
  /** The events of the first session of each server are never answered. */
  stuck: boolean;
  requestTimeoutSeconds: number;
  version: SimulatedVersion;
  seed: number;
}>;

/** Lags are seconds from an event on the server to its log record at the receiver. */
export type SoakReport = Readonly<{
  events: number;
  requests: number;
  faulty: number;
  /** 99th percentile and maximum over the events of all sessions but those with a request that was never answered. */
  lagP99: number;
  lagMax: number;
  /** From the end of the faults to the last record, in seconds; Infinity if a record has not arrived after two minutes. */
  recovered: number;
  lost: number;
  /** The most log lines of one server in one minute after the start. */
  linesPerMinute: number;
  lines: readonly string[];
}>;

const faults: readonly Fault[] = [answer(500), answer(429), answer(401), webPage(200), cut, reset];
const startMs = 3_000;
const eventEveryMs = 2_000;

/** Runs the real program against servers whose answers fail in part. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const reports: SoakReport[] = [];
  await inFolder(async folder => {
    const happens = new EventEmitter();
    const accounts = await keepAccounts(happens);
    const servers = await Promise.all(
      Array.from({ length: options.servers }, async (_, index) =>
        simulate({ clock: systemClock, seed: options.seed + index, versions: [options.version] }),
      ),
    );
    const child = startExporter(writeConfig(folder, { servers, otlp: accounts.url, options }));
    try {
      await child.listening;
      await sleep(startMs);
      await scrape(child);
      reports.push(await soak(options, { servers, accounts, happens, said: child.said }));
    } finally {
      child.kill('SIGKILL');
      await child.ended;
      await accounts.close();
      await Promise.all(servers.map(async ({ close }) => close()));
    }
  });
  const [report] = reports;
  if (report === undefined) throw new Error('no report was made');
  return report;
}

type Rig = Readonly<{
  servers: readonly Simulator[];
  accounts: Accounts;
  happens: EventEmitter;
  said: readonly string[];
}>;

type Added = Readonly<{ session: string; atMs: number }>;

async function soak(options: SoakOptions, { servers, accounts, happens, said }: Rig): Promise<SoakReport> {
  const added = new Map<string, Added>();
  const arrived = new Map<string, number>();
  happens.on('export', () => {
    for (const uid of accounts.uids()) if (!arrived.has(uid)) arrived.set(uid, systemClock.monotonic());
  });
  const sessions = servers.flatMap(({ world }) =>
    Array.from({ length: options.sessions }, () => {
      const { id } = world.addSession({ createdAt: milliseconds(systemClock.now()) });
      return { world, id };
    }),
  );
  await sleep(startMs);
  const logged = said.length;
  const meddling = servers.map((server, index) => meddle(server, options, index));
  const beganMs = systemClock.monotonic();
  for (let next = beganMs; next < beganMs + options.seconds * 1_000; next += eventEveryMs) {
    for (const { world, id } of sessions) {
      const event = world.appendEvent(id, { startedAt: milliseconds(systemClock.now()), type: 'Restore' });
      added.set(event.id, { session: id, atMs: systemClock.monotonic() });
    }
    await sleep(Math.max(0, next + eventEveryMs - systemClock.monotonic()));
  }
  for (const server of servers) server.intercept(undefined);
  const endedMs = systemClock.monotonic();
  const missing = (): readonly string[] => [...added.keys()].filter(uid => !arrived.has(uid));
  while (missing().length > 0 && secondsSince(endedMs) < 120) await sleep(100);
  const hung = new Set(meddling.flatMap(one => [...one.hung]));
  const lags = [...added]
    .filter(([, { session }]) => !hung.has(session))
    .map(([uid, { atMs }]) => ((arrived.get(uid) ?? Infinity) - atMs) / 1_000)
    .sort((a, b) => a - b);
  const lines = said.slice(logged);
  return {
    events: added.size,
    requests: sum(meddling.map(({ requests }) => requests)),
    faulty: sum(meddling.map(one => one.faulty)),
    lagP99: lags[Math.floor(lags.length * 0.99)] ?? Infinity,
    lagMax: lags.at(-1) ?? Infinity,
    recovered: missing().length > 0 ? Infinity : secondsSince(endedMs),
    lost: missing().length,
    linesPerMinute: mostPerMinute(lines),
    lines,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const minuteOf = (line: string): string =>
  `${/ts=(\S{16})/.exec(line)?.[1] ?? ''} ${/server=(\S+)/.exec(line)?.[1] ?? ''}`;

/** The most lines of one server in one minute of the clock. */
function mostPerMinute(lines: readonly string[]): number {
  return Math.max(
    0,
    ...Map.groupBy(lines, minuteOf)
      .values()
      .map(({ length }) => length),
  );
}

/** Counts, and the sessions with a request that was never answered. */
type Meddling = { requests: number; faulty: number; readonly hung: Set<string> };

function meddle(server: Simulator, options: SoakOptions, index: number): Meddling {
  const random = chance(options.seed * 1_000_003 + index * 104_729);
  const done: Meddling = { requests: 0, faulty: 0, hung: new Set() };
  const stuck = options.stuck ? server.world.sessions().at(-1)?.id : undefined;
  const hook: Intercept = (call, exchange) => {
    done.requests += 1;
    const session = sessionOf(call, exchange.request.url ?? '');
    const dice = random();
    const isHung = (stuck !== undefined && session === stuck) || dice < options.hangs;
    if (!isHung && dice >= options.hangs + options.faults) return exchange.proceed();
    done.faulty += 1;
    if (isHung && session !== undefined) done.hung.add(session);
    const fault = isHung ? silence : faults[Math.floor(random() * faults.length)];
    return fault?.(call, exchange);
  };
  server.intercept(hook);
  return done;
}

const sessionOf = ({ route }: RecordedRequest, url: string): string | undefined =>
  route.startsWith('/RestoreSessions/{id}') ? /RestoreSessions\/([^/?]+)/.exec(url)?.[1] : undefined;

const secondsSince = (ms: number): number => (systemClock.monotonic() - ms) / 1_000;

const sleep = async (ms: number): Promise<void> => systemClock.sleep(ms, new AbortController().signal);

type ConfigParts = Readonly<{ servers: readonly Simulator[]; otlp: URL; options: SoakOptions }>;

function writeConfig(folder: string, { servers, otlp, options }: ConfigParts): string {
  const [file, password] = [join(folder, 'vb365-exporter.yaml'), join(folder, 'password')];
  writeFileSync(password, 'simulator', { mode: 0o600 });
  const config = {
    servers: servers.map(({ url }, index) => ({
      name: `server-${String(index + 1)}`,
      url,
      username: 'simulator',
      password_file: password,
      poll_interval: '5s',
      open_poll_interval: '2s',
      request_timeout: `${String(options.requestTimeoutSeconds)}s`,
    })),
    state: { path: join(folder, 'state.db') },
    otlp: { endpoint: otlp.href.replace(/\/$/, ''), protocol: 'http/json' },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
