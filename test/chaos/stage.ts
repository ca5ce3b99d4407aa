import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds, type Nanos } from '../../src/model/time.js';
import { simulate, type Simulator } from '../../src/simulator/simulate.js';
import { createHistory, type History } from './history.js';
import { type Accounts, keepAccounts } from './accounts.js';

/** A server of the exporter's, and what goes on in it. */
export type StageServer = Readonly<{ name: string; simulator: Simulator; history: History }>;

/** Everything around the process that is killed. */
export type Stage = Readonly<{
  folder: string;
  configFile: string;
  servers: readonly StageServer[];
  accounts: Accounts;
  happens: EventEmitter;
  /** Opens another session, on each server alternately. */
  openSession: () => void;
  /** Lets happen what is due by the servers' clock, and says how many final events there have been. */
  advance: () => number;
  /** Puts the servers' clock forward. */
  leap: (ms: number) => void;
  close: () => Promise<void>;
}>;

/** The servers' clock runs so much faster than ours, so that a minute after a stop is six seconds. */
const pace = 10;
const defaultNames = ['hq', 'branch'];

type StageOptions = Readonly<{ names?: readonly string[]; /** The section of the configuration. */ state?: unknown }>;

export async function setStage(
  folder: string,
  seed: number,
  { names = defaultNames, state = { path: join(folder, 'state.db') } }: StageOptions = {},
): Promise<Stage> {
  const startedMs = systemClock.now();
  let leaptMs = 0;
  const nowMs = (): number => startedMs + leaptMs + (systemClock.now() - startedMs) * pace;
  const now = (): Nanos => milliseconds(nowMs());
  let opened = 0;
  const happens = new EventEmitter();
  const accounts = await keepAccounts(happens);
  const servers = await Promise.all(
    names.map(async (name, index): Promise<StageServer> => {
      const simulator = await simulate({ clock: { ...systemClock, now: nowMs }, seed: seed + index });
      const history = createHistory(simulator.world, seed * names.length + index);
      simulator.intercept(({ route }, { proceed }) => {
        history.advance(now());
        proceed();
        if (route.endsWith('/Events')) happens.emit('read');
      });
      return { name, simulator, history };
    }),
  );
  return {
    folder,
    configFile: writeConfig(folder, servers, { otlp: accounts.url, state }),
    servers,
    accounts,
    happens,
    openSession: () => {
      servers[opened % servers.length]?.history.open(now());
      opened += 1;
    },
    advance: () => {
      for (const { history } of servers) history.advance(now());
      return servers.reduce((sum, { history }) => sum + history.finished(), 0);
    },
    leap: ms => {
      leaptMs += ms;
    },
    close: async () => {
      await accounts.close();
      await Promise.all(servers.map(async ({ simulator }) => simulator.close()));
    },
  };
}

type Targets = Readonly<{ otlp: URL; state: unknown }>;

function writeConfig(folder: string, servers: readonly StageServer[], { otlp, state }: Targets): string {
  const [file, password] = [join(folder, 'vb365-exporter.yaml'), join(folder, 'password')];
  writeFileSync(password, 'simulator', { mode: 0o600 });
  const config = {
    servers: servers.map(({ name, simulator }) => ({
      name,
      url: simulator.url,
      username: 'simulator',
      password_file: password,
      poll_interval: '5s',
      open_poll_interval: '1s',
      page_size: 50,
    })),
    abandon_after: '2m',
    state,
    otlp: { endpoint: otlp.href.replace(/\/$/, ''), protocol: 'http/json' },
    // The servers' clock runs ahead; with the time of sending, a repetition would be another record.
    logs: { max_ahead: 'off' },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
