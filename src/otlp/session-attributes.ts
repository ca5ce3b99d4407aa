import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import { type Attribute, freeText } from './attribute.js';

type OfSession = Readonly<{ session: Session }>;

/** Attributes of every record and span. */
export const ofSession: readonly Attribute<OfSession>[] = [
  {
    name: 'veeam.restore.session.id',
    help: 'GUID of the session',
    example: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    of: ({ session }) => session.id,
  },
  {
    name: 'veeam.restore.session.name',
    help: 'Name of the session',
    example: 'Restore of contoso',
    holds: freeText,
    of: ({ session }) => session.name,
  },
  {
    name: 'veeam.restore.session.type',
    help: 'Explorer that restores, as the API names it',
    example: 'Vesp',
    of: ({ session }) => session.workload.raw,
  },
  {
    name: 'veeam.restore.session.initiator',
    help: 'Account that opened the session',
    example: 'CONTOSO\\alice',
    holds: ['person'],
    of: ({ session }) => session.initiator,
  },
  {
    name: 'veeam.restore.session.client.address',
    help: 'Address of the client that opened the session',
    example: '10.0.0.7',
    holds: ['client'],
    of: ({ session }) => session.clientAddress,
  },
  {
    name: 'veeam.restore.session.scope',
    help: 'User, site or team whose data the session may restore',
    example: 'Tenant',
    holds: ['person', 'item'],
    of: ({ session }) => session.scope,
  },
  {
    name: 'veeam.restore.session.reason',
    help: 'Reason for the session, as its initiator wrote it',
    example: 'Ticket 4711',
    holds: freeText,
    of: ({ session }) => session.reason,
  },
  {
    name: 'veeam.organization.name',
    help: 'Organization whose data is restored',
    example: 'contoso.onmicrosoft.com',
    of: ({ session }) => session.organization,
  },
];

/** Attributes of a session that has stopped. */
export const sessionAttributes: readonly Attribute<OfSession>[] = [
  ...ofSession,
  {
    name: 'veeam.restore.session.result',
    help: 'Result of the session, as the API names it',
    example: 'Success',
    of: ({ session }) => session.result.raw,
  },
  {
    name: 'veeam.restore.session.duration',
    help: 'Seconds from creation to end',
    example: 61.5,
    of: ({ session }) => sessionSeconds(session),
  },
  {
    name: 'error.type',
    help: 'Class of the failure; only for failures',
    example: 'restore_session_failed',
    of: ({ session }) => (session.result.label === 'Failed' ? 'restore_session_failed' : undefined),
  },
  {
    name: 'error.message',
    help: 'Error message of the server',
    example: 'Mailbox not found',
    holds: freeText,
    of: ({ session }) => (session.result.label === 'Failed' ? session.details : undefined),
  },
];

function sessionSeconds({ createdAt, endedAt }: Session): number | undefined {
  return endedAt === undefined || endedAt < createdAt ? undefined : toSeconds(endedAt - createdAt);
}
