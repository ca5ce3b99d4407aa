import type { RestoreEvent } from './event.js';
import { accountKey, type Owner, type OwnerKind, type OwnerRelation } from './owner.js';
import type { Session } from './session.js';

/** The owner of an event, and how the initiator of its session relates to them. */
export type Ownership = Readonly<{ owner: Owner; relation: OwnerRelation }>;

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
