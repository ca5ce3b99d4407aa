import type { ServerConfig } from '../config/parse.js';
import { configEquals } from '../config/compare.js';
import type { History } from '../config/duration.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import type { StopSignals } from '../pipeline/sink-worker.js';
import type { StatusObserver } from './status-observer.js';

/** All that decides how a line runs. */
export type ServerSpec = Readonly<{ server: ServerConfig; history: History; abandonAfterMs: number }>;

/** The line of one server, ready to run once. */
export interface ManagedServer {
  readonly status: StatusObserver;
  /** Resolves once everything has ended after `quit`; `cut` gives up what is being delivered. */
  run(stopping: StopSignals): Promise<void>;
  /** Its login was refused and is waited with: only another line tries before. */
  loginRefused(): boolean;
  /** Logs out and closes the connections; after the end of `run`. */
  close(): Promise<void>;
}

/** What a change of the configuration means: names of servers. */
export type ServerChanges = Readonly<{
  added: readonly string[];
  removed: readonly string[];
  changed: readonly string[];
  /** Unchanged, but begun anew because their login was refused. */
  triedAgain: readonly string[];
}>;

/** Beside them, the servers whose old line was not done in time: what it had in hand is done again. */
export type AppliedChanges = ServerChanges & Readonly<{ cut: readonly string[] }>;

/** The lines that run, one for each server. */
export interface Supervisor {
  /** Rejects when a line ends that should not have; never resolves before `stop`. */
  readonly running: Promise<void>;
  /** What is known of each server, in the order of the configuration. */
  watches(): readonly StatusObserver[];
  /**
   * Runs exactly the lines that are planned. One that is gone, or planned otherwise, is ended to its last delivery
   * before any other begins, so that no two lines ever deliver the same; one that is planned as before goes on untouched.
   * One call at a time.
   * @throws {ExporterError} `aborted` when `stop` was called; then nothing begins any more.
   */
  apply(plans: readonly ServerSpec[]): Promise<AppliedChanges>;
  /** Ends all lines; what is not done after `drainMs` is cut off. */
  stop(drainMs: number): Promise<'drained' | 'cut'>;
}

export type SupervisorDeps = Readonly<{
  clock: Clock;
  /** @param among how many lines begin at once. */
  make: (plan: ServerSpec, among: number) => ManagedServer;
  /** Told of a server that is gone, once its line has ended. */
  gone: (server: string) => void;
}>;

/** How long a line that is replaced may go on with what is in hand. */
const replacedDrainMs = 5_000;

export function createSupervisor({ clock, make, gone }: SupervisorDeps): Supervisor {
  let current: ReadonlyMap<string, Running> = new Map();
  let isStopping = false;
  const over = Promise.withResolvers<undefined>();
  over.promise.catch(() => undefined);
  const orStopped = (): void => {
    if (isStopping) throw new ExporterError('aborted', 'vb365-exporter is stopping');
  };
  const begin = (plans: readonly ServerSpec[]): ReadonlyMap<string, Running> => {
    // All are made before one runs: each must know of the others.
    const made = plans.map(plan => ({ plan, line: make(plan, plans.length) }));
    return new Map(made.map(({ plan, line }) => [plan.server.name, run({ plan, line, clock, failed: over.reject })]));
  };
  return {
    running: over.promise,
    watches: () => [...current.values()].map(({ line }) => line.status),
    apply: async plans => {
      orStopped();
      const changes = changesOf(current, plans);
      const fresh = new Set([...changes.added, ...changes.changed, ...changes.triedAgain]);
      const ending = [...current].filter(([name]) => fresh.has(name) || changes.removed.includes(name));
      const drained = await Promise.all(ending.map(async ([, { end }]) => end(replacedDrainMs)));
      orStopped();
      for (const name of changes.removed) gone(name);
      const begun = begin(plans.filter(({ server }) => fresh.has(server.name)));
      const all = new Map([...current, ...begun]);
      const inOrder = plans.map(({ server }) => [server.name, all.get(server.name)] as const);
      current = new Map(inOrder.flatMap(([name, line]) => (line === undefined ? [] : [[name, line] as const])));
      return { ...changes, cut: ending.flatMap(([name], index) => (drained[index] === true ? [] : [name])) };
    },
    stop: async drainMs => {
      isStopping = true;
      const drained = await Promise.all([...current.values()].map(async ({ end }) => end(drainMs)));
      over.resolve(undefined);
      return drained.every(Boolean) ? 'drained' : 'cut';
    },
  };
}

function changesOf(running: ReadonlyMap<string, Running>, plans: readonly ServerSpec[]): ServerChanges {
  const names = plans.map(({ server }) => server.name);
  const planned = new Set(names);
  const kept = plans.flatMap(plan => {
    const now = running.get(plan.server.name);
    return now === undefined ? [] : [{ name: plan.server.name, line: now.line, same: configEquals(now.plan, plan) }];
  });
  return {
    added: names.filter(name => !running.has(name)),
    removed: [...running.keys()].filter(name => !planned.has(name)),
    changed: kept.filter(({ same }) => !same).map(({ name }) => name),
    triedAgain: kept.filter(({ same, line }) => same && line.loginRefused()).map(({ name }) => name),
  };
}

type Running = Readonly<{
  plan: ServerSpec;
  line: ManagedServer;
  /** Ends it, once, however often it is asked for. Answers whether what was in hand was done within the time. */
  end: (drainMs: number) => Promise<boolean>;
}>;

type Begun = Readonly<{ plan: ServerSpec; line: ManagedServer; clock: Clock; failed: (thrown: unknown) => void }>;

function run({ plan, line, clock, failed }: Begun): Running {
  const quit = new AbortController();
  const cut = new AbortController();
  const ended = line.run({ quit: quit.signal, cut: cut.signal }).catch(failed);
  const end = async (drainMs: number): Promise<boolean> => {
    quit.abort();
    const drained = await within(drainMs, ended, clock);
    cut.abort();
    await ended;
    await line.close();
    return drained;
  };
  let ending: Promise<boolean> | undefined;
  return { plan, line, end: async drainMs => (ending ??= end(drainMs)) };
}

/** Whether `work` ended within `ms`. */
async function within(ms: number, work: Promise<void>, clock: Clock): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(
    () => false,
    () => true,
  );
  const done = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return done;
}
