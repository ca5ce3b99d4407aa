import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import { type Attribute, freeText } from './attribute.js';

type Told = Readonly<{ session: Session }>;

/** What every record and span tells of its session. */
export const ofSession: readonly Attribute<Told>[] = [
  {
    name: 'veeam.restore.session.id',
    type: 'string',
    help: 'GUID of the session',
    example: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    of: ({ session }) => session.id,
  },
  {
    name: 'veeam.restore.session.name',
    type: 'string',
    help: 'Name of the session',
    example: 'Restore of contoso',
    holds: freeText,
    of: ({ session }) => session.name,
  },
  {
    name: 'veeam.restore.session.type',
    type: 'string',
    help: 'Explorer that restores, in the words of the API',
    example: 'Vesp',
    of: ({ session }) => session.workload.raw,
  },
  {
    name: 'veeam.restore.session.initiator',
    type: 'string',
    help: 'Who opened the session',
    example: 'CONTOSO\\alice',
    holds: ['person'],
    of: ({ session }) => session.initiator,
  },
  {
    name: 'veeam.restore.session.client.address',
    type: 'string',
    help: 'Address of the client that opened the session',
    example: '10.0.0.7',
    holds: ['client'],
    of: ({ session }) => session.clientAddress,
  },
  {
    name: 'veeam.restore.session.scope',
    type: 'string',
    help: 'Whose data, or which site or team, the session may restore',
    example: 'Tenant',
    holds: ['person', 'item'],
    of: ({ session }) => session.scope,
  },
  {
    name: 'veeam.restore.session.reason',
    type: 'string',
    help: 'Why the session was opened, as its initiator wrote',
    example: 'Ticket 4711',
    holds: freeText,
    of: ({ session }) => session.reason,
  },
  {
    name: 'veeam.organization.name',
    type: 'string',
    help: 'Organization whose data is restored',
    example: 'contoso.onmicrosoft.com',
    of: ({ session }) => session.organization,
  },
];

/** What is told of a session that has stopped. */
export const sessionAttributes: readonly Attribute<Told>[] = [
  ...ofSession,
  {
    name: 'veeam.restore.session.result',
    type: 'string',
    help: 'How the session ended, in the words of the API',
    example: 'Success',
    of: ({ session }) => session.result.raw,
  },
  {
    name: 'veeam.restore.session.duration',
    type: 'double',
    help: 'Seconds from creation to end',
    example: 61.5,
    of: ({ session }) => sessionSeconds(session),
  },
  {
    name: 'error.type',
    type: 'string',
    help: 'Class of the failure, only when there is one',
    example: 'restore_session_failed',
    of: ({ session }) => (session.result.label === 'Failed' ? 'restore_session_failed' : undefined),
  },
  {
    name: 'error.message',
    type: 'string',
    help: 'What the server says of the failure',
    example: 'Mailbox not found',
    holds: freeText,
    of: ({ session }) => (session.result.label === 'Failed' ? session.details : undefined),
  },
];

function sessionSeconds({ createdAt, endedAt }: Session): number | undefined {
  return endedAt === undefined || endedAt < createdAt ? undefined : toSeconds(endedAt - createdAt);
}
