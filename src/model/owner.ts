const ownerKinds = ['user', 'group', 'site', 'team', 'organization'] as const;
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
  /** A mailbox of several people, of whom the server names none: anybody may be one of them. */
  shared?: boolean;
  /** Read from the path of the item or the scope of the session, because the server sends no ids (v2 to v7). */
  derived: boolean;
}>;

/** The form of an address in the URL of a OneDrive, which has underscores for other characters. */
export const accountKey = (account: string): string => account.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '_');
