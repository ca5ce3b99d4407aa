import type { ServerConfig } from '../../src/config/parse.js';
import { milliseconds } from '../../src/model/time.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import type { EventDraft, SessionDraft } from '../../src/simulator/world.js';
import { readExposition, type Samples } from './samples.js';
import { fakeClock, type FakeClock } from './fake-clock.js';
import type { Fault } from './faults.js';
import { otlpReceiver } from './otlp-receiver.js';
import { program, type Program } from './program.js';
import { inFolder } from './folder.js';
import { configOf, serverConfig } from './program-config.js';
import { until } from './until.js';

export const routes = {
  token: '/token',
  list: '/RestoreSessions',
  session: '/RestoreSessions/{id}',
  events: '/RestoreSessions/{id}/Events',
} as const;
export type RouteName = keyof typeof routes;

/** The whole program, its log sink included, in front of a server that can be made to fail; time is a test's own. */
export type FaultStage = Readonly<{
  simulator: Simulator;
  app: Program;
  clock: FakeClock;
  /** Lets the next `times` requests of a route meet the fault; whatever they would have asked. */
  fail: (route: RouteName, times: number, fault: Fault) => Readonly<{ left: () => number }>;
  /** Adds an open session, and says its id. */
  openSession: (draft?: Partial<SessionDraft>) => string;
  /** Adds final events; they have to be taken. */
  addEvents: (session: string, count: number, draft?: Partial<EventDraft>) => void;
  /** Stops a session; its result has to be taken. */
  stopSession: (session: string) => void;
  /** Lets time pass until `holds` does. */
  pass: (holds: () => boolean | Promise<boolean>, stepMs?: number) => Promise<void>;
  metrics: () => Promise<Samples>;
  /** Time passes until everything that has to be taken is; then it is all there, once, and stays so. */
  endsComplete: () => Promise<void>;
  /** Closes the server's port. */
  goDown: () => Promise<void>;
  /** Opens it again: same history, but it knows no token any more. */
  comeBack: () => Promise<void>;
  /** The most logins that were under way at one time. */
  mostLogins: () => number;
}>;

export type FaultOptions = Readonly<{
  simulate?: Partial<SimulateOptions>;
  server?: Partial<ServerConfig>;
  /** How far the server's clock is ahead of ours. */
  skewMs?: number;
  /** What chance is all the time, from 0 to 1; default 0: nothing waits for longer than it must. */
  chance?: number;
}>;

/** Runs `play` once the program has met the server. */
export async function onFaultStage(options: FaultOptions, play: (stage: FaultStage) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    const serverClock = { ...clock, now: () => clock.now() + (options.skewMs ?? 0) };
    const simulator = await simulate({ clock: serverClock, ...options.simulate });
    const receiver = await otlpReceiver();
    const pace = { pollIntervalMs: 5_000, openPollIntervalMs: 1_000, requestTimeoutMs: 400, pageSize: 4 };
    const server = serverConfig(simulator.url, { ...pace, ...options.server });
    const app = await program(configOf(folder, server, receiver.url), 0, clock, { random: () => options.chance ?? 0 });
    const closers: (() => Promise<void>)[] = [];
    try {
      const hooks = interceptorOf(simulator);
      const wanted = worldOf(simulator, serverClock);
      const presence = presenceOf(simulator, { clock: serverClock, ...options.simulate }, closers);
      const stage = { simulator, app, clock, ...hooks, ...wanted, ...timeOf(app, clock), ...presence };
      const uids = (): readonly string[] => receiver.records().map(uidOf);
      await stage.pass(async () => ((await stage.metrics()).get(complete) ?? 0) > 0);
      await clock.advance(5_000);
      await play({ ...stage, endsComplete: async () => endsComplete(stage, uids) });
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await simulator.close();
      await Promise.all(closers.map(async close => close()));
    }
  });
}

function presenceOf(
  { url, world, close }: Simulator,
  options: SimulateOptions,
  closers: (() => Promise<void>)[],
): Pick<FaultStage, 'goDown' | 'comeBack'> {
  return {
    goDown: close,
    comeBack: async () => {
      const { history: _, ...rest } = options;
      const again = await simulate({ ...rest, world, port: Number(new URL(url).port) });
      closers.push(again.close);
    },
  };
}

const complete = 'vb365_polls_total{result="complete",server="hq"}';

type Records = ReturnType<Awaited<ReturnType<typeof otlpReceiver>>['records']>;
const uidOf = ({ attributes }: Records[number]): string =>
  String(attributes.find(({ key }) => key === 'log.record.uid')?.value['stringValue']);

function interceptorOf(simulator: Simulator): Pick<FaultStage, 'fail' | 'mostLogins'> {
  const faults = new Map<string, { left: number; fault: Fault }>();
  let [logins, most] = [0, 0];
  simulator.intercept(async (call, exchange) => {
    if (call.route === routes.token) {
      logins += 1;
      most = Math.max(most, logins);
      exchange.response.once('close', () => (logins -= 1));
    }
    const one = faults.get(call.route);
    if (one === undefined || one.left === 0) return exchange.proceed();
    one.left -= 1;
    return one.fault(call, exchange);
  });
  return {
    mostLogins: () => most,
    fail: (route, times, fault) => {
      const one = { left: times, fault };
      faults.set(routes[route], one);
      return { left: () => one.left };
    },
  };
}

/** What has to be taken, as it is added. */
type Wanted = Pick<FaultStage, 'openSession' | 'addEvents' | 'stopSession'> &
  Readonly<{ events: ReadonlySet<string>; results: ReadonlySet<string> }>;

function worldOf({ world }: Simulator, clock: Readonly<{ now: () => number }>): Wanted {
  const [events, results] = [new Set<string>(), new Set<string>()];
  const now = () => milliseconds(clock.now());
  return {
    events,
    results,
    openSession: draft => world.addSession({ createdAt: now(), ...draft }).id,
    addEvents: (session, count, draft) => {
      for (let left = count; left > 0; left -= 1)
        events.add(world.appendEvent(session, { startedAt: now(), type: 'Restore', ...draft }).id);
    },
    stopSession: session => void results.add(world.stopSession(session, { endedAt: now() }).id),
  };
}

function timeOf(app: Program, clock: FakeClock): Pick<FaultStage, 'pass' | 'metrics'> {
  return {
    metrics: async () => readExposition((await app.get('/metrics')).text),
    pass: async (holds, stepMs = 500) => {
      const step = async (): Promise<void> => clock.advance(stepMs);
      await step();
      await until(holds, 110_000, step);
    },
  };
}

type Parts = Pick<FaultStage, 'pass' | 'metrics'> & Wanted;

async function endsComplete(parts: Parts, uids: () => readonly string[]): Promise<void> {
  const { events, results, pass, metrics } = parts;
  const all = [...events, ...results].sort();
  const state = async () => {
    const samples = await metrics();
    return {
      events: totalOf(samples, 'vb365_restore_events_total'),
      results: totalOf(samples, 'vb365_restore_sessions_total'),
      records: [...new Set(uids())].sort(),
    };
  };
  const wanted = { events: events.size, results: results.size, records: all };
  const agrees = async (): Promise<boolean> =>
    new Set(uids()).size === all.length && JSON.stringify(await state()) === JSON.stringify(wanted);
  await pass(agrees);
  // Longer than the 60 s for which a stopped session is read again: nothing may be taken a second time.
  let steps = 0;
  await pass(() => (steps += 1) > 150, 500);
  if (!(await agrees())) throw new Error(`Was complete, and is not: ${JSON.stringify(await state())}`);
}

/** All series of a family together. */
export const totalOf = (samples: Samples, family: string): number =>
  [...samples].reduce((sum, [key, value]) => (key.startsWith(`${family}{`) ? sum + value : sum), 0);
