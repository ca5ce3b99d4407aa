import { ExporterError } from '../kernel/errors.js';
import type { RejectReason } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Batch, Delivered, SinkName, TakenEvent } from '../pipeline/ports.js';
import { type Delivery, sinkDeltas } from '../metrics/deltas.js';
import type { AcknowledgingExporter } from './exporter.js';
import { createRefusedRecords, type RefusedRecords } from './refused-records.js';

/** Something to send, with the ids of what it tells of. */
export type OutgoingRecord<Item> = Ids & Readonly<{ item: Item }>;

/** Session and event; no event, `''`, where the session itself is told. */
type Ids = Readonly<{ session: string; event: string }>;

/** The ids of an event, or of a session alone. */
export const idsOf = ({ session, event }: Readonly<{ session: Session }> & Partial<TakenEvent>): Ids => ({
  session: session.id,
  event: event?.id ?? '',
});

/** What became of parcels, and the ids of those that the receiver will not have, although it takes others. */
type Outcome = Omit<Delivery, 'deadLetters'> &
  Readonly<{ deadLetters: readonly (Ids & Readonly<{ reason: RejectReason }>)[] }>;

/**
 * Delivers parcels, which are in order of time: resolves when each has been taken, or is known to be at fault. On a
 * rejection none counts as taken, and all are to be delivered again.
 * @throws {ExporterError} as `AcknowledgingExporter.export`. `rejected` with the detail `doubted` when that many were
 * refused one by one, and nothing has been taken since that would tell whether they or the receiver are at fault.
 */
export type Deliver<Item> = (records: readonly OutgoingRecord<Item>[], signal: AbortSignal) => Promise<Outcome>;

/** What a sink answers that has delivered a batch. */
export function deliveredBy(sink: SinkName, server: string, batch: Batch, outcome: Outcome): Delivered {
  const deadLetters = outcome.deadLetters.map(one => ({ ...one, sink, at: batch.at }));
  return { deltas: sinkDeltas(server, sink, batch, outcome), deadLetters };
}

/** Records per request: half a megabyte of JSON, some 2 ms to encode. */
const requestSize = 512;

type Work<Item> = Readonly<{
  send: (records: readonly OutgoingRecord<Item>[]) => Promise<Answer>;
  refused: RefusedRecords;
  doubted: Set<OutgoingRecord<Item>>;
  deadLetters: Map<OutgoingRecord<Item>, RejectReason>;
}>;

/** `dropped`: by partial success. */
type Answer = Readonly<{ dropped: number }> | Readonly<{ refusal: ExporterError }>;

/** The way to one receiver, which remembers what it has refused. */
export function createDelivery<Item>(exporter: Pick<AcknowledgingExporter<Item>, 'export'>): Deliver<Item> {
  const refused = createRefusedRecords();
  let failedBefore = false;
  return async (records, signal) => {
    const outcome = failedBefore ? 'retried' : 'delivered';
    failedBefore = true;
    let dropped = 0;
    let lastRefusal: ExporterError | undefined;
    const send = async (group: readonly OutgoingRecord<Item>[]): Promise<Answer> => {
      const answer = await attempt(exporter, group, signal);
      if ('refusal' in answer) lastRefusal = answer.refusal;
      else dropped += answer.dropped;
      return answer;
    };
    const work: Work<Item> = { send, refused, doubted: new Set(), deadLetters: new Map() };
    await deliverAll(work, records);
    // What was refused before another was taken gets the same chance after it.
    const again = [...work.doubted].filter(record => refused.guilty(idOf(record)));
    for (const record of again) work.doubted.delete(record);
    await deliverAll(work, again);
    if (lastRefusal !== undefined && work.doubted.size > 0) throw inDoubt(lastRefusal, work.doubted.size);
    failedBefore = false;
    refused.clear([...work.deadLetters.keys()].map(idOf));
    const deadLetters = [...work.deadLetters].map(([{ session, event }, reason]) => ({ session, event, reason }));
    return { outcome, dropped, deadLetters };
  };
}

const idOf = ({ session, event }: OutgoingRecord<unknown>): string => `${session} ${event}`;

function inDoubt({ message, details, retryAfterMs }: ExporterError, doubted: number): ExporterError {
  return new ExporterError('rejected', message, { details: { ...details, doubted }, retryAfterMs });
}

/** In turn, so that records arrive in order. */
async function deliverAll<Item>(work: Work<Item>, records: readonly OutgoingRecord<Item>[]): Promise<void> {
  for (let from = 0; from < records.length; from += requestSize) {
    // oxlint-disable-next-line no-await-in-loop -- one request at a time is the point
    await deliverGroup(work, records.slice(from, from + requestSize), work.refused.mark());
  }
}

/** @param since mark at which the first request that held these parcels was begun. */
async function deliverGroup<Item>(
  work: Work<Item>,
  group: readonly OutgoingRecord<Item>[],
  since: number,
): Promise<void> {
  const answer = await work.send(group);
  if (!('refusal' in answer)) return taken(work, group, answer.dropped);
  const [first, ...rest] = group;
  if (first === undefined) return;
  if (rest.length === 0) return blame(work, first, since, answer.refusal);
  if (group.every(record => work.refused.has(idOf(record)))) return deliverSuspects(work, group, since);
  const middle = Math.ceil(group.length / 2);
  await deliverGroup(work, group.slice(0, middle), since);
  await deliverGroup(work, group.slice(middle), since);
}

function taken<Item>({ refused }: Work<Item>, group: readonly OutgoingRecord<Item>[], dropped: number): void {
  refused.clear(group.map(idOf));
  if (dropped < group.length) refused.lives();
}

function blame<Item>(work: Work<Item>, record: OutgoingRecord<Item>, since: number, refusal: ExporterError): void {
  work.refused.suspect(idOf(record), since);
  if (work.refused.guilty(idOf(record))) work.deadLetters.set(record, isTooLarge(refusal) ? 'too_large' : 'refused');
  else work.doubted.add(record);
}

/**
 * A group whose every parcel was refused on its own before: the first speaks for all, so that a receiver that refuses
 * everything is asked twice a group and not a thousand times.
 */
async function deliverSuspects<Item>(
  work: Work<Item>,
  group: readonly OutgoingRecord<Item>[],
  since: number,
): Promise<void> {
  for (const [index, record] of group.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- the answer decides about the next
    await deliverGroup(work, [record], since);
    const rest = group.slice(index + 1);
    if (work.deadLetters.has(record)) continue;
    if (!work.doubted.has(record)) return rest.length === 0 ? undefined : deliverGroup(work, rest, since);
    for (const other of rest) work.doubted.add(other);
    return;
  }
}

/** A refusal that may be the fault of what was sent is an answer; any other is thrown. */
async function attempt<Item>(
  exporter: Pick<AcknowledgingExporter<Item>, 'export'>,
  group: readonly OutgoingRecord<Item>[],
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const { refused } = await exporter.export(
      group.map(({ item }) => item),
      signal,
    );
    return { dropped: refused };
  } catch (thrown) {
    if (thrown instanceof ExporterError && mayBeTheRecords(thrown)) return { refusal: thrown };
    throw thrown;
  }
}

const isTooLarge = ({ details }: ExporterError): boolean => details['statusCode'] === 413;

/** Answered 400 or 413, or it could not even be encoded. A wrong address (404) or method is no record's fault. */
const mayBeTheRecords = ({ reason, details: { statusCode } }: ExporterError): boolean =>
  reason === 'rejected' && (statusCode === undefined || statusCode === 400 || statusCode === 413);
