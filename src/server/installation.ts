import type { Clock } from '../kernel/clock.js';
import { ExporterError, type Reason, toExporterError } from '../kernel/errors.js';
import type { InstanceInfo, ServedSeries, Source, Store } from '../pipeline/ports.js';

/** Whether a server is the installation that its stored cursors belong to. */
export type InstallationChange =
  /** The same as before, or the first that this server reports. */
  | 'unchanged'
  /** Another one, which is new; the cursors of the old one are archived. */
  | 'replaced'
  /** One that is stored under another server name; its cursors move to this name. */
  | 'renamed'
  /** Another one, whose cursors are stored already; those of the old one are archived. */
  | 'returned';

/** Which server of this process reads which installation: never two the same. */
export class Installations {
  readonly #servers = new Set<string>();
  #configured: ReadonlySet<string> = new Set();
  readonly #reported = new Map<string, string>();
  /** The server that reads an installation, by its id. */
  readonly #ownerOf = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs one action after the other. */
  async exclusive<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Names that other replicas may run: any of them may be any installation. */
  configure(servers: readonly string[]): void {
    this.#configured = new Set(servers);
  }

  /** Adds a server; until it reports an id, it may be any installation. */
  add(server: string): void {
    this.#servers.add(server);
  }

  remove(server: string): void {
    this.#servers.delete(server);
    this.#reported.delete(server);
    this.release(server);
  }

  /**
   * Assigns an installation to the server that reported it.
   * @throws {ExporterError} `config` if another server has it.
   */
  claim(server: string, installationId: string): void {
    this.#reported.set(server, installationId);
    // First, so that two servers can swap installations.
    this.release(server);
    const owner = this.#ownerOf.get(installationId);
    if (owner !== undefined) throw duplicate(owner);
    this.#ownerOf.set(installationId, server);
  }

  release(server: string): void {
    for (const [installationId, owner] of this.#ownerOf) if (owner === server) this.#ownerOf.delete(installationId);
  }

  /** Whether this is the name of a server that is, or may turn out to be, this installation. */
  mayBe(name: string, installationId: string): boolean {
    const isServer = this.#servers.has(name) || this.#configured.has(name);
    return isServer && (this.#reported.get(name) ?? installationId) === installationId;
  }
}

export type InstallationDeps = Readonly<{
  server: string;
  store: Pick<Store, 'state' | 'holders' | 'commit'>;
  installations: Installations;
  series: Pick<ServedSeries, 'apply' | 'replacedDeltas'>;
}>;

/** The name under which cursors are archived. No server has such a name. */
const archiveOf = (server: string, installationId: string): string => `${server}@${installationId}`;

/**
 * Makes the cursors stored under a server's name those of the installation that it is now, before any is used.
 * @param installationId `''` if the server does not report one: then it is the same as before.
 * @throws {ExporterError} `config` if another server reads this installation, `store`.
 */
export async function adoptInstallation(deps: InstallationDeps, installationId: string): Promise<InstallationChange> {
  if (installationId === '') return 'unchanged';
  return deps.installations.exclusive(async () => adopt(deps, installationId));
}

async function adopt(deps: InstallationDeps, installationId: string): Promise<InstallationChange> {
  const { server, store, series, installations } = deps;
  installations.claim(server, installationId);
  const { since, facts } = await store.state(server);
  const old = facts.installationId;
  if (old === installationId) return 'unchanged';
  const holder = await holderOf(deps, installationId);
  // Cursors without an id are from before the server reported one: they are about this installation.
  const stored = old === undefined && Object.keys(since).length > 0 ? undefined : holder;
  const restore = stored === undefined ? [] : [{ from: stored, to: server }];
  const newFacts = { installationId, ...(facts.apiVersion === undefined ? {} : { apiVersion: facts.apiVersion }) };
  if (old === undefined) {
    await store.commit({ server, moves: restore, facts: newFacts });
    return stored === undefined ? 'unchanged' : 'renamed';
  }
  const deltas = series.replacedDeltas();
  const moves = [{ from: server, to: archiveOf(server, old) }, ...restore];
  await store.commit({ server, moves, facts: newFacts, deltas });
  series.apply(deltas);
  return stored === undefined ? 'replaced' : 'returned';
}

/** The name under which the installation is stored, unless that is the name of another server. */
async function holderOf({ server, store, installations }: InstallationDeps, id: string): Promise<string | undefined> {
  const holders = (await store.holders(id)).filter(name => name !== server);
  const rival = holders.find(name => installations.mayBe(name, id));
  if (rival === undefined) return holders[0];
  installations.release(server);
  throw duplicate(rival);
}

const duplicate = (other: string): ExporterError =>
  new ExporterError('config', `Could not read from the server: server "${other}" is the same installation`);

/** After these failures, another server may answer the next request. */
const suspicious: ReadonlySet<Reason> = new Set(['auth', 'network', 'server', 'throttled', 'timeout']);
/** How long a server is trusted to be the same installation without a check, while no request fails. */
const trustedMs = 900_000;

/** A source that also reports when its login ends: a new login may reach another installation. */
export type LoginSource = Source & Readonly<{ tokenExpiresAtMs(): number | undefined }>;

/**
 * What a server reports about itself; undefined if it refuses to.
 * @throws {ExporterError} as `Source.instance`, except `rejected`.
 */
export const askInstance = async (source: Pick<Source, 'instance'>, signal: AbortSignal) =>
  source.instance(signal).catch((thrown: unknown) => {
    if (toExporterError(thrown).reason === 'rejected') return undefined;
    throw thrown;
  });

/**
 * Asks a server for its installation id before and after a request that follows a failure or a new login, and every
 * quarter of an hour.
 * @param known what the server has just reported about itself.
 * @returns a source that rejects every request once its server has become another installation; `changed` aborts when
 * the server reports another id, or its first one; `instance` returns what it last reported about itself.
 */
export function guardInstallation(
  source: LoginSource,
  known: InstanceInfo | undefined,
  clock: Pick<Clock, 'monotonic'>,
) {
  const changed = new AbortController();
  let instance = known;
  let askedMs: number | undefined = clock.monotonic();
  let asking: Promise<void> | undefined;
  const ask = async (signal: AbortSignal): Promise<void> => {
    const answer = await askInstance(source, signal);
    if (isAnother(known, answer)) changed.abort();
    instance = answer ?? instance;
    askedMs = clock.monotonic();
  };
  const verify = async (signal: AbortSignal): Promise<void> => {
    if (askedMs === undefined || clock.monotonic() - askedMs >= trustedMs) {
      asking ??= ask(signal).finally(() => (asking = undefined));
      await asking;
    }
    if (changed.signal.aborted)
      throw new ExporterError('rejected', 'Could not read from the server: it is another installation now');
  };
  const guarded = async <T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> => {
    await verify(signal);
    const login = source.tokenExpiresAtMs();
    try {
      const answer = await read();
      if (source.tokenExpiresAtMs() !== login) askedMs = undefined;
      await verify(signal);
      return answer;
    } catch (thrown) {
      if (suspicious.has(toExporterError(thrown).reason)) askedMs = undefined;
      throw thrown;
    }
  };
  const guardedSource: Source = {
    ...source,
    sessions: async (from, signal, isKept) => guarded(signal, async () => source.sessions(from, signal, isKept)),
    session: async (id, signal) => guarded(signal, async () => source.session(id, signal)),
    changes: async (position, signal) => guarded(signal, async () => source.changes(position, signal)),
    events: async (id, offset, signal) => guarded(signal, async () => source.events(id, offset, signal)),
  };
  return { changed: changed.signal, instance: () => instance, source: guardedSource };
}

/** A server that no longer reports an id is the same installation; one that reports its first id must be identified again. */
const isAnother = (known: InstanceInfo | undefined, answer: InstanceInfo | undefined): boolean =>
  answer !== undefined && answer.installationId !== '' && answer.installationId !== known?.installationId;
