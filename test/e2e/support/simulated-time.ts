import { systemClock } from '../../../src/kernel/clock.js';
import { simulate, type Simulator } from '../../../src/simulator/simulate.js';
import type { Intercept } from '../../../src/simulator/traffic.js';
import { World } from '../../../src/simulator/world.js';
import { fakeClock } from '../../support/fake-clock.js';
import { officeHours, type OfficeHours } from '../../support/office-hours.js';
import { type Program, program } from '../../support/program.js';
import { configOf, serverConfig } from '../../support/program-config.js';
import { getText } from './running.js';

/** A VB365 server by its name in the configuration, and what happens on it. */
export type SimulatedServer = Readonly<{ name: string; play: Omit<OfficeHours, 'fromMs' | 'untilMs'> }>;

export type SimulatedTime = Readonly<{
  folder: string;
  fromMs: number;
  untilMs: number;
  /** The exporter begins; what was before is history. Default: `fromMs`. */
  beginMs?: number;
  /** The exporter polls, and is scraped, so often. */
  stepMs: number;
  servers: readonly SimulatedServer[];
  /** Takes each scrape: the page, and when it was served. */
  scraped: (page: string, atMs: number) => void;
  /** Called at the end, while the servers still answer; their addresses by name. */
  ending?: (urls: ReadonlyMap<string, string>) => Promise<void>;
}>;

/** The books of the servers, by name. */
export type Worlds = ReadonlyMap<string, World>;

type Stage = Readonly<{
  server: SimulatedServer;
  simulator: Simulator;
  world: World;
  advance: (nowMs: number) => void;
}>;

/**
 * Lets time pass in the whole program, its HTTP included, step by step: at each step the servers go on, the exporter
 * takes what is there, and is scraped once, as by a Prometheus.
 */
export async function simulatedTime(options: SimulatedTime): Promise<Worlds> {
  const { fromMs, untilMs, stepMs, beginMs = fromMs } = options;
  const clock = fakeClock(beginMs);
  let [asked, inFlight] = [0, 0];
  const intercept: Intercept = (_, { response, proceed }) => {
    asked += 1;
    inFlight += 1;
    response.once('close', () => (inFlight -= 1));
    proceed();
  };
  const stages = await Promise.all(
    options.servers.map(async (server): Promise<Stage> => {
      const world = new World(server.play.seed);
      const simulator = await simulate({ clock, world, seed: server.play.seed, versions: [6, 7], intercept });
      const script = officeHours({ ...server.play, fromMs: fromMs + stepMs * 3, untilMs });
      return { server, simulator, world, advance: nowMs => script.advance(world, nowMs) };
    }),
  );
  for (const { advance } of stages) advance(beginMs);
  const app = await program(configWith(options, stages), 0, clock);
  try {
    for (let nowMs = beginMs; nowMs <= untilMs; nowMs += stepMs) {
      for (const { advance } of stages) advance(nowMs);
      await clock.advance(nowMs === beginMs ? 0 : stepMs);
      await quiet(() => ({ asked, inFlight }));
      options.scraped(await scrape(app), nowMs);
    }
    await options.ending?.(new Map(stages.map(({ server, simulator }) => [server.name, simulator.url])));
  } finally {
    await app.stop(5_000);
    for (const { simulator } of stages) await simulator.close();
  }
  return new Map(stages.map(({ server, world }) => [server.name, world]));
}

function configWith({ folder, stepMs }: SimulatedTime, stages: readonly Stage[]) {
  const pace = { pollIntervalMs: stepMs, openPollIntervalMs: stepMs, apiVersion: 'v7' as const };
  const servers = stages.map(({ server, simulator }) => serverConfig(simulator.url, { name: server.name, ...pace }));
  const [first] = servers;
  if (first === undefined) throw new Error('There is no server to read');
  return { ...configOf(folder, first), servers };
}

/** Waits until no request has been in flight, and none was begun, for a while. */
async function quiet(look: () => Readonly<{ asked: number; inFlight: number }>): Promise<void> {
  let [still, before] = [0, look().asked];
  while (still < 4) {
    await systemClock.sleep(1, new AbortController().signal);
    const { asked, inFlight } = look();
    still = inFlight === 0 && asked === before ? still + 1 : 0;
    before = asked;
  }
}

const scrape = async (app: Program): Promise<string> =>
  (
    await getText(`http://127.0.0.1:${String(app.listening.port)}/metrics`, {
      headers: { 'x-prometheus-scrape-timeout-seconds': '10', 'user-agent': 'Prometheus/simulated' },
    })
  ).text;
