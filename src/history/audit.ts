import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { eventTime } from '../model/event.js';
import { sessionTime } from '../model/session.js';
import { parseInstant, type Nanos } from '../model/time.js';
import type { Attribute } from '../otlp/attribute.js';
import { recordAttributes } from '../otlp/attributes.js';
import { itemRecord, type Origin, sessionRecord } from '../otlp/log-record.js';
import type { HistoryPart } from './reader.js';
import { recordReader, type StoredLog } from './records.js';

/** A record that the log store should hold, or does hold. `event` is that of the session for the record of a session. */
export type RecordName = Readonly<{ server: string; session: string; event: string; at: Nanos | undefined }>;
export type Missing = RecordName &
  Readonly<{ /** Undefined for the record of a session. */ order: number | undefined }>;

/** What an audit found. */
export type AuditFindings = Readonly<{
  expected: number;
  found: number;
  missing: readonly Missing[];
  altered: readonly (RecordName & Readonly<{ attributes: readonly string[] }>)[];
  repeated: readonly (RecordName & Readonly<{ times: number }>)[];
  /** In the window, but the server knows no such event. */
  unknown: readonly RecordName[];
  /** Attributes that no record has, and which are therefore not compared. */
  absent: readonly string[];
  /** Records that are not compared: of other servers, of other times, of other programs, and lines that are no JSON. */
  ignored: Readonly<{ otherServer: number; otherTime: number; otherProgram: number; unreadable: number }>;
}>;

/** A part of a record that is compared. */
type Field = Readonly<{
  name: string;
  /** A store may write a number as text, and round it. */
  isNumber: boolean;
  /** Depends on what the server said when the event was read: only two values that differ are a difference. */
  isLoose: boolean;
  holds: Attribute<never>['holds'];
}>;

/** `veeam.event.time` is the time of the record when its timestamp is the time of sending. */
const notCompared: ReadonlySet<string> = new Set(['log.record.uid', 'veeam.event.time']);

const attributeFields: readonly Field[] = [
  ...new Map([...recordAttributes.item, ...recordAttributes.session].map(each => [each.name, each])).values(),
]
  .filter(({ name }) => !notCompared.has(name))
  .map(({ name, example, holds }) => ({
    name,
    holds,
    isNumber: typeof example === 'number',
    isLoose: name.startsWith('veeam.restore.owner.'),
  }));

/** A store may keep no such part; then it is not compared. */
const recordFields = ['timestamp', 'body', 'severity'].map((name): Field => ({
  name,
  isNumber: false,
  isLoose: true,
  holds: undefined,
}));
const fields: readonly Field[] = [...recordFields, ...attributeFields];
const derived = fields.findIndex(({ name }) => name === 'veeam.restore.owner.derived');

const comparedAttributes: readonly string[] = [...attributeFields.map(({ name }) => name), ...notCompared];

type Subject = Readonly<{ server: string; session: string; order: number | undefined; at: Nanos }>;
/** A record that should be there. `row`: of its hashes. */
type Expectation = Subject & { readonly row: number; seen: number; differs: Set<number> | undefined };
const named = (uid: string, { server, session, at }: Expectation): RecordName => ({ server, session, event: uid, at });

/** Rows of one hash for each field, 0 where there is no value; in large pieces, because small arrays take three times the memory. */
class HashRows {
  readonly #pieces: Uint32Array[] = [];
  #rows = 0;

  /** The number of a new row. */
  add(record: Comparable): number {
    const row = this.#rows;
    if (row % rowsInPiece === 0) this.#pieces.push(new Uint32Array(rowsInPiece * fields.length));
    this.#rows += 1;
    writeHashes(this.at(row), record);
    return row;
  }

  at(row: number): Uint32Array {
    const start = (row % rowsInPiece) * fields.length;
    return this.#pieces[Math.floor(row / rowsInPiece)]?.subarray(start, start + fields.length) ?? new Uint32Array();
  }
}

const rowsInPiece = 4_096;

type AuditWindow = { readonly from: Nanos; readonly to: Nanos; oldest: Nanos | undefined };

/**
 * Compares the records of a log store with the history of servers: `begin`, `listed` and `expect` for the history, then
 * `check` for each line, then `findings`. Holds some 300 bytes for each record.
 */
export class Audit {
  readonly #expected = new Map<string, Expectation>();
  readonly #windows = new Map<string, AuditWindow>();
  readonly #present = new Set<number>();
  readonly #unknown: RecordName[] = [];
  readonly #ignored = { otherServer: 0, otherTime: 0, otherProgram: 0, unreadable: 0 };
  readonly #hashes = new HashRows();
  /** Of the record that is compared. */
  readonly #actual = new Uint32Array(fields.length);
  readonly #read = recordReader(comparedAttributes);
  #dropped: ReadonlySet<number> = new Set();

  begin(server: string, { from, to }: Readonly<{ from: Nanos; to: Nanos }>, { redact }: Origin): void {
    this.#windows.set(server, { from, to, oldest: this.#windows.get(server)?.oldest });
    this.#dropped = new Set(
      fields.flatMap(({ holds }, index) => (holds !== undefined && redact('x', holds) === undefined ? [index] : [])),
    );
  }

  /** A session of the server, in the window or not: what is older than all of them cannot be audited. */
  listed(server: string, createdAt: Nanos): void {
    const window = this.#windows.get(server);
    if (window !== undefined && (window.oldest === undefined || createdAt < window.oldest)) window.oldest = createdAt;
  }

  expect(server: string, { session, events, end }: HistoryPart, origin: Origin): void {
    for (const taken of events) {
      const { id, order, timeless } = taken.event;
      const at = eventTime(taken.event);
      const record = sent(itemRecord(taken, origin, { observedAt: at }), timeless === true ? undefined : at);
      this.#add(id, { server, session: session.id, order, at }, record);
    }
    if (end?.stopped !== true) return;
    const at = sessionTime(session);
    const record = sent(sessionRecord(session, origin, { observedAt: at }), session.undated === true ? undefined : at);
    this.#add(session.id, { server, session: session.id, order: undefined, at }, record);
  }

  #add(uid: string, subject: Subject, record: Comparable): void {
    this.#expected.set(uid, { ...subject, row: this.#hashes.add(record), seen: 0, differs: undefined });
  }

  check(line: string): void {
    const records = this.#read(line);
    if (records === undefined) this.#ignored.unreadable += 1;
    else for (const record of records) this.#checkRecord(record);
  }

  #checkRecord(record: StoredLog): void {
    const { uid, server } = record;
    if (uid === undefined) this.#ignored.otherProgram += 1;
    else if (server !== undefined && !this.#windows.has(server)) this.#ignored.otherServer += 1;
    else {
      const expected = this.#expected.get(uid);
      if (expected === undefined) this.#addUnknown(uid, record);
      else this.#compare(expected, record);
    }
  }

  #addUnknown(uid: string, record: StoredLog): void {
    const { server, attributes } = record;
    const at = eventTimeOf(record);
    const windows = [...this.#windows].filter(([name]) => server === undefined || server === name);
    const isInside = ({ from, to, oldest = to }: AuditWindow): boolean =>
      at === undefined || (at > from - millisecond && at > oldest - millisecond && at < to);
    if (!windows.some(([, window]) => isInside(window))) return void (this.#ignored.otherTime += 1);
    const session = String(attributes['veeam.restore.session.id'] ?? '');
    this.#unknown.push({ server: server ?? '', session, event: uid, at });
  }

  #compare(expected: Expectation, record: StoredLog): void {
    expected.seen += 1;
    const hashes = this.#hashes.at(expected.row);
    const actual = this.#actual;
    writeHashes(actual, { ...record, at: eventTimeOf(record) });
    // Another version of the API names the owner in another way.
    const sameNaming = hashes[derived] === actual[derived];
    for (const [index, found] of actual.entries()) {
      if (found !== 0) this.#present.add(index);
      const wanted = hashes[index] ?? 0;
      if (wanted === found || !this.#isCompared(index, wanted !== 0 && found !== 0, sameNaming)) continue;
      (expected.differs ??= new Set()).add(index);
    }
  }

  #isCompared(index: number, bothKnown: boolean, sameNaming: boolean): boolean {
    if (fields[index]?.isLoose !== true) return !this.#dropped.has(index);
    return bothKnown && !this.#dropped.has(index) && (sameNaming || index < recordFields.length);
  }

  findings(): AuditFindings {
    const all = [...this.#expected];
    const found = all.filter(([, { seen }]) => seen > 0);
    const names = (differs: ReadonlySet<number>): readonly string[] =>
      [...differs].filter(index => this.#present.has(index)).map(index => fields[index]?.name ?? '');
    const isAbsent = (index: number): boolean =>
      !this.#present.has(index) && all.some(([, { row }]) => this.#hashes.at(row)[index] !== 0);
    return {
      expected: all.length,
      found: found.length,
      missing: all
        .filter(([, { seen }]) => seen === 0)
        .map(([uid, each]) => ({ ...named(uid, each), order: each.order })),
      altered: found
        .map(([uid, each]) => ({ ...named(uid, each), attributes: names(each.differs ?? new Set()) }))
        .filter(({ attributes }) => attributes.length > 0),
      repeated: found
        .filter(([, { seen }]) => seen > 1)
        .map(([uid, each]) => ({ ...named(uid, each), times: each.seen })),
      unknown: this.#unknown,
      absent: found.length === 0 ? [] : fields.filter((_, index) => isAbsent(index)).map(({ name }) => name),
      ignored: this.#ignored,
    };
  }
}

/** What is compared of a record. `at`: undefined when it is not known, and not compared. */
type Comparable = Pick<StoredLog, 'at' | 'body' | 'severity'> &
  Readonly<{ attributes: Readonly<Record<string, unknown>> }>;

/** A record as the exporter sends it, unless its timestamp is the time of sending. */
const sent = ({ body: text, severityText, attributes }: ReadableLogRecord, at: Nanos | undefined): Comparable => ({
  at,
  body: String(text),
  severity: severityText,
  attributes,
});

/** The time of the event: the timestamp may be the time of sending. */
const eventTimeOf = ({ at, attributes }: StoredLog): Nanos | undefined =>
  parseInstant(String(attributes['veeam.event.time'] ?? ''))?.at ?? at;

/** Stores round times, but none to more than a millisecond. */
const millisecond = 1_000_000n;

function writeHashes(to: Uint32Array, { at, body: text, severity: level, attributes }: Comparable): void {
  to[0] = at === undefined ? 0 : hashOf(String(at / millisecond));
  to[1] = hashOf(text ?? '');
  to[2] = hashOf(level ?? '');
  for (const [index, field] of attributeFields.entries())
    to[index + recordFields.length] = hashOf(textOf(attributes[field.name], field));
}

/** A relation is unknown where the server does not say it: that is no value. */
function textOf(value: unknown, { isNumber, isLoose }: Field): string {
  if (isLoose && value === 'unknown') return '';
  if (typeof value === 'string' && !isNumber) return value;
  if (typeof value !== 'string' && typeof value !== 'number') return value === true ? 'true' : '';
  return value === '' ? '' : Number(value).toPrecision(12);
}

/** FNV-1a, 32 bits; 0 for an empty text. */
function hashOf(text: string): number {
  if (text === '') return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
