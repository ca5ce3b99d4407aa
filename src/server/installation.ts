import { ExporterError } from '../kernel/errors.js';
import type { ServedSeries, Store } from '../pipeline/ports.js';

/** Whether a server is the installation that its stored cursors are about. */
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
  readonly #reported = new Map<string, string>();
  readonly #readers = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs one action after the other. */
  async exclusive<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => undefined);
    return mine;
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

  /** Assigns an installation to the server that reported it. Returns the server that has it already, if any. */
  claim(server: string, installationId: string): string | undefined {
    this.#reported.set(server, installationId);
    const reader = this.#readers.get(installationId);
    if (reader !== undefined && reader !== server) return reader;
    this.release(server);
    this.#readers.set(installationId, server);
    return undefined;
  }

  release(server: string): void {
    for (const [installationId, reader] of this.#readers) if (reader === server) this.#readers.delete(installationId);
  }

  /** Whether this is the name of a server that is, or may turn out to be, this installation. */
  mayBe(name: string, installationId: string): boolean {
    return this.#servers.has(name) && (this.#reported.get(name) ?? installationId) === installationId;
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
  return deps.installations.exclusive(async () => {
    const other = deps.installations.claim(deps.server, installationId);
    if (other !== undefined) throw duplicate(other);
    return adopt(deps, installationId);
  });
}

async function adopt(deps: InstallationDeps, installationId: string): Promise<InstallationChange> {
  const { server, store, series } = deps;
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
