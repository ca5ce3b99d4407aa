import { eventTime, failureText, type RestoreEvent } from '../model/event.js';
import type { Ownership } from '../model/ownership.js';
import type { PersonalClass } from '../model/personal-data.js';
import { type Session, sessionTime } from '../model/session.js';
import { formatInstant, type Nanos, toSeconds } from '../model/time.js';
import { type Attribute, freeText } from './attribute.js';

/** Attributes of every record and span. */
export const ofSession: readonly Attribute<Session>[] = [
  {
    name: 'veeam.restore.session.id',
    help: 'GUID of the session',
    example: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    of: session => session.id,
  },
  {
    name: 'veeam.restore.session.name',
    help: 'Name of the session',
    example: 'Restore of contoso',
    holds: freeText,
    of: session => session.name,
  },
  {
    name: 'veeam.restore.session.type',
    help: 'Explorer that restores, as the API names it',
    example: 'Vesp',
    of: session => session.workload.raw,
  },
  {
    name: 'veeam.restore.session.initiator',
    help: 'Account that opened the session',
    example: 'CONTOSO\\alice',
    holds: ['person'],
    of: session => session.initiator,
  },
  {
    name: 'veeam.restore.session.client.host',
    help: '`clientHost` of the API (v6 and later): by the schema of the vendor, the name or address of the VB365 server; community tools read it as the computer of the initiator',
    example: '10.0.0.7',
    holds: ['client'],
    of: session => session.clientHost,
  },
  {
    name: 'veeam.restore.session.client.address',
    help: '**Deprecated**, the next release drops it: old name of `veeam.restore.session.client.host`',
    example: '10.0.0.7',
    holds: ['client'],
    of: session => session.clientHost,
  },
  {
    name: 'veeam.restore.session.scope',
    help: 'User, site or team whose data the session may restore',
    example: 'Tenant',
    holds: ['person', 'item'],
    of: session => session.scope,
  },
  {
    name: 'veeam.restore.session.reason',
    help: 'Reason for the session, as its initiator wrote it',
    example: 'Ticket 4711',
    holds: freeText,
    of: session => session.reason,
  },
  {
    name: 'veeam.organization.name',
    help: 'Organization whose data is restored',
    example: 'contoso.onmicrosoft.com',
    of: session => session.organization,
  },
];

/** Attributes of a session that has stopped. */
export const ofResult: readonly Attribute<Session>[] = [
  {
    name: 'veeam.restore.session.result',
    help: 'Result of the session, as the API names it',
    example: 'Success',
    of: session => session.result.raw,
  },
  {
    name: 'veeam.restore.session.duration',
    help: 'Seconds from creation to end',
    example: 61.5,
    of: sessionSeconds,
  },
  {
    name: 'error.type',
    help: 'Class of the failure; only for failures',
    example: 'restore_session_failed',
    of: session => (session.result.label === 'Failed' ? 'restore_session_failed' : undefined),
  },
  {
    name: 'error.message',
    help: 'Why the session failed: the error message of its first failed event, because the API has no reason for a session. If no event failed, it says so, with the details that the server writes',
    example: 'Access denied',
    holds: freeText,
    of: session => (session.result.label === 'Failed' ? sessionFailure(session) : undefined),
  },
];

function sessionFailure({ failure, details }: Session): string {
  if (failure === '') return 'Events of the session failed; their records have the reasons';
  return failure ?? `No event failed, and the server gives no reason${details === '' ? '' : ` (${details})`}`;
}

function sessionSeconds({ createdAt, endedAt }: Session): number | undefined {
  return endedAt === undefined || endedAt < createdAt ? undefined : toSeconds(endedAt - createdAt);
}

/** Attributes of the owner of the data of an event. */
export const ofOwner: readonly Attribute<Ownership>[] = [
  {
    name: 'veeam.restore.owner.kind',
    help: 'Whose data it is: `user`, `group`, `site`, `team` or `organization`; absent where a path or scope does not say it',
    example: 'user',
    of: ({ owner }) => owner.kind,
  },
  {
    name: 'veeam.restore.owner.id',
    help: 'Id of the owner, as the server writes it (v8)',
    example: 'd1a9b3c6-0f1e-4a55-8a43-1c9f6f0f2b7e',
    holds: ['person'],
    of: ({ owner }) => owner.id,
  },
  {
    name: 'veeam.restore.owner.name',
    help: 'Name of the owner: as the server shows it (v8, `resolve_owners`), or as the path or the scope of the session says it',
    example: 'Alice Smith',
    holds: ['person', 'item'],
    of: ({ owner }) => owner.name,
  },
  {
    name: 'veeam.restore.owner.email',
    help: 'Address of a user (v8, `resolve_owners`)',
    example: 'alice@contoso.com',
    holds: ['person'],
    of: ({ owner }) => owner.email,
  },
  {
    name: 'veeam.restore.owner.relation',
    help: 'Whether the initiator owns the data: `self`, `other`, or `unknown` where the server does not say; absent with the owner',
    example: 'other',
    of: ({ relation }) => relation,
  },
  {
    name: 'veeam.restore.owner.derived',
    help: 'The owner is read from the path of the item or the scope of the session, because the server sends no ids (v2 to v7); absent otherwise',
    example: true,
    of: ({ owner }) => (owner.derived ? true : undefined),
  },
];

/** A path ends with the item and may contain a person's folder. */
const place: readonly PersonalClass[] = ['path', 'item', 'person'];

/** Attributes of one event alone. */
export const ofEvent: readonly Attribute<RestoreEvent>[] = [
  {
    name: 'veeam.restore.event.type',
    help: 'Operation, as the API names it',
    example: 'Save',
    of: event => event.type.raw,
  },
  {
    name: 'veeam.restore.event.status',
    help: 'Final status, as the API names it',
    example: 'Success',
    of: event => event.status.raw,
  },
  {
    name: 'veeam.restore.event.order',
    help: 'Number of the event within its session, starting at 0',
    example: 1,
    of: event => event.order,
  },
  {
    name: 'veeam.restore.event.duration',
    help: 'Duration in seconds',
    example: 0.0446928,
    of: event => (event.duration === undefined ? undefined : toSeconds(event.duration)),
  },
  {
    name: 'veeam.restore.item.name',
    help: 'Name of the item',
    example: 'Image.jpg',
    holds: ['item'],
    of: event => event.item.name,
  },
  {
    name: 'veeam.restore.item.type',
    help: 'Type of the item',
    example: 'Item',
    of: event => event.item.type,
  },
  {
    name: 'veeam.restore.item.size',
    help: 'Size of the item in bytes',
    example: 2048,
    of: event => event.item.sizeBytes,
  },
  {
    name: 'veeam.restore.source',
    help: 'Where the item was restored from, as the server writes it',
    example: '/personal/alice/Documents/Image.jpg',
    holds: place,
    of: event => event.source,
  },
  {
    name: 'veeam.restore.target',
    help: 'Where the item was restored to, as the server writes it',
    example: 'C:\\Temp',
    holds: place,
    of: event => event.target,
  },
  {
    name: 'veeam.restore.reason',
    help: 'Reason for a failure or warning, as the server writes it',
    example: 'Access denied',
    holds: freeText,
    of: event => event.reason,
  },
  {
    name: 'error.type',
    help: 'Class of the failure; only for failures',
    example: 'restore_failed',
    of: event => (event.status.label === 'Failed' ? 'restore_failed' : undefined),
  },
  {
    name: 'error.message',
    help: 'Error message of the server',
    example: 'Access denied',
    holds: freeText,
    of: event => (event.status.label === 'Failed' ? failureText(event) : undefined),
  },
];

/** Event names of the log records, repeated in the attribute `veeam.event.kind`. */
export const recordKinds = { item: 'veeam.restore.item', session: 'veeam.restore.session' } as const;

/** `at`: timestamp of the record. */
type Timestamped = Readonly<{ at: Nanos }>;

const uid = {
  name: 'log.record.uid',
  help: 'Id of the event, or of the session in the record of a session; the same each time the record is sent',
  example: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
} as const;

const kind = {
  name: 'veeam.event.kind',
  help: 'Kind of the record: the event name again, for backends that drop it',
  example: recordKinds.item,
} as const;

const time = {
  name: 'veeam.event.time',
  help: 'When it happened; only if the timestamp is the time of sending (`logs.max_age`, `logs.max_behind`, `logs.max_ahead`)',
  example: '2017-05-30T10:57:28.0869607Z',
} as const;

const unlessEqual = (at: Nanos, own: Nanos): string | undefined => (at === own ? undefined : formatInstant(own));

/** What makes a record of one event, besides the attributes of the event, its session and its owner. */
export const ofItemRecord: readonly Attribute<Readonly<{ event: RestoreEvent }> & Timestamped>[] = [
  { ...uid, of: ({ event }) => event.id },
  { ...kind, of: () => recordKinds.item },
  { ...time, of: ({ event, at }) => unlessEqual(at, eventTime(event)) },
];

/** What makes a record of a session that has stopped, besides the attributes of the session. */
export const ofSessionRecord: readonly Attribute<Readonly<{ session: Session }> & Timestamped>[] = [
  { ...uid, of: ({ session }) => session.id },
  { ...kind, of: () => recordKinds.session },
  { ...time, of: ({ session, at }) => unlessEqual(at, sessionTime(session)) },
];

/** Every attribute of each kind of record, for the documentation. */
export const recordAttributes: Readonly<Record<keyof typeof recordKinds, readonly Omit<Attribute<never>, 'of'>[]>> = {
  item: [...ofItemRecord, ...ofEvent, ...ofOwner, ...ofSession],
  session: [...ofSessionRecord, ...ofSession, ...ofResult],
};
