import { ExporterError } from '../kernel/errors.js';
import type { Installations } from './installations.js';
import type { SeriesDelta, Store } from '../pipeline/ports.js';

/**
 * What a server has turned out to be: what is remembered of it is about this installation (`same`); it was about
 * another, and is put aside (`another`); it was kept under another name, or aside, and is taken up again (`found`);
 * or both of the last two (`back`).
 */
export type InstallationChange = 'same' | 'another' | 'found' | 'back';

export type InstallationDeps = Readonly<{
  server: string;
  store: Pick<Store, 'state' | 'holders' | 'commit'>;
  installations: Installations;
  /** The series that change when a server has become another installation. */
  replacedDeltas: () => readonly SeriesDelta[];
  stored: (deltas: readonly SeriesDelta[]) => void;
}>;

/** Where the cursors of an installation are kept that the server is no more. No server has such a name. */
const aside = (server: string, installationId: string): string => `${server}@${installationId}`;

/**
 * Makes what is remembered under a server's name that of the installation which it is now, before any of it is used.
 * @param installationId `''` when the server does not tell: then it is what it was.
 * @throws {ExporterError} `config` when another server speaks for this installation, `store`.
 */
export async function adoptInstallation(deps: InstallationDeps, installationId: string): Promise<InstallationChange> {
  if (installationId === '') return 'same';
  return deps.installations.alone(async () => {
    const other = deps.installations.claim(deps.server, installationId);
    if (other !== undefined) throw refusal(other);
    return enter(deps, installationId);
  });
}

async function enter(deps: InstallationDeps, installationId: string): Promise<InstallationChange> {
  const { server, store } = deps;
  const { since, facts } = await store.state(server);
  const left = facts.installationId;
  if (left === installationId) return 'same';
  const holder = await holderOf(deps, installationId);
  // Rows without a known installation are from before the server could tell: they are about the one that it is.
  const found = left === undefined && Object.keys(since).length > 0 ? undefined : holder;
  const told = { installationId, ...(facts.apiVersion === undefined ? {} : { apiVersion: facts.apiVersion }) };
  if (left === undefined) {
    const moves = found === undefined ? [] : [{ from: found, to: server }];
    await store.commit({ server, moves, facts: told });
    return found === undefined ? 'same' : 'found';
  }
  const away = { from: server, to: aside(server, left) };
  const deltas = deps.replacedDeltas();
  const moves = found === undefined ? [away] : [away, { from: found, to: server }];
  await store.commit({ server, moves, facts: told, deltas });
  deps.stored(deltas);
  return found === undefined ? 'another' : 'back';
}

/** The name under which the installation is known, which is no server's any more. */
async function holderOf({ server, store, installations }: InstallationDeps, id: string): Promise<string | undefined> {
  const holders = (await store.holders(id)).filter(name => name !== server);
  const rival = holders.find(name => installations.mayBe(name, id));
  if (rival === undefined) return holders[0];
  installations.release(server);
  throw refusal(rival);
}

const refusal = (other: string): ExporterError =>
  new ExporterError('config', `Refused to read from the server: server "${other}" is the same installation`);
