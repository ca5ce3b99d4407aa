import { alarm, type Clock, endedOrLate } from '../kernel/clock.js';
import { unlessAborted } from '../kernel/linked-abort.js';
import { createSemaphore } from '../kernel/semaphore.js';
import type { OwnerLookupOutcome } from '../model/labels.js';
import { accountKey, type Owner, type OwnerKind } from '../model/owner.js';
import type { Connection } from './connection.js';
import { isJsonObject, type JsonObject, longestName, text } from './json.js';
import { withRetries } from './retries.js';
import { isGone, okJson } from './request-errors.js';
import type { Answer } from './transport.js';

type Resource = Readonly<{
  kind: OwnerKind;
  /** Below the version's prefix. `id` is encoded. */ path: (id: string) => string;
}>;

/**
 * The members of an event that name an owner, the most specific first, and the resource with its name. A team has a group, and the
 * site of a group is a site. Source: `RESTRestoreSessionEvent` and vb365-owners-v8.openapi.json.
 */
const resources: Readonly<Record<string, Resource>> = {
  userId: { kind: 'user', path: id => `ProtectedUsers/${id}` },
  teamId: { kind: 'team', path: id => `ProtectedTeams/${id}` },
  siteId: { kind: 'site', path: id => `ProtectedSites/${id}` },
  groupId: { kind: 'group', path: id => `ProtectedGroups/${id}` },
  organizationId: { kind: 'organization', path: id => `Organizations/${id}` },
  backedUpOrganizationId: { kind: 'organization', path: id => `Organizations?limit=1&backedUpOrganizationId=${id}` },
};
const members = Object.keys(resources);

const dayMs = 86_400_000;
/** A server that does not answer is asked again after this time. */
const pauseMs = 60_000;
/** Requests in flight, and waiting. Owners beyond are looked up when they occur again. */
const [maxConcurrent, maxPending] = [16, 1_000];
/** Owners in memory, their characters, of which one has about 200; mailboxes and OneDrives of each, and the characters of their accounts. */
const [maxOwners, maxCharacters, maxMailboxes, longestAccount] = [10_000, 4_000_000, 8, 320];

/** What is known of an owner. `askedMs`: when the server was last asked, by the monotonic clock; `lookup`: while it is being asked. */
type KnownOwner = {
  owner: Owner;
  readonly member: string;
  readonly path: string;
  askedMs: number | undefined;
  lookup: Promise<void> | undefined;
  /** The server has named the owner, or does not know it. */
  answered: boolean;
  /** Of its texts, when it was last weighed. */
  characters: number;
};

/** The owner that the row at an index names, as far as it is known now. */
export type OwnerOf = (index: number) => Owner | undefined;

type Owners = Readonly<{
  /**
   * Finds the owners of these rows, and looks up the new ones, each at most once a day. Resolves when the answers are there, or
   * a second has passed, whichever is first; after a second in vain, none of the next minute is waited for. Never rejects.
   */
  find(rows: readonly unknown[], signal: AbortSignal): Promise<OwnerOf>;
}>;

/** The owners of the restored data of one server, by their ids (v8). See ADR 79. */
export function createOwners(connection: Connection): Owners {
  const { clock, resolveOwners, ownerWaitMs, ownerUnanswered } = connection.settings;
  const cache = createOwnerCache();
  const ask = createLookup(connection, cache.weigh);
  let patientFromMs = -Infinity;
  const resolve = async (owners: ReadonlySet<KnownOwner | undefined>, signal: AbortSignal): Promise<void> => {
    const lookups = [...owners].flatMap(known => {
      if (known === undefined) return [];
      cache.touch(known);
      return ask(known) ?? [];
    });
    if (lookups.length === 0 || clock.monotonic() < patientFromMs) return;
    if (!(await endsWithin(Promise.all(lookups), ownerWaitMs, signal))) patientFromMs = clock.monotonic() + pauseMs;
  };
  return {
    find: async (rows, signal) => {
      const known = rows.map(row => (isJsonObject(row) ? cache.in(row) : undefined));
      const distinct = new Set(known);
      if (resolveOwners) {
        await resolve(distinct, signal);
        for (const each of distinct) if (each?.answered === false) ownerUnanswered(each.path);
      }
      return index => known[index]?.owner;
    },
  };
}

/** Whether the work ended before the time was over or the signal aborted. */
async function endsWithin(work: Promise<unknown>, ms: number, signal: AbortSignal): Promise<boolean> {
  let ended = false;
  const noted = work.then(() => (ended = true));
  await unlessAborted(endedOrLate(noted, ms), signal).catch(() => undefined);
  return ended;
}

/** The owners by member and id; the one unused for longest goes first. */
function createOwnerCache() {
  const byMember = new Map(members.map(member => [member, new Map<string, KnownOwner>()]));
  const order = new Map<KnownOwner, () => void>();
  let characters = 0;
  /** Counts the texts of an owner that has become known, and forgets those unused for longest. */
  const weigh = (known: KnownOwner): void => {
    if (!order.has(known)) return;
    const { id, name, email, accounts } = known.owner;
    const length = [id, known.path, name, email, ...accounts].join('').length;
    characters += length - known.characters;
    known.characters = length;
    for (const [oldest, remove] of order) {
      if (order.size <= maxOwners && characters <= maxCharacters) return;
      remove();
      order.delete(oldest);
      characters -= oldest.characters;
    }
  };
  const add = (member: string, id: string, owners: Map<string, KnownOwner>): KnownOwner => {
    const { kind, path } = resources[member] ?? { kind: undefined, path: String };
    const owner = { kind, id, name: '', email: '', accounts: [], derived: false };
    // A server takes these two for the path of something else.
    const askedMs = id === '.' || id === '..' ? Infinity : undefined;
    const known = {
      owner,
      member,
      path: path(encodeURIComponent(id.toWellFormed())),
      askedMs,
      lookup: undefined,
      answered: askedMs !== undefined,
      characters: 0,
    };
    owners.set(id, known);
    order.set(known, () => owners.delete(id));
    weigh(known);
    return known;
  };
  return {
    weigh,
    in: (row: JsonObject): KnownOwner | undefined => {
      for (const [member, owners] of byMember) {
        const id = row[member] === undefined ? '' : text(row[member], longestName);
        if (id !== '') return owners.get(id) ?? add(member, id, owners);
      }
      return undefined;
    },
    touch: (known: KnownOwner): void => {
      const remove = order.get(known);
      if (remove !== undefined && order.delete(known)) order.set(known, remove);
    },
  };
}

/** @returns starts the look-up of an owner, or joins it; undefined when it must not be looked up now. */
function createLookup(
  connection: Connection,
  weigh: (known: KnownOwner) => void,
): (known: KnownOwner) => Promise<void> | undefined {
  const { clock, random, log, ownerLookedUp, ownerAttempts: attempts } = connection.settings;
  const permits = createSemaphore(maxConcurrent);
  const never = new AbortController().signal;
  /** By kind of owner: each has a resource and needs a permission. */
  const refusedUntilMs = new Map<OwnerKind | undefined, number>();
  let pausedUntilMs = -Infinity;
  let pending = 0;
  const isRefused = (kind: OwnerKind | undefined): boolean =>
    clock.monotonic() < (refusedUntilMs.get(kind) ?? -Infinity);
  const isPaused = ({ kind }: Owner): boolean => clock.monotonic() < pausedUntilMs || isRefused(kind);
  const refuse = (kind: OwnerKind | undefined): void => {
    if (isRefused(kind)) return;
    refusedUntilMs.set(kind, clock.monotonic() + dayMs);
    log.warn(
      'The account may not read the owners of restored data, so their names are left out; asking again in a day, or after a restart',
      { kind },
    );
  };
  const fail = (): OwnerLookupOutcome => {
    pausedUntilMs = clock.monotonic() + pauseMs;
    return 'failed';
  };
  const read = async (known: KnownOwner): Promise<OwnerLookupOutcome> =>
    withRetries(async () => readOwner(connection, known), { clock, random, attempts, signal: never });
  const lookUp = async (known: KnownOwner): Promise<void> => {
    const release = await permits.acquire(never);
    const outcome = isPaused(known.owner) ? undefined : await read(known).catch(fail);
    if (outcome === undefined) known.askedMs = undefined;
    else ownerLookedUp(outcome);
    weigh(known);
    known.answered ||= outcome === 'found' || outcome === 'not_found';
    if (outcome === 'refused') refuse(known.owner.kind);
    release();
    pending -= 1;
  };
  return known => {
    const { owner, lookup } = known;
    if (lookup !== undefined || !isDue(known, clock) || isPaused(owner) || pending >= maxPending) return lookup;
    pending += 1;
    known.askedMs = clock.monotonic();
    known.lookup = lookUp(known).finally(() => (known.lookup = undefined));
    return known.lookup;
  };
}

const isDue = ({ askedMs }: KnownOwner, clock: Clock): boolean =>
  askedMs === undefined || clock.monotonic() - askedMs >= dayMs;

/** Rows of an answer, for its limits: a user has a mailbox, a OneDrive, and any number of sites. */
const rowsOfOwner = 100;

/**
 * Reads an owner; what was known before stays when the answer does not name one.
 * @throws {ExporterError} when the server does not answer, or with an error: the next owner would fare no better.
 */
async function readOwner(connection: Connection, known: KnownOwner): Promise<OwnerLookupOutcome> {
  const late = new AbortController();
  const cancel = alarm(connection.settings.ownerTimeoutMs, () => late.abort());
  try {
    const answer = await connection.get('owners', known.path, late.signal, { rows: rowsOfOwner });
    const refused = refusalOf(answer);
    if (refused !== undefined) return refused;
    const json = ownerIn(okJson('owners', answer), known);
    if (json === undefined) return 'not_found';
    const owner = named(known.owner, json);
    if (owner.name === '' && owner.accounts.length === 0) return 'failed';
    known.owner = owner;
    return 'found';
  } finally {
    cancel();
  }
}

/** Of a page, the row with the id: a server that does not know the filter answers with another organization. */
function ownerIn(json: unknown, { owner: { id }, member }: KnownOwner): JsonObject | undefined {
  if (!isJsonObject(json)) return {};
  if (!('results' in json)) return json;
  return objectsIn(json['results']).find(row => text(row[member], longestName).toLowerCase() === id.toLowerCase());
}

/** Undefined for an answer that is not about this owner or about all owners of its kind. 400 is about the form of an id. */
function refusalOf(answer: Answer): OwnerLookupOutcome | undefined {
  if (answer.status === 401 || answer.status === 403) return 'refused';
  return answer.status === 400 || isGone(answer) ? 'not_found' : undefined;
}

/** Source: `RESTProtectedUser`, `RESTProtectedGroup`, `RESTProtectedSite`, `RESTProtectedTeam`, `RestOrganizationComposed`. */
function named(owner: Owner, json: JsonObject): Owner {
  const name = text(json['displayName'], longestName) || text(json['name'], longestName);
  if (owner.kind !== 'user') return { ...owner, name };
  const mailboxes = objectsIn(json['mailboxes']).slice(0, maxMailboxes);
  const addresses = mailboxes.map(({ email }) => text(email, longestAccount)).filter(email => email !== '');
  const main = mailboxes.find(({ isArchive, email }) => isArchive !== true && text(email) !== '');
  const email = main === undefined ? (addresses[0] ?? '') : text(main['email'], longestAccount);
  // The API has no user principal name, but the URL of a OneDrive is made of it.
  const folders = objectsIn(json['oneDrives'])
    .slice(0, maxMailboxes)
    .flatMap(({ url }) => /\/personal\/([^/?#]{1,320})/.exec(text(url))?.[1] ?? []);
  // Of a folder that an address accounts for, the address says more: the folder of a.b@c is that of a_b@c, too.
  const others = folders.map(accountKey).filter(folder => !addresses.some(address => accountKey(address) === folder));
  const accounts = [...addresses.map(address => address.toLowerCase()), ...others];
  const shared = ['SharedMailbox', 'PublicMailbox'].includes(text(json['accountType']));
  return { ...owner, name, email, accounts, shared };
}

const objectsIn = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
