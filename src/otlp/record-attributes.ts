import { eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import type { Attribute } from './attribute.js';
import { itemAttributes } from './item-attributes.js';
import { sessionAttributes } from './session-attributes.js';

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
  help: 'When it happened; only if the timestamp is the time of sending (`logs.max_age`, `logs.max_behind`)',
  example: '2017-05-30T10:57:28.0869607Z',
} as const;

const unlessEqual = (at: Nanos, own: Nanos): string | undefined => (at === own ? undefined : formatInstant(own));

/** Attributes of the record of one event, in their order. */
export const itemRecordAttributes: readonly Attribute<TakenEvent & Timestamped>[] = [
  { ...uid, of: ({ event }) => event.id },
  { ...kind, of: () => recordKinds.item },
  { ...time, of: ({ event, at }) => unlessEqual(at, eventTime(event)) },
  ...itemAttributes,
];

/** Attributes of the record of a session that has stopped, in their order. */
export const sessionRecordAttributes: readonly Attribute<Readonly<{ session: Session }> & Timestamped>[] = [
  { ...uid, of: ({ session }) => session.id },
  { ...kind, of: () => recordKinds.session },
  { ...time, of: ({ session, at }) => unlessEqual(at, sessionTime(session)) },
  ...sessionAttributes,
];
