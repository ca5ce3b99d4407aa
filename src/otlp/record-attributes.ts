import { eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import type { Attribute } from './attribute.js';
import { eventAttributes, itemAttributes } from './item-attributes.js';
import { sessionAttributes } from './session-attributes.js';

/** Kinds of log records; each is an `EventName`, and the attribute `veeam.event.kind`. */
export const recordKinds = { item: 'veeam.restore.item', session: 'veeam.restore.session' } as const;

/** The time that a record bears. */
type Stamped = Readonly<{ bears: Nanos }>;

const uid = {
  name: 'log.record.uid',
  type: 'string',
  help: 'The same for every repetition of this record: GUID of the event, or of the session in the record of a session',
  example: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
} as const;

const kind = {
  name: 'veeam.event.kind',
  type: 'string',
  help: 'Kind of this record; the same as its event name, for backends that do not keep that',
  example: recordKinds.item,
} as const;

const time = {
  name: 'veeam.event.time',
  type: 'string',
  help: 'When it happened, only when the record bears the time of sending instead (`logs.max_age`, `logs.max_behind`)',
  example: '2017-05-30T10:57:28.0869607Z',
} as const;

const unless = (bears: Nanos, at: Nanos): string | undefined => (bears === at ? undefined : formatInstant(at));

/** Which record it is, of what kind, and when it happened. */
const marks: readonly Attribute<TakenEvent & Stamped>[] = [
  { ...uid, of: ({ event }) => event.id },
  { ...kind, of: () => recordKinds.item },
  { ...time, of: ({ event, bears }) => unless(bears, eventTime(event)) },
];

/** Attributes of the record of one event that come before those of its session. */
export const ownRecordAttributes: readonly Attribute<TakenEvent & Stamped>[] = [...marks, ...eventAttributes];

/** Attributes of the record of one event, in their order. */
export const itemRecordAttributes: readonly Attribute<TakenEvent & Stamped>[] = [...marks, ...itemAttributes];

/** Attributes of the record of a session that has stopped. */
export const sessionRecordAttributes: readonly Attribute<Readonly<{ session: Session }> & Stamped>[] = [
  { ...uid, of: ({ session }) => session.id },
  { ...kind, of: () => recordKinds.session },
  { ...time, of: ({ session, bears }) => unless(bears, sessionTime(session)) },
  ...sessionAttributes,
];
