import { toSeconds, type Nanos } from '../../../src/model/time.js';
import type { Entry, SimSession, World } from '../../../src/simulator/world.js';

/** What must arrive for the simulator's book, computed without the program's own tables. */
export type Expected = Readonly<{
  attributes: Readonly<Record<string, unknown>>;
  /** Nanoseconds since 1970, as OTLP/JSON writes them. */
  time: string;
  start: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  severity: number;
}>;

/** The exporter takes them out of the message of an event; the book has all of it. */
export const takenFromMessage: readonly string[] = ['veeam.restore.reason', 'error.message'];

const severities: Readonly<Record<string, number>> = { Failed: 17, Warning: 13, Cancelled: 13 };

/** The halves of a GUID, xor. */
function spanId(id: string): string {
  const [high = '', low = ''] = id.replaceAll('-', '').match(/.{16}/g) ?? [];
  return (BigInt(`0x${high}`) ^ BigInt(`0x${low}`)).toString(16).padStart(16, '0');
}

const present = (attributes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '' && value !== undefined));

/** The book holds no owners: the tests of `src/source/owners.ts` and `src/model/ownership.ts` do. */
export const withoutOwner = (attributes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith('veeam.restore.owner.')));

const ofSession = (session: SimSession): Readonly<Record<string, unknown>> => ({
  'veeam.restore.session.id': session.id,
  'veeam.restore.session.name': session.name,
  'veeam.restore.session.type': session.type,
  'veeam.restore.session.initiator': session.initiatedBy,
  'veeam.restore.session.client.host': session.clientHost,
  'veeam.restore.session.client.address': session.clientHost,
  'veeam.restore.session.scope': session.scopeName,
  'veeam.restore.session.reason': session.reason,
  'veeam.organization.name': session.organization,
});

const ids = (session: SimSession, id: string) => ({
  traceId: session.id.replaceAll('-', ''),
  spanId: spanId(id),
  parentSpanId: id === session.id ? '' : spanId(session.id),
});

function ofEvent({ session, event, duration }: Entry): Expected {
  const failed = event.status === 'Failed';
  return {
    ...ids(session, event.id),
    time: String(event.endedAt ?? event.startedAt),
    start: String(event.startedAt),
    severity: severities[event.status] ?? 9,
    attributes: present({
      ...ofSession(session),
      'veeam.restore.event.type': event.type,
      'veeam.restore.event.status': event.status,
      'veeam.restore.event.order': event.order,
      'veeam.restore.event.duration': duration === undefined ? undefined : toSeconds(duration),
      'veeam.restore.item.name': event.itemName,
      'veeam.restore.item.type': event.itemType,
      'veeam.restore.item.size': event.itemSizeBytes,
      'veeam.restore.source': event.source,
      'veeam.restore.target': event.target,
      'veeam.restore.reason': failed ? event.message : '',
      'error.type': failed ? 'restore_failed' : '',
      'error.message': failed ? event.message : '',
    }),
  };
}

/** What the first failed event of a session says. */
function failureOf(world: World, { id, details }: SimSession): string {
  const entry = [...world.book()].find(({ session, event }) => session.id === id && event.status === 'Failed');
  return entry?.event.message ?? `No event failed, and the server gives no reason (${details})`;
}

function ofResult(world: World, session: SimSession, endedAt: Nanos): Expected {
  const failed = session.result === 'Failed';
  return {
    ...ids(session, session.id),
    time: String(endedAt),
    start: String(session.createdAt),
    severity: severities[session.result] ?? 9,
    attributes: present({
      ...ofSession(session),
      'veeam.restore.session.result': session.result,
      'veeam.restore.session.duration': toSeconds(endedAt - session.createdAt),
      'error.type': failed ? 'restore_session_failed' : '',
      'error.message': failed ? failureOf(world, session) : '',
    }),
  };
}

/** By the uid that their records bear. */
export const expectedOf = (world: World): ReadonlyMap<string, Expected> =>
  new Map([
    ...[...world.book()].map(entry => [entry.event.id, ofEvent(entry)] as const),
    ...world
      .sessions()
      .flatMap(session =>
        session.endedAt === undefined ? [] : [[session.id, ofResult(world, session, session.endedAt)] as const],
      ),
  ]);
