import { type AnomalyKind, eventTextLength, type RejectReason, type RestoreEvent } from '../model/event.js';
import type { VocabularyField } from '../model/labels.js';
import { type Ownership, ownershipOf } from '../model/ownership.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { BacklogEntry } from './backlog.js';
import type { Completion } from './completion.js';
import type { ChangedEvent, PageResult } from './dedupe.js';
import { formatIntervalSet, type IntervalSet, sizeOf } from './interval-set.js';
import type { Batch, RejectedEvent, TakenEvent } from './ports.js';

/** Maximum number of events and results that a sink takes at once, and of rows in one transaction. */
export const batchSize = 1_000;
/** Maximum number of characters of the events that a sink takes at once, unless one page has more. 1,000 events have about 300,000. */
export const batchCharacters = 1024 * 1024;

/** What one page, or the end, of a session adds to a batch. */
export type SessionPart = Readonly<{
  /** The session's entry once the batch is committed. */
  entry: BacklogEntry;
  /** The entry's row differs from the stored one. */
  changed: boolean;
  /** Undefined if the server has deleted the session. */
  session: Session | undefined;
  page?: PageResult;
  completion?: Completion;
}>;

/** An event that changed after it was taken; without `event`, as many events of which only the number is known. */
export type Correction = Readonly<{ session: string; events: number; event?: ChangedEvent | undefined }>;
/** Why events were given up: not final in time, not in the list in time, or in one of too many gaps to wait for. */
type AbandonReason = 'still_running' | 'missing' | 'too_many_gaps';
/** Events that never became final; `orders` such as `3-5,9`: the first ten intervals. */
export type AbandonedEvents = Readonly<{ session: string; events: number; orders: string; reason: AbandonReason }>;
/** A value that the exporter does not know; `order` of the event, undefined for a value of the session. */
export type UnknownValue = Readonly<{
  session: string;
  order: number | undefined;
  field: VocabularyField;
  value: string;
}>;

/** A batch across sessions, and what it changes once the sink has taken it. */
export type ReadBatch = Readonly<ReturnType<BatchBuilder['build']>>;

type Counts<Key extends string> = Partial<Record<Key, number>>;

const charactersOf = (page: PageResult | undefined): number =>
  page?.events.reduce((sum, event) => sum + eventTextLength(event), 0) ?? 0;

/** Gathers the parts of sessions into a batch. */
export class BatchBuilder {
  readonly #events: TakenEvent[] = [];
  readonly #results: Session[] = [];
  readonly #failures: Batch['failures'][number][] = [];
  readonly #entries = new Map<string, BacklogEntry>();
  readonly #changed = new Set<string>();
  readonly #rejected: RejectedEvent[] = [];
  readonly #corrected: Correction[] = [];
  readonly #abandoned: AbandonedEvents[] = [];
  readonly #unknown: UnknownValue[] = [];
  readonly #rejectedCounts: Counts<RejectReason> = {};
  readonly #anomalies: Counts<AnomalyKind> = {};
  /** Of the session of the last event, by owner. */
  readonly #ownerships = new Map<RestoreEvent['owner'], Ownership>();
  #characters = 0;
  readonly #findings = { rejected: this.#rejectedCounts, anomalies: this.#anomalies, abandoned: 0, corrections: 0 };

  /** Whether the part can be added without exceeding the batch size. */
  hasRoomFor({ entry, page, completion }: SessionPart): boolean {
    const events = this.#events.length + (page?.events.length ?? 0);
    const results = this.#results.length + (completion?.result === true ? 1 : 0);
    const rejected = this.#rejected.length + (page?.rejected.length ?? 0);
    const rows = this.#changed.size + (this.#changed.has(entry.row.session) ? 0 : 1);
    const hasTextRoom = this.#characters === 0 || this.#characters + charactersOf(page) <= batchCharacters;
    return hasTextRoom && Math.max(events + results, rejected, rows) <= batchSize;
  }

  add({ entry, changed, session, page, completion }: SessionPart): void {
    this.#entries.set(entry.row.session, entry);
    if (changed) this.#changed.add(entry.row.session);
    if (session !== undefined && page !== undefined) this.#addPage(session, page);
    if (completion !== undefined) this.#addCompletion(entry.row.session, session, completion);
  }

  /** @param at now by the server's clock. */
  build(at: Nanos) {
    const entries = [...this.#entries.values()];
    const batch = { events: this.#events, results: this.#results, failures: this.#failures };
    return {
      batch: { ...batch, findings: this.#findings, at } satisfies Batch,
      entries,
      /** The entries whose rows have to be stored. */
      changed: entries.filter(({ row }) => this.#changed.has(row.session)),
      /** The batch has something to deliver or to store. */
      hasNews: this.#changed.size > 0 || Object.keys(this.#anomalies).length > 0,
      /** Rejected events by name. */
      rejected: this.#rejected,
      corrected: this.#corrected,
      abandoned: this.#abandoned,
      unknown: this.#unknown,
    };
  }

  #addPage(session: Session, { events, rejected, anomalies, abandoned }: PageResult): void {
    for (const event of events) {
      this.#addEvent(session, event);
      this.#characters += eventTextLength(event);
    }
    for (const row of rejected) {
      this.#rejected.push({ session: session.id, ...row });
      count(this.#rejectedCounts, row.reason, 1);
    }
    for (const kind of anomalies) count(this.#anomalies, kind, 1);
    this.#abandon(session.id, abandoned, 'too_many_gaps');
  }

  #addEvent(session: Session, event: RestoreEvent): void {
    this.#events.push({ session, event, ownership: this.#ownershipOf(session, event) });
    const { order, type, status } = event;
    if (type.label === 'other')
      this.#unknown.push({ session: session.id, order, field: 'event_type', value: type.raw });
    if (status.label === 'other')
      this.#unknown.push({ session: session.id, order, field: 'status', value: status.raw });
  }

  /** One object for all events of an owner that follow one another in a session, so that sinks can share what they make of it. */
  #ownershipOf(session: Session, event: RestoreEvent): Ownership | undefined {
    if (event.owner === undefined) return ownershipOf(session, event);
    if (this.#events.at(-1)?.session !== session) this.#ownerships.clear();
    const known = this.#ownerships.get(event.owner);
    if (known !== undefined) return known;
    const ownership = ownershipOf(session, event);
    if (ownership !== undefined) this.#ownerships.set(event.owner, ownership);
    return ownership;
  }

  #addResult(session: Session): void {
    this.#results.push(session);
    for (const field of ['workload', 'result'] as const) {
      const { label, raw: value } = session[field];
      if (label === 'other') this.#unknown.push({ session: session.id, order: undefined, field, value });
    }
  }

  #abandon(session: string, abandoned: IntervalSet, reason: AbandonReason): void {
    const events = sizeOf(abandoned);
    this.#findings.abandoned += events;
    const orders = formatIntervalSet(abandoned.slice(0, 10));
    if (events > 0) this.#abandoned.push({ session, events, orders, reason });
  }

  /** Names the events that are known, and counts the others. */
  #correct(session: string, { corrections, changed }: Completion): void {
    this.#findings.corrections += corrections;
    for (const event of changed) this.#corrected.push({ session, events: 1, event });
    const unnamed = corrections - changed.length;
    if (unnamed > 0) this.#corrected.push({ session, events: unnamed });
  }

  #addCompletion(id: string, session: Session | undefined, completion: Completion): void {
    const { result, failure: item, abandoned, orderGaps, duplicates } = completion;
    if (result && session !== undefined) this.#addResult(session);
    if (item !== undefined && session !== undefined) this.#failures.push({ session, item });
    this.#correct(id, completion);
    this.#abandon(id, abandoned.running, 'still_running');
    this.#abandon(id, abandoned.missing, 'missing');
    count(this.#anomalies, 'order_gap', orderGaps);
    count(this.#anomalies, 'duplicate_order', duplicates);
    count(this.#rejectedCounts, 'duplicate_order', duplicates);
    this.#rejected.push(...duplicatesOf(id, completion));
  }
}

const duplicatesOf = (session: string, { duplicates, duplicateRows }: Completion): readonly RejectedEvent[] =>
  duplicateRows.length > 0
    ? duplicateRows.map(row => ({ session, ...row }))
    : Array.from({ length: duplicates }, () => ({ session, order: undefined, id: '', reason: 'duplicate_order' }));

function count<Key extends string>(counts: Counts<Key>, key: Key, by: number): void {
  if (by > 0) counts[key] = (counts[key] ?? 0) + by;
}
