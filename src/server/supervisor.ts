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

/**
 * What a change of the configuration did: names of servers. `retried`: unchanged, but restarted because their login was
 * refused. `cut`: stopped before their deliveries were done; these are repeated.
 */
export type AppliedChanges = Readonly<Record<'added' | 'removed' | 'changed' | 'retried' | 'cut', readonly string[]>>;

type SupervisorDeps = Readonly<{
  clock: Clock;
  /** @param among how many servers start at the same time. */
  create: (spec: ServerSpec, among: number) => ManagedServer;
  /** Called for each removed server once it has stopped. */
  removed: (server: string) => void;
}>;

type ApplyOptions = Readonly<{
  /** How long a server that is replaced or removed may finish its deliveries; 5 s by default. */
  drainMs?: number;
  /** Whether to restart servers whose login was refused; the default. */
  retry?: boolean;
}>;

const replaceDrainMs = 5_000;

/** Reloads that try a refused login at once; the account may lock after more. */
const maxRetries = 3;
const retriesInMs = 1_800_000;

/** Runs the configured servers. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #over = Promise.withResolvers<void>();
  /** Rejects if a server ends unexpectedly; does not resolve before `stop`. */
  readonly running = this.#over.promise;
  #servers: readonly RunningServer[] = [];
  /** When each server was restarted because its login was refused, monotonic ms. */
  readonly #retriedAtMs = new Map<string, readonly number[]>();
  #isStopping = false;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.running.catch(() => undefined);
  }

  /** The status of each server, in the order of the configuration. */
  statuses(): readonly StatusObserver[] {
    return this.#servers.map(({ server }) => server.status);
  }

  /**
   * Runs exactly the given servers. Those that are removed or changed end their deliveries before any other starts, so
   * that no two ever deliver the same events; the others keep running. One call at a time.
   * @throws {ExporterError} `aborted` after `stop`; then nothing starts any more.
   */
  async apply(
    specs: readonly ServerSpec[],
    { drainMs = replaceDrainMs, retry = true }: ApplyOptions = {},
  ): Promise<AppliedChanges> {
    this.#throwIfStopping();
    const running = new Map(this.#servers.map(one => [one.name, one]));
    const {
      added = [],
      changed = [],
      retried = [],
      kept = [],
    } = Object.groupBy(specs, spec => this.#changeTo(spec, running.get(spec.server.name), retry));
    const position = new Map(specs.map(({ server }, index) => [server.name, index]));
    const keptNames = new Set(namesOf(kept));
    const ending = this.#servers.filter(({ name }) => !keptNames.has(name));
    const drained = await Promise.all(ending.map(async one => one.end(drainMs)));
    this.#throwIfStopping();
    const ended = ending.map(({ name }) => name);
    const removed = ended.filter(name => !position.has(name));
    for (const name of removed) this.#deps.removed(name);
    const started = this.#start([...added, ...changed, ...retried]);
    this.#servers = [...this.#servers.filter(({ name }) => keptNames.has(name)), ...started].toSorted(
      (a, b) => (position.get(a.name) ?? 0) - (position.get(b.name) ?? 0),
    );
    return {
      added: namesOf(added),
      removed,
      changed: namesOf(changed),
      retried: namesOf(retried),
      cut: ended.filter((_, index) => drained[index] === false),
    };
  }

  /** Ends all servers; deliveries that are not done after `drainMs` are aborted. */
  async stop(drainMs: number): Promise<'drained' | 'cut'> {
    this.#isStopping = true;
    const drained = await Promise.all(this.#servers.map(async running => running.end(drainMs)));
    this.#over.resolve();
    return drained.every(Boolean) ? 'drained' : 'cut';
  }

  #throwIfStopping(): void {
    if (this.#isStopping) throw new ExporterError('aborted', 'vb365-exporter is stopping');
  }

  #changeTo(
    spec: ServerSpec,
    running: RunningServer | undefined,
    retry: boolean,
  ): 'added' | 'changed' | 'retried' | 'kept' {
    if (running === undefined) return 'added';
    if (!configEquals(running.spec, spec)) return 'changed';
    return retry && running.server.loginRefused() && this.#mayRetry(running.name) ? 'retried' : 'kept';
  }

  /** Whether a reload may retry a refused login at once: three times in half an hour. Counts as a retry. */
  #mayRetry(name: string): boolean {
    const nowMs = this.#deps.clock.monotonic();
    const recent = (this.#retriedAtMs.get(name) ?? []).filter(atMs => nowMs - atMs < retriesInMs);
    if (recent.length >= maxRetries) return false;
    this.#retriedAtMs.set(name, [...recent, nowMs]);
    return true;
  }

  #start(specs: readonly ServerSpec[]): readonly RunningServer[] {
    const { clock, create } = this.#deps;
    // All are created before one runs: each must know of the others.
    const created = specs.map(spec => ({ spec, server: create(spec, specs.length) }));
    return created.map(({ spec, server }) => {
      const quit = new AbortController();
      const cut = new AbortController();
      const ended = server.run({ quit: quit.signal, cut: cut.signal }).catch(this.#over.reject);
      const end = async (drainMs: number): Promise<boolean> => {
        quit.abort();
        const drained = new AbortController();
        const timer = clock.sleep(drainMs, drained.signal).then(() => cut.abort());
        await ended;
        drained.abort();
        await timer.catch(() => undefined);
        await server.close();
        return !cut.signal.aborted;
      };
      let ending: Promise<boolean> | undefined;
      return { name: spec.server.name, spec, server, end: async drainMs => (ending ??= end(drainMs)) };
    });
  }
}

const namesOf = (specs: readonly ServerSpec[]): readonly string[] => specs.map(({ server }) => server.name);

type RunningServer = Readonly<{
  name: string;
  spec: ServerSpec;
  server: ManagedServer;
  /** Ends the server, once. Returns whether its deliveries were done within the time. */
  end: (drainMs: number) => Promise<boolean>;
}>;
