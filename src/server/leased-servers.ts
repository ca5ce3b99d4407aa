import { type Clock, endedOrLate, type Random } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { LeaseMove } from '../model/labels.js';
import type { Leases, LeaseView } from '../store/postgresql/leases.js';
import { type Move, nextMove } from './shares.js';
import type { AppliedChanges, ServerSpec, Supervisor } from './supervisor.js';

type LeasedServersDeps = Readonly<{
  leases: Leases;
  /** Between two renewals. */
  renewMs: number;
  supervisor: Pick<Supervisor, 'apply' | 'stop'>;
  /** Loads the state of servers that were acquired, before they start. @throws {ExporterError} `store`. */
  load: (servers: readonly string[]) => Promise<void>;
  /** Removes what is served of servers that another replica may hold now. */
  unload: (servers: readonly string[]) => Promise<void>;
  /** Called with the names of all configured servers. */
  configured: (servers: readonly string[]) => void;
  /** Called after each renewal, with what it found and the names of all configured servers. */
  renewed: (view: LeaseView, servers: readonly string[]) => void;
  /** Called when servers came to this replica, or left it. */
  moved: (change: LeaseMove, servers: number) => void;
  clock: Pick<Clock, 'sleep'>;
  random: Random;
  log: Pick<Log, 'info' | 'warn'>;
}>;

/** A page does not wait longer for PostgreSQL. */
const longestWaitMs = 2_000;
/** How often a replica looks whether its leases have ended, and for the next server while servers move. */
const tickMs = 1_000;

/** Runs those of the configured servers whose leases this replica holds. */
export class LeasedServers {
  readonly #deps: LeasedServersDeps;
  readonly #quit = new AbortController();
  #specs: readonly ServerSpec[] = [];
  #loops: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();
  /** What the last renewal has found; undefined once it was acted upon. */
  #view: LeaseView | undefined;
  #isSettled = false;
  #isReachable = true;
  #running: ReadonlySet<string> = new Set();
  /** Servers whose series are served. */
  #loaded: ReadonlySet<string> = new Set();

  constructor(deps: LeasedServersDeps) {
    this.#deps = deps;
  }

  /** Looks for servers to run, and goes on until `stop`. @throws {ExporterError} `store`. */
  async start(specs: readonly ServerSpec[]): Promise<void> {
    await this.apply(specs);
    await this.#renew();
    await this.#exclusive(async () => this.#act());
    this.#loops = Promise.all([this.#keepRenewing(), this.#keepActing()]);
  }

  /** Changes the configured servers. Those that other replicas hold are not in what it returns. */
  async apply(specs: readonly ServerSpec[]): Promise<AppliedChanges> {
    await this.#deps.leases.enroll(namesOf(specs));
    return this.#exclusive(async () => {
      this.#specs = specs;
      this.#deps.configured(namesOf(specs));
      return this.#run(new Set(this.#deps.leases.held()), { retry: true });
    });
  }

  /** Ends all servers. Their leases stay until `leave`, so that what is left can be committed. */
  async stop(drainMs: number): Promise<'drained' | 'cut'> {
    this.#quit.abort();
    // Others do not count with this replica any more.
    const draining = this.#deps.leases.renew([], true).catch(() => undefined);
    const ended = await this.#deps.supervisor.stop(drainMs);
    await Promise.all([draining, this.#loops]);
    return ended;
  }

  /**
   * Call before a page: a replica that was paused may still serve what another one serves now. Without an answer of
   * PostgreSQL the last values stay. Never rejects.
   */
  async beforePage(): Promise<void> {
    if (this.#loaded.isSubsetOf(new Set(this.#deps.leases.held()))) return;
    const looked = this.#renew().then(async () => this.#exclusive(async () => this.#act()));
    await endedOrLate(looked, longestWaitMs);
  }

  /** Gives everything to the other replicas. */
  async leave(): Promise<void> {
    await this.#deps.leases.leave().catch((thrown: unknown) => {
      const error = toExporterError(thrown).message;
      this.#deps.log.warn('Could not release leases: other replicas wait until they end', { error });
    });
  }

  async #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #keepRenewing(): Promise<void> {
    const { renewMs } = this.#deps;
    while (!this.#quit.signal.aborted) {
      await this.#sleep(this.#isSettled && this.#isReachable ? renewMs : tickMs);
      if (!this.#quit.signal.aborted) await this.#renew();
    }
  }

  async #keepActing(): Promise<void> {
    while (!this.#quit.signal.aborted) {
      await this.#sleep(tickMs);
      if (!this.#quit.signal.aborted) await this.#exclusive(async () => this.#act());
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#quit.signal).catch(() => undefined);
  }

  async #renew(): Promise<void> {
    const { leases, renewed, log } = this.#deps;
    const servers = namesOf(this.#specs);
    try {
      const view = await leases.renew(servers, false);
      if (!this.#isReachable) log.info('Leases recovered');
      this.#isReachable = true;
      this.#view = view;
      renewed(view, servers);
    } catch (thrown) {
      if (this.#isReachable)
        log.warn('Could not renew leases; servers stop before they end', { error: toExporterError(thrown).message });
      this.#isReachable = false;
    }
  }

  /** One step towards what this replica should hold. Never rejects: what fails is tried at the next step. */
  async #act(): Promise<void> {
    try {
      await this.#step();
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason !== 'aborted')
        this.#deps.log.warn('Could not move servers, will retry', { error: error.message });
    }
  }

  async #step(): Promise<void> {
    const { leases, unload, moved, log } = this.#deps;
    await this.#endLost();
    const view = this.#view;
    if (view === undefined) return;
    this.#view = undefined;
    const { acquire, release, settled } = this.#nextMove(view);
    this.#isSettled = settled;
    await this.#acquire(acquire);
    const keep = new Set(leases.held()).difference(new Set(release));
    await this.#run(keep, { retry: false });
    await unload([...this.#loaded.difference(keep)]);
    this.#loaded = keep;
    const given = leases.held().filter(server => !keep.has(server));
    if (given.length > 0) {
      await leases.release(given);
      moved('released', given.length);
      log.info('Released servers', { servers: given.join(' ') });
    }
  }

  /** At once: another replica may deliver the same events. */
  async #endLost(): Promise<void> {
    const lost = this.#running.difference(new Set(this.#deps.leases.held()));
    if (lost.size === 0) return;
    this.#deps.moved('lost', lost.size);
    this.#deps.log.warn('Lost servers: another replica may count them', { servers: [...lost].join(' ') });
    await this.#run(this.#running.difference(lost), { drainMs: 0, retry: false });
  }

  /** A server that is not configured any more goes first. */
  #nextMove({ free, others }: LeaseView): Move {
    const held = this.#deps.leases.held();
    const names = new Set(namesOf(this.#specs));
    const gone = held.filter(server => !names.has(server));
    const move = nextMove(
      { servers: names.size, held: held.filter(server => names.has(server)), free, others },
      this.#deps.random,
    );
    return gone.length > 0 ? { ...move, release: gone } : move;
  }

  async #acquire(wanted: readonly string[]): Promise<void> {
    const { leases, load, moved, log } = this.#deps;
    const acquired = wanted.length > 0 ? await leases.acquire(wanted) : [];
    if (acquired.length === 0) return;
    this.#isSettled = false;
    try {
      await load(acquired);
    } catch (thrown) {
      await leases.release(acquired).catch(() => undefined);
      throw thrown;
    }
    moved('acquired', acquired.length);
    log.info('Acquired servers', { servers: acquired.join(' ') });
    this.#loaded = this.#loaded.union(new Set(acquired));
  }

  /** Runs exactly these servers, as they are configured. */
  async #run(names: ReadonlySet<string>, options: Parameters<Supervisor['apply']>[1]): Promise<AppliedChanges> {
    const specs = this.#specs.filter(({ server }) => names.has(server.name));
    const isChanged =
      specs.length !== this.#running.size || specs.some(({ server }) => !this.#running.has(server.name));
    if (!isChanged && options?.retry !== true) return nothingChanged;
    this.#running = new Set(namesOf(specs));
    return this.#deps.supervisor.apply(specs, options);
  }
}

const nothingChanged: AppliedChanges = { added: [], removed: [], changed: [], retried: [], cut: [] };

const namesOf = (specs: readonly ServerSpec[]): readonly string[] => specs.map(({ server }) => server.name);
