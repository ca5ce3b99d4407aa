import type { Session } from '../model/session.js';
import { type Nanos, toSeconds } from '../model/time.js';
import type { Taken } from '../pipeline/ports.js';

/** Kinds of log records; each is an `EventName`, and the attribute `veeam.event.kind`. */
export const recordKinds = { item: 'veeam.restore.item', session: 'veeam.restore.session' } as const;

type Value = string | number | undefined;

/** An attribute of a log record as data: what it is called, what it holds, and where it comes from. */
export type Attribute<Subject> = Readonly<{
  name: string;
  type: 'string' | 'int' | 'double';
  help: string;
  example: string | number;
  /** Undefined and `''`: the record goes without it. */
  of: (subject: Subject) => Value;
}>;

const inSeconds = (length: Nanos | undefined): Value => (length === undefined ? undefined : toSeconds(length));

const ofSession: readonly Attribute<Session>[] = [
  {
    name: 'veeam.restore.session.id',
    type: 'string',
    help: 'GUID of the session',
    example: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    of: session => session.id,
  },
  {
    name: 'veeam.restore.session.name',
    type: 'string',
    help: 'Name of the session',
    example: 'Restore of contoso',
    of: session => session.name,
  },
  {
    name: 'veeam.restore.session.type',
    type: 'string',
    help: 'Explorer that restores, in the words of the API',
    example: 'Vesp',
    of: session => session.workload.raw,
  },
  {
    name: 'veeam.restore.session.initiator',
    type: 'string',
    help: 'Who opened the session',
    example: 'CONTOSO\\alice',
    of: session => session.initiator,
  },
  {
    name: 'veeam.restore.session.client.address',
    type: 'string',
    help: 'Address of the client that opened the session',
    example: '10.0.0.7',
    of: session => session.clientAddress,
  },
  {
    name: 'veeam.restore.session.scope',
    type: 'string',
    help: 'What the session may restore',
    example: 'Tenant',
    of: session => session.scope,
  },
  {
    name: 'veeam.restore.session.reason',
    type: 'string',
    help: 'Why the session was opened, as its initiator wrote',
    example: 'Ticket 4711',
    of: session => session.reason,
  },
  {
    name: 'veeam.organization.name',
    type: 'string',
    help: 'Organization whose data is restored',
    example: 'contoso.onmicrosoft.com',
    of: session => session.organization,
  },
];

/** Attributes of the record of a session that has stopped. */
export const sessionAttributes: readonly Attribute<Session>[] = [
  {
    name: 'log.record.uid',
    type: 'string',
    help: 'The same for every repetition of this record: GUID of the session',
    example: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    of: session => session.id,
  },
  {
    name: 'veeam.event.kind',
    type: 'string',
    help: 'Kind of this record',
    example: recordKinds.session,
    of: () => recordKinds.session,
  },
  ...ofSession,
  {
    name: 'veeam.restore.session.result',
    type: 'string',
    help: 'How the session ended, in the words of the API',
    example: 'Success',
    of: session => session.result.raw,
  },
  {
    name: 'veeam.restore.session.duration',
    type: 'double',
    help: 'Seconds from creation to end',
    example: 61.5,
    of: session => sessionSeconds(session),
  },
  {
    name: 'error.type',
    type: 'string',
    help: 'Class of the failure, only when there is one',
    example: 'restore_session_failed',
    of: session => (session.result.label === 'Failed' ? 'restore_session_failed' : undefined),
  },
  {
    name: 'error.message',
    type: 'string',
    help: 'What the server says of the failure',
    example: 'Mailbox not found',
    of: session => (session.result.label === 'Failed' ? session.details : undefined),
  },
];

/** Attributes of the record of one event. */
export const itemAttributes: readonly Attribute<Taken>[] = [
  {
    name: 'log.record.uid',
    type: 'string',
    help: 'The same for every repetition of this record: GUID of the event',
    example: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
    of: ({ event }) => event.id,
  },
  {
    name: 'veeam.event.kind',
    type: 'string',
    help: 'Kind of this record',
    example: recordKinds.item,
    of: () => recordKinds.item,
  },
  {
    name: 'veeam.restore.event.type',
    type: 'string',
    help: 'What was done, in the words of the API',
    example: 'Save',
    of: ({ event }) => event.type.raw,
  },
  {
    name: 'veeam.restore.event.status',
    type: 'string',
    help: 'How it ended, in the words of the API',
    example: 'Success',
    of: ({ event }) => event.status.raw,
  },
  {
    name: 'veeam.restore.event.order',
    type: 'int',
    help: 'Number of the event within its session, from 0',
    example: 1,
    of: ({ event }) => event.order,
  },
  {
    name: 'veeam.restore.event.duration',
    type: 'double',
    help: 'Seconds it took',
    example: 0.0446928,
    of: ({ event }) => inSeconds(event.duration),
  },
  {
    name: 'veeam.restore.item.name',
    type: 'string',
    help: 'Name of the item',
    example: 'Image.jpg',
    of: ({ event }) => event.item.name,
  },
  {
    name: 'veeam.restore.item.type',
    type: 'string',
    help: 'Kind of the item',
    example: 'Item',
    of: ({ event }) => event.item.type,
  },
  {
    name: 'veeam.restore.item.size',
    type: 'int',
    help: 'Size of the item in bytes',
    example: 2048,
    of: ({ event }) => event.item.sizeBytes,
  },
  {
    name: 'veeam.restore.source',
    type: 'string',
    help: 'Where the item comes from, in the words of the server',
    example: '/personal/alice/Documents/Image.jpg',
    of: ({ event }) => event.source,
  },
  {
    name: 'veeam.restore.target',
    type: 'string',
    help: 'Where the item went, in the words of the server',
    example: 'C:\\Temp',
    of: ({ event }) => event.target,
  },
  {
    name: 'veeam.restore.reason',
    type: 'string',
    help: 'Why it went wrong, in the words of the server',
    example: 'Access denied',
    of: ({ event }) => event.reason,
  },
  ...ofSession.map(({ of, ...attribute }): Attribute<Taken> => ({ ...attribute, of: ({ session }) => of(session) })),
  {
    name: 'error.type',
    type: 'string',
    help: 'Class of the failure, only when there is one',
    example: 'restore_failed',
    of: ({ event }) => (event.status.label === 'Failed' ? 'restore_failed' : undefined),
  },
  {
    name: 'error.message',
    type: 'string',
    help: 'What the server says of the failure',
    example: 'Access denied',
    of: ({ event }) => (event.status.label === 'Failed' ? failure(event) : undefined),
  },
];

const failure = ({ reason, message }: Taken['event']): string => (reason === '' ? message : reason);

function sessionSeconds({ createdAt, endedAt }: Session): Value {
  return endedAt === undefined || endedAt < createdAt ? undefined : toSeconds(endedAt - createdAt);
}

/** The attributes that have a value, by name. Text that is no Unicode is repaired: a collector may refuse a batch for it. */
export function attributesOf<Subject>(
  table: readonly Attribute<Subject>[],
  subject: Subject,
): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  for (const { name, of } of table) {
    const value = of(subject);
    if (typeof value === 'number') attributes[name] = value;
    else if (value !== undefined && value !== '') attributes[name] = value.toWellFormed();
  }
  return attributes;
}
