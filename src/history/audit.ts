import { eventTime } from '../model/event.js';
import { sessionTime } from '../model/session.js';
import { parseInstant, type Nanos } from '../model/time.js';
import { type Attribute, merged } from '../otlp/attribute.js';
import { recordAttributes } from '../otlp/attributes.js';
import { isAhead, itemRecord, type LogRecord, type Origin, sessionRecord } from '../otlp/log-record.js';
import type { TimeLimits } from '../otlp/logs-sink.js';
import { HashRows } from './hash-rows.js';
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
  }));

const recordFields = ['timestamp', 'body', 'severity', 'service.instance.id'].map((name): Field => ({
  name,
  isNumber: false,
  holds: undefined,
}));
const fields: readonly Field[] = [...recordFields, ...attributeFields];
const columnOf = (name: string): number => fields.findIndex(field => field.name === name);
const [timestamp, relation, derived] = [
  columnOf('timestamp'),
  columnOf('veeam.restore.owner.relation'),
  columnOf('veeam.restore.owner.derived'),
];
/** What a look-up of the owner says: the exporter had another answer, or none. */
const lookedUp: ReadonlySet<number> = new Set([
  relation,
  columnOf('veeam.restore.owner.name'),
  columnOf('veeam.restore.owner.email'),
]);

const comparedAttributes: readonly string[] = [...attributeFields.map(({ name }) => name), ...notCompared];

type Subject = Readonly<{ server: string; session: string; order: number | undefined; at: Nanos }>;
/** A record that should be there. `row`: of its hashes. */
type Expectation = Subject & Readonly<{ row: number }>;
const named = (uid: string, { server, session, at }: Expectation): RecordName => ({ server, session, event: uid, at });

type AuditWindow = {
  readonly from: Nanos;
  readonly to: Nanos;
  oldest: Nanos | undefined;
  /** By uid. */
  readonly expected: Map<string, Expectation>;
};

/**
 * The records that a log store should hold, from the history of servers: `begin` for each server, `listed` and `expect`.
 * Holds some 300 bytes for each record.
 */
export class ExpectedRecords {
  readonly windows = new Map<string, AuditWindow>();
  readonly hashes = new HashRows(fields.length);
  /** Columns that a record has. */
  readonly present = new Set<number>();
  /** Columns of what is dropped as personal data. */
  dropped: ReadonlySet<number> = new Set();

  begin(server: string, { from, to }: Readonly<{ from: Nanos; to: Nanos }>, { redact }: Origin): void {
    this.windows.set(server, { from, to, oldest: undefined, expected: new Map() });
    this.dropped = new Set(
      fields.flatMap(({ holds }, index) => (holds !== undefined && redact('x', holds) === undefined ? [index] : [])),
    );
  }

  /** A session of the server, in the window or not: what is older than all of them cannot be audited. */
  listed(server: string, createdAt: Nanos): void {
    const window = this.windows.get(server);
    if (window !== undefined && (window.oldest === undefined || createdAt < window.oldest)) window.oldest = createdAt;
  }

  expect(server: string, { session, events, end }: HistoryPart, origin: Origin): void {
    for (const taken of events) {
      const { id, order, timeless } = taken.event;
      const at = eventTime(taken.event);
      const record = sent(itemRecord(taken, origin, { observedAt: at }), timeless === true ? undefined : at);
      this.#add(id, { server, session: session.id, order, at }, { ...record, server });
    }
    if (end?.stopped !== true) return;
    const at = sessionTime(session);
    const record = sent(sessionRecord(session, origin, { observedAt: at }), session.undated === true ? undefined : at);
    this.#add(session.id, { server, session: session.id, order: undefined, at }, { ...record, server });
  }

  #add(uid: string, subject: Subject, record: Comparable): void {
    const row = this.hashes.add(textsOf(record));
    for (const [column, hash] of this.hashes.at(row).entries()) if (hash !== 0) this.present.add(column);
    this.windows.get(subject.server)?.expected.set(uid, { ...subject, row });
  }
}

/** Reads a line of a log store; undefined when it is no JSON. */
export const readStored = recordReader(comparedAttributes);

/** Compares the records of a log store with those that it should hold: `check` for each line, then `findings`. */
export class Audit {
  readonly #windows: ReadonlyMap<string, AuditWindow>;
  readonly #hashes: HashRows;
  readonly #dropped: ReadonlySet<number>;
  /** Columns that a record should have, and those that one has. */
  readonly #wanted: ReadonlySet<number>;
  readonly #present = new Set<number>();
  readonly #unknownRelation: number;
  readonly #limits: TimeLimits;
  /** By row: how often the record was seen, and the columns that differ. */
  readonly #seen: Uint32Array;
  readonly #differs = new Map<number, Set<number>>();
  readonly #unknown: RecordName[] = [];
  readonly #ignored = { otherServer: 0, otherTime: 0, otherProgram: 0, unreadable: 0 };
  /** Of the record that is compared. */
  readonly #actual = new Uint32Array(fields.length);

  /** @param expected complete. @param limits those with which the records were sent. */
  constructor({ windows, hashes, dropped, present }: ExpectedRecords, limits: TimeLimits) {
    this.#windows = windows;
    this.#hashes = hashes;
    this.#dropped = dropped;
    this.#wanted = present;
    this.#unknownRelation = hashes.hashOf('unknown');
    this.#limits = limits;
    this.#seen = new Uint32Array(hashes.rows);
  }

  check(line: string): void {
    const records = readStored(line);
    if (records === undefined) this.#ignored.unreadable += 1;
    else for (const record of records) this.checkRecord(record);
  }

  checkRecord(record: StoredLog): void {
    const { uid, server } = record;
    if (uid === undefined) this.#ignored.otherProgram += 1;
    else if (server !== undefined && !this.#windows.has(server)) this.#ignored.otherServer += 1;
    else {
      const expected = this.#expectationOf(uid, server);
      if (expected === undefined) this.#addUnknown(uid, record);
      else this.#compare(expected, record);
    }
  }

  /** A store may not keep the server. */
  #expectationOf(uid: string, server: string | undefined): Expectation | undefined {
    if (server !== undefined) return this.#windows.get(server)?.expected.get(uid);
    return [...this.#windows.values()].find(({ expected }) => expected.has(uid))?.expected.get(uid);
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
    const { row } = expected;
    this.#seen[row] = this.#timesOf(expected) + 1;
    const wanted = this.#hashes.at(row);
    const actual = this.#actual;
    this.#hashes.write(actual, textsOf({ ...record, at: record.at === undefined ? undefined : eventTimeOf(record) }));
    const add = (index: number): void => void this.#differs.set(row, (this.#differs.get(row) ?? new Set()).add(index));
    for (const [index, found] of actual.entries()) {
      if (found !== 0) this.#present.add(index);
      if (wanted[index] !== found && this.#isCompared(index, wanted, found)) add(index);
    }
    if (wanted[timestamp] !== 0 && this.#isMoved(expected.at, record)) add(timestamp);
  }

  #timesOf({ row }: Expectation): number {
    return this.#seen[row] ?? 0;
  }

  #isCompared(index: number, hashes: Uint32Array, found: number): boolean {
    const wanted = hashes[index] ?? 0;
    if (this.#dropped.has(index) || (index === timestamp && wanted === 0)) return false;
    const isLookedUp = lookedUp.has(index) && hashes[relation] !== 0 && hashes[derived] === 0;
    return !isLookedUp || this.#bothKnown(index, wanted, found);
  }

  #bothKnown(index: number, wanted: number, found: number): boolean {
    if (index !== relation) return wanted !== 0 && found !== 0;
    return found === 0 || ![wanted, found].includes(this.#unknownRelation);
  }

  /** Whether the timestamp is another one than that of the event, for no reason that the limits give. */
  #isMoved(own: Nanos, { at, attributes }: StoredLog): boolean {
    if (at === undefined || attributes['veeam.event.time'] === undefined) return false;
    const { maxAge, maxBehind, maxAhead } = this.#limits;
    const exceeds = (limit: Nanos | undefined): boolean => limit !== undefined && at - own > limit - millisecond;
    return !exceeds(maxAge) && !exceeds(maxBehind) && !isAhead(own, at, maxAhead);
  }

  findings(): AuditFindings {
    const all = [...this.#windows.values()].flatMap(({ expected }) => [...expected]);
    const found = all.filter(([, each]) => this.#timesOf(each) > 0);
    const differences = ({ row }: Expectation): readonly string[] =>
      [...(this.#differs.get(row) ?? [])]
        .filter(index => this.#present.has(index))
        .map(index => fields[index]?.name ?? '');
    const isAbsent = (index: number): boolean => !this.#present.has(index) && this.#wanted.has(index);
    return {
      expected: all.length,
      found: found.length,
      missing: all
        .filter(([, each]) => this.#timesOf(each) === 0)
        .map(([uid, each]) => ({ ...named(uid, each), order: each.order })),
      altered: found
        .map(([uid, each]) => ({ ...named(uid, each), attributes: differences(each) }))
        .filter(({ attributes }) => attributes.length > 0),
      repeated: found
        .filter(([, each]) => this.#timesOf(each) > 1)
        .map(([uid, each]) => ({ ...named(uid, each), times: this.#timesOf(each) })),
      unknown: this.#unknown,
      absent: found.length === 0 ? [] : fields.filter((_, index) => isAbsent(index)).map(({ name }) => name),
      ignored: this.#ignored,
    };
  }
}

/** What is compared of a record. `at`: undefined when it is not known, and not compared. */
type Comparable = Pick<StoredLog, 'at' | 'body' | 'severity' | 'server'> &
  Readonly<{ attributes: Readonly<Record<string, unknown>> }>;

/** A record as the exporter sends it, unless its timestamp is the time of sending. */
const sent = (
  { body: text, severityText, attributes }: LogRecord,
  at: Nanos | undefined,
): Omit<Comparable, 'server'> => ({
  at,
  body: String(text),
  severity: severityText,
  attributes: merged(attributes),
});

/** The time of the event: the timestamp may be the time of sending. */
const eventTimeOf = ({ at, attributes }: StoredLog): Nanos | undefined =>
  parseInstant(String(attributes['veeam.event.time'] ?? ''))?.at ?? at;

/** Stores round times, but none to more than a millisecond. */
const millisecond = 1_000_000n;

const textsOf = ({ at, body, severity, server, attributes }: Comparable): readonly string[] => [
  at === undefined ? '' : String(at / millisecond),
  body ?? '',
  severity ?? '',
  server ?? '',
  ...attributeFields.map(field => textOf(attributes[field.name], field)),
];

/** A store may write a number as text, and round a fraction. */
function textOf(value: unknown, { isNumber }: Field): string {
  if (typeof value === 'string' && !isNumber) return value;
  if (typeof value !== 'string' && typeof value !== 'number') return value === true ? 'true' : '';
  if (value === '') return '';
  const number = Number(value);
  return String(Number.isInteger(number) ? number : Number(number.toPrecision(12)));
}
