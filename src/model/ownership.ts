import type { RestoreEvent } from './event.js';
import { accountKey, type Owner, type OwnerKind, type OwnerRelation } from './owner.js';
import type { Session } from './session.js';

/** The owner of an event, and how the initiator of its session relates to them. */
export type Ownership = Readonly<{ owner: Owner; relation: OwnerRelation }>;

/** Undefined when neither the event nor its session says whose data it is. Pure. */
export function ownershipOf(session: Session, { owner, source }: RestoreEvent): Ownership | undefined {
  if (owner !== undefined) return { owner, relation: relationOf(session.initiator, owner) };
  const derived = derivedOwner(session, source);
  return derived && { owner: derived, relation: relationOf(session.initiator, derived) };
}

/** `user@domain`, and nothing that another form, such as `DOMAIN\user` or `i:0#.f|membership|user@domain`, has. */
const address = /^[^\s@\\/|<>():]+@[^\s@\\/|<>():]+$/;

function relationOf(initiator: string, { accounts, shared, derived }: Owner): OwnerRelation {
  if (accounts.length === 0 || !address.test(initiator)) return 'unknown';
  if (accounts.includes(initiator.toLowerCase()) || accounts.includes(accountKey(initiator))) return 'self';
  return shared === true || derived ? 'unknown' : 'other';
}

/** A name may be the address of a person, or the folder of their OneDrive. */
const derivedFrom = (kind: OwnerKind | undefined, name: string): Owner => ({
  kind,
  id: '',
  name,
  email: '',
  accounts: kind === 'site' ? [] : [name.toLowerCase()],
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
