import { ExporterError } from '../kernel/errors.js';
import { type Delivery, sinkDeltas } from '../metrics/deltas.js';
import type { RejectReason } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Batch, Delivered, DroppedRecords, SinkName, TakenEvent } from '../pipeline/ports.js';
import type { AcknowledgingExporter, Acknowledgement } from './exporter.js';
import { RefusedRecords } from './refused-records.js';

/** Session id and event id; the event is `''` for the record of the session itself. */
type RecordIds = Readonly<{ session: string; event: string }>;

/** A record or span to send, with the ids of its event. */
export type OutgoingRecord<Item> = RecordIds & Readonly<{ item: Item }>;

export const outgoing = <Item>(
  { session, event }: Readonly<{ session: Session }> & Partial<TakenEvent>,
  item: Item,
): OutgoingRecord<Item> => ({ session: session.id, event: event?.id ?? '', item });

type DeliveryResult = Omit<Delivery, 'deadLetters' | 'dropped'> &
  Readonly<{ deadLetters: readonly (RecordIds & Refusal)[]; dropped: readonly DroppedRecords[] }>;

/** Why a record is a dead letter, and what the receiver said. */
type Refusal = Readonly<{ reason: RejectReason; answer: string | undefined }>;

/**
 * Delivers records, oldest first. Resolves when each of them is accepted or is a dead letter: refused by a receiver that
 * accepts others. After a rejection none counts as delivered.
 * @throws {ExporterError} as `AcknowledgingExporter.export`. `rejected` with the detail `suspects` when that many records
 * were refused one by one and nothing was accepted since, so that either they or the receiver may be at fault.
 */
type Deliver<Item> = (records: readonly OutgoingRecord<Item>[], signal: AbortSignal) => Promise<DeliveryResult>;

/** What `Sink.deliver` resolves with. */
export function deliveredBy(sink: SinkName, server: string, batch: Batch, result: DeliveryResult): Delivered {
  const deadLetters = result.deadLetters.map(one => ({ ...one, sink, at: batch.at }));
  const dropped = result.dropped.reduce((sum, one) => sum + one.dropped, 0);
  return { deltas: sinkDeltas(server, sink, batch, { ...result, dropped }), deadLetters, dropped: result.dropped };
}

/** How one sink of one server delivers. */
type ProbingDelivery<Item> = Readonly<{
  deliver: Deliver<Item>;
  /**
   * Sends the first record of the last failed request once more, alone. One that is accepted is not sent again.
   * @throws {ExporterError} as `AcknowledgingExporter.export`.
   */
  probe: (signal: AbortSignal) => Promise<void>;
}>;

/** Remembers what the receiver has refused, and which record was accepted as a probe. */
export function createDelivery<Item>(exporter: Pick<AcknowledgingExporter<Item>, 'export'>): ProbingDelivery<Item> {
  const refused = new RefusedRecords();
  /** What the receiver dropped, by the id of an accepted probe. */
  const accepted = new Map<string, readonly DroppedRecords[]>();
  let failed: OutgoingRecord<Item> | undefined;
  let failedBefore = false;
  return {
    deliver: async (records, signal) => {
      const outcome = failedBefore ? 'retried' : 'delivered';
      failedBefore = true;
      const bisection = new Bisection(exporter, refused, signal);
      const probed = records.filter(record => accepted.has(idOf(record)));
      const rest = records.filter(record => !accepted.has(idOf(record)));
      const result = await bisection.deliver(rest).finally(() => (failed = bisection.failed));
      failedBefore = false;
      const dropped = [...probed.flatMap(record => accepted.get(idOf(record)) ?? []), ...result.dropped];
      for (const record of probed) accepted.delete(idOf(record));
      return { outcome, ...result, dropped };
    },
    probe: async signal => {
      if (failed === undefined) return;
      const record = failed;
      const answer = await exporter.export([record.item], signal);
      if (answer.refused === 0) refused.countAccepted();
      refused.delete([idOf(record)]);
      accepted.set(idOf(record), droppedOf([record], answer));
    },
  };
}

/** Records per request: half a megabyte of JSON. */
const requestSize = 512;

/** Delivers one batch. Splits what is refused until the poison records are isolated. */
class Bisection<Item> {
  readonly #exporter: Pick<AcknowledgingExporter<Item>, 'export'>;
  readonly #refused: RefusedRecords;
  readonly #signal: AbortSignal;
  readonly #suspects = new Set<OutgoingRecord<Item>>();
  readonly #deadLetters = new Map<OutgoingRecord<Item>, Refusal>();
  readonly #dropped: DroppedRecords[] = [];
  #lastRefusal: ExporterError | undefined;
  #failed: OutgoingRecord<Item> | undefined;

  constructor(exporter: Pick<AcknowledgingExporter<Item>, 'export'>, refused: RefusedRecords, signal: AbortSignal) {
    this.#exporter = exporter;
    this.#refused = refused;
    this.#signal = signal;
  }

  /** The first record of the last request that failed. */
  get failed(): OutgoingRecord<Item> | undefined {
    return this.#failed;
  }

  async deliver(records: readonly OutgoingRecord<Item>[]): Promise<Omit<DeliveryResult, 'outcome'>> {
    await this.#sendAll(records);
    // The receiver has accepted something since it refused these: try them once more.
    const again = [...this.#suspects].filter(record => this.#refused.isPoison(idOf(record)));
    for (const record of again) this.#suspects.delete(record);
    await this.#sendAll(again);
    if (this.#lastRefusal !== undefined && this.#suspects.size > 0)
      throw suspectBatch(this.#lastRefusal, this.#suspects.size);
    this.#refused.delete([...this.#deadLetters.keys()].map(idOf));
    const deadLetters = [...this.#deadLetters].map(([{ session, event }, refusal]) => ({ session, event, ...refusal }));
    return { dropped: this.#dropped, deadLetters };
  }

  /** One request after the other, so that records arrive in order. */
  async #sendAll(records: readonly OutgoingRecord<Item>[]): Promise<void> {
    for (let from = 0; from < records.length; from += requestSize) {
      // oxlint-disable-next-line no-await-in-loop -- one request at a time is the point
      await this.#send(records.slice(from, from + requestSize), this.#refused.accepted);
    }
  }

  /** @param since value of `accepted` when the first request with these records was sent. */
  async #send(group: readonly OutgoingRecord<Item>[], since: number): Promise<void> {
    const refusal = await this.#attempt(group);
    const [first, ...rest] = group;
    if (refusal === undefined || first === undefined) return;
    if (rest.length === 0) return this.#isolated(first, since, refusal);
    if (group.every(record => this.#refused.has(idOf(record)))) return this.#sendSuspects(group, since);
    const middle = Math.ceil(group.length / 2);
    await this.#send(group.slice(0, middle), since);
    await this.#send(group.slice(middle), since);
  }

  /** Returns a refusal for which the records may be the cause, and throws any other. */
  async #attempt(group: readonly OutgoingRecord<Item>[]): Promise<ExporterError | undefined> {
    try {
      const items = group.map(({ item }) => item);
      const answer = await this.#exporter.export(items, this.#signal);
      this.#dropped.push(...droppedOf(group, answer));
      this.#refused.delete(group.map(idOf));
      if (answer.refused < group.length) this.#refused.countAccepted();
      return undefined;
    } catch (thrown) {
      this.#failed = group[0];
      if (!(thrown instanceof ExporterError) || !mayBeTheRecords(thrown)) throw thrown;
      this.#lastRefusal = thrown;
      return thrown;
    }
  }

  #isolated(record: OutgoingRecord<Item>, since: number, { details }: ExporterError): void {
    this.#refused.add(idOf(record), since);
    if (!this.#refused.isPoison(idOf(record))) return void this.#suspects.add(record);
    const { statusCode, answer } = details;
    const said = answer === undefined ? undefined : String(answer);
    this.#deadLetters.set(record, { reason: statusCode === 413 ? 'too_large' : 'refused', answer: said });
  }

  /**
   * For a group whose every record was refused on its own before. The first one decides for the others, so that a
   * receiver that refuses everything gets two requests per group and not a thousand.
   */
  async #sendSuspects(group: readonly OutgoingRecord<Item>[], since: number): Promise<void> {
    for (const [index, record] of group.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- the answer decides about the next
      await this.#send([record], since);
      const rest = group.slice(index + 1);
      if (this.#deadLetters.has(record)) continue;
      if (!this.#suspects.has(record)) return rest.length === 0 ? undefined : this.#send(rest, since);
      for (const other of rest) this.#suspects.add(other);
      return;
    }
  }
}

function droppedOf(group: readonly RecordIds[], { refused, answer = '' }: Acknowledgement): readonly DroppedRecords[] {
  if (refused === 0) return [];
  const sessions = [...new Set(group.map(({ session }) => session))];
  return [{ dropped: refused, sent: group.length, sessions, answer }];
}

const idOf = ({ session, event }: OutgoingRecord<unknown>): string => `${session} ${event}`;

function suspectBatch({ message, details, retryAfterMs }: ExporterError, suspects: number): ExporterError {
  return new ExporterError('rejected', message, { details: { ...details, suspects }, retryAfterMs });
}

/** Answered 400 or 413, or not encodable. A wrong address (404) or method is not a record's fault. */
const mayBeTheRecords = ({ reason, details: { statusCode } }: ExporterError): boolean =>
  reason === 'rejected' && (statusCode === undefined || statusCode === 400 || statusCode === 413);
