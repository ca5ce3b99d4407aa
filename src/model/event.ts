import type { Owner } from './owner.js';
import { type Term, vocabulary } from './term.js';
import type { Nanos } from './time.js';

export const eventTypes = ['None', 'View', 'Save', 'Export', 'Send', 'Restore'] as const;
export type EventType = (typeof eventTypes)[number];
export const eventType = vocabulary(eventTypes);

export const eventStatuses = ['Running', 'Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'] as const;
export type EventStatus = (typeof eventStatuses)[number];
export const eventStatus = vocabulary(eventStatuses);

/** Types of events about an item. The first of several that failed stands for all: a preview comes last. */
export const itemTypes = ['Restore', 'Export', 'Save', 'Send', 'other', 'View'] as const;
export type ItemType = (typeof itemTypes)[number];

/** Why an event was rejected instead of delivered. Closed: each is a `reason` label. */
export const rejectReasons = [
  'not_an_object',
  'no_id',
  'no_status',
  'duplicate_order',
  'refused',
  'too_large',
  'partial_success',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** Protocol anomalies in API responses that lose no data. Closed: each is a `kind` label. */
export const anomalyKinds = [
  'no_offset',
  'negative_duration',
  'no_time',
  'future_time',
  'duplicate_order',
  'order_gap',
  'limit_ignored',
  'feed_gap',
  'text_cut',
] as const;
export type AnomalyKind = (typeof anomalyKinds)[number];

/** One event of a restore session: an item viewed, saved, exported, sent or restored, or a line of the session itself. */
export type RestoreEvent = Readonly<{
  /** UUID, lower case. */
  id: string;
  /** Identifies the event within its session, from 0. */
  order: number;
  type: Term<EventType>;
  status: Term<EventStatus>;
  startedAt: Nanos;
  /** There is no usable time: `startedAt` is when the event was read, or the end of its session if that is earlier. */
  timeless?: boolean;
  endedAt: Nanos | undefined;
  /** End minus start, else the API's `duration`; never negative; undefined when neither is known, or above 31 days. */
  duration: Nanos | undefined;
  title: string;
  message: string;
  /** `''` and undefined: not about an item, or unknown. */
  item: Readonly<{ name: string; type: string; sizeBytes: number | undefined }>;
  source: string;
  target: string;
  /** Whose data it is (v8); undefined when the server sends no id. */
  owner?: Owner | undefined;
  /** Why it failed, in the server's words; `''` for a success. */
  reason: string;
  anomalies: readonly AnomalyKind[];
}>;

/** Whether the event will no longer change. An unknown status is final when the event has an end, or its session is over. */
export const isFinal = ({ status, endedAt }: RestoreEvent, sessionOpen: boolean): boolean =>
  status.label !== 'Running' && (status.label !== 'other' || endedAt !== undefined || !sessionOpen);

/** When the event happened, for ordering, `since` and log records: its end, or its start while the end is unknown. */
export const eventTime = (event: RestoreEvent): Nanos => event.endedAt ?? event.startedAt;

/** Why an event failed, in the server's words. */
export const failureText = ({ reason, message }: Pick<RestoreEvent, 'reason' | 'message'>): string =>
  reason === '' ? message : reason;

/** Characters of the texts of an event that can be long. */
export const eventTextLength = ({ title, message, item, source, target, reason }: RestoreEvent): number =>
  title.length + message.length + item.name.length + item.type.length + source.length + target.length + reason.length;
