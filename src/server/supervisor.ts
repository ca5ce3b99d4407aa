import { configEquals } from '../config/compare.js';
import type { ServerConfig } from '../config/parse.js';
import type { History } from '../config/duration.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import type { StopSignals } from '../pipeline/sink-worker.js';
import type { StatusObserver } from './status-observer.js';

/** All settings that decide how a server runs. */
export type ServerSpec = Readonly<{ server: ServerConfig; history: History; abandonAfterMs: number }>;

/** One server, ready to run once. */
export interface ManagedServer {
  readonly status: StatusObserver;
  /** Resolves once everything has ended after `quit`; `cut` aborts deliveries. */
  run(stopping: StopSignals): Promise<void>;
  /** Its login was refused, and it will not try again by itself. */
  loginRefused(): boolean;
  /** Logs out and closes the connections; call it when `run` has ended. */
  close(): Promise<void>;
}

/** What a change of the configuration did: names of servers. */
export type AppliedChanges = Readonly<{
  added: readonly string[];
  removed: readonly string[];
  changed: readonly string[];
  /** Unchanged, but restarted because their login was refused. */
  retried: readonly string[];
  /** Stopped before their deliveries were done; these are repeated. */
  cut: readonly string[];
}>;

export type SupervisorDeps = Readonly<{
  clock: Clock;
  /** @param among how many servers start at the same time. */
  create: (spec: ServerSpec, among: number) => ManagedServer;
  /** Called for each removed server once it has stopped. */
  removed: (server: string) => void;
}>;

/** How long a server that is replaced may finish its deliveries. */
const replaceDrainMs = 5_000;

/** Runs the configured servers. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #over = Promise.withResolvers<undefined>();
  #servers: ReadonlyMap<string, RunningServer> = new Map();
  #isStopping = false;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#over.promise.catch(() => undefined);
  }

  /** Rejects if a server ends unexpectedly; does not resolve before `stop`. */
  get running(): Promise<void> {
    return this.#over.promise;
  }

  /** The status of each server, in the order of the configuration. */
  statuses(): readonly StatusObserver[] {
    return [...this.#servers.values()].map(({ server }) => server.status);
  }

  /**
   * Runs exactly the given servers. Those that are removed or changed end their deliveries before any other starts, so
   * that no two ever deliver the same events; the others keep running. One call at a time.
   * @throws {ExporterError} `aborted` after `stop`; then nothing starts any more.
   */
  async apply(specs: readonly ServerSpec[]): Promise<AppliedChanges> {
    this.#throwIfStopping();
    const changes = this.#changesTo(specs);
    const starting = new Set([...changes.added, ...changes.changed, ...changes.retried]);
    const ending = [...this.#servers].filter(([name]) => starting.has(name) || changes.removed.includes(name));
    const drained = await Promise.all(ending.map(async ([, running]) => running.end(replaceDrainMs)));
    this.#throwIfStopping();
    for (const name of changes.removed) this.#deps.removed(name);
    const all = new Map([...this.#servers, ...this.#start(specs.filter(({ server }) => starting.has(server.name)))]);
    const inOrder = specs.map(({ server }) => [server.name, all.get(server.name)] as const);
    this.#servers = new Map(
      inOrder.flatMap(([name, server]) => (server === undefined ? [] : [[name, server] as const])),
    );
    return { ...changes, cut: ending.flatMap(([name], index) => (drained[index] === true ? [] : [name])) };
  }

  /** Ends all servers; deliveries that are not done after `drainMs` are aborted. */
  async stop(drainMs: number): Promise<'drained' | 'cut'> {
    this.#isStopping = true;
    const drained = await Promise.all([...this.#servers.values()].map(async running => running.end(drainMs)));
    this.#over.resolve(undefined);
    return drained.every(Boolean) ? 'drained' : 'cut';
  }

  #throwIfStopping(): void {
    if (this.#isStopping) throw new ExporterError('aborted', 'vb365-exporter is stopping');
  }

  #start(specs: readonly ServerSpec[]): readonly (readonly [string, RunningServer])[] {
    const { clock, create } = this.#deps;
    // All are created before one runs: each must know of the others.
    const created = specs.map(spec => ({ spec, server: create(spec, specs.length) }));
    return created.map(one => [one.spec.server.name, run({ ...one, clock, failed: this.#over.reject })]);
  }

  #changesTo(specs: readonly ServerSpec[]): Omit<AppliedChanges, 'cut'> {
    const names = specs.map(({ server }) => server.name);
    const kept = specs.flatMap(spec => {
      const running = this.#servers.get(spec.server.name);
      return running === undefined ? [] : [{ name: spec.server.name, running, same: configEquals(running.spec, spec) }];
    });
    return {
      added: names.filter(name => !this.#servers.has(name)),
      removed: [...this.#servers.keys()].filter(name => !names.includes(name)),
      changed: kept.filter(({ same }) => !same).map(({ name }) => name),
      retried: kept.filter(({ same, running }) => same && running.server.loginRefused()).map(({ name }) => name),
    };
  }
}

type RunningServer = Readonly<{
  spec: ServerSpec;
  server: ManagedServer;
  /** Ends the server, once. Returns whether its deliveries were done within the time. */
  end: (drainMs: number) => Promise<boolean>;
}>;

type Created = Readonly<{ spec: ServerSpec; server: ManagedServer; clock: Clock; failed: (thrown: unknown) => void }>;

function run({ spec, server, clock, failed }: Created): RunningServer {
  const quit = new AbortController();
  const cut = new AbortController();
  const ended = server.run({ quit: quit.signal, cut: cut.signal }).catch(failed);
  const end = async (drainMs: number): Promise<boolean> => {
    quit.abort();
    const drained = await within(drainMs, ended, clock);
    cut.abort();
    await ended;
    await server.close();
    return drained;
  };
  let ending: Promise<boolean> | undefined;
  return { spec, server, end: async drainMs => (ending ??= end(drainMs)) };
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
