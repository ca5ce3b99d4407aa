import type { RestoreEvent } from './event.js';
import type { Session } from './session.js';

export const ownerKinds = ['user', 'group', 'site', 'team', 'organization'] as const;
export type OwnerKind = (typeof ownerKinds)[number];

/** Whether the initiator of a session owns the data. Closed: each is a `relation` label. */
export const ownerRelations = ['self', 'other', 'unknown'] as const;
export type OwnerRelation = (typeof ownerRelations)[number];

/** Whose data an event is about. Events of one owner share one object. `''`: unknown. */
export type Owner = Readonly<{
  /** Undefined where a path or a scope does not say it. */
  kind: OwnerKind | undefined;
  /** As the server writes it, in any form (v8); `''` for a derived owner. */
  id: string;
  name: string;
  /** Of a user. */
  email: string;
  /** The accounts of a user: addresses in lower case, and keys of their OneDrives; see `accountKey`. */
  accounts: readonly string[];
  /** Read from the path of the item or the scope of the session, because the server sends no ids (v2 to v7). */
  derived: boolean;
}>;

/** The owner of an event, and how the initiator of its session relates to them. */
export type Ownership = Readonly<{ owner: Owner; relation: OwnerRelation }>;

/** The form of an address in the URL of a OneDrive, which has underscores for other characters. */
export const accountKey = (account: string): string => account.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '_');

/** Undefined when neither the event nor its session says whose data it is. Pure. */
export function ownershipOf(session: Session, { owner, source }: RestoreEvent): Ownership | undefined {
  if (owner !== undefined) return { owner, relation: relationOf(session.initiator, owner) };
  const derived = derivedOwner(session, source);
  return derived && { owner: derived, relation: 'unknown' };
}

/** An initiator such as `DOMAIN\user` is not comparable with an address. */
function relationOf(initiator: string, { accounts }: Owner): OwnerRelation {
  if (accounts.length === 0 || !initiator.includes('@') || initiator.includes('\\')) return 'unknown';
  return accounts.includes(initiator.toLowerCase()) || accounts.includes(accountKey(initiator)) ? 'self' : 'other';
}

const derivedFrom = (kind: OwnerKind | undefined, name: string): Owner => ({
  kind,
  id: '',
  name,
  email: '',
  accounts: [],
  derived: true,
});

/** Source: vb365-rest.md 6.5. The paths of Teams are unknown. A mailbox may be that of a group. */
function derivedOwner({ workload, scope }: Session, source: string): Owner | undefined {
  if (workload.label === 'exchange') {
    const end = source.indexOf('\\');
    if (end > 0) return derivedFrom(undefined, source.slice(0, end));
  }
  if (workload.label === 'onedrive' || workload.label === 'sharepoint') {
    const [, place, name] = /(?:^|\/)(personal|sites)\/([^/]+)/.exec(source) ?? [];
    if (name !== undefined) return derivedFrom(place === 'personal' ? 'user' : 'site', name);
  }
  return scope === '' ? undefined : derivedFrom(undefined, scope);
}
