import type { Nanos } from '../model/time.js';
import { type CursorRow, factNames, type Series, type ServerState, sinkNames } from '../pipeline/ports.js';

/** A stored row, by column, as a database returns it: integers as `bigint` or as text, truth as `1n` or `true`. */
export type Columns = Readonly<Record<string, unknown>>;

/** A change of nothing. */
export const noChange = { moves: [], since: {}, facts: {}, rows: [], deltas: [], deadLetters: [] } as const;

/** Sinks and facts that this version does not know are left out. */
export const readState = (since: readonly Columns[], facts: readonly Columns[]): ServerState => ({
  since: Object.fromEntries(since.flatMap(({ sink, at }) => (isOf(sinkNames, sink) ? [[sink, integer(at)]] : []))),
  facts: Object.fromEntries(facts.flatMap(({ name, value }) => (isOf(factNames, name) ? [[name, text(value)]] : []))),
});

/** Rows of a sink that this version does not know are left out. */
export function readRow({ sink, session, created_at: createdAt, done, cursor }: Columns): readonly CursorRow[] {
  if (!isOf(sinkNames, sink)) return [];
  const isDone = done === 1n || done === true;
  return [{ sink, session: text(session), createdAt: integer(createdAt), done: isDone, cursor: text(cursor) }];
}

/** A dead letter, with the words of the version that stored it. */
export type StoredDeadLetter = Readonly<Record<'sink' | 'session' | 'event' | 'reason', string>>;

export const readDeadLetter = ({ sink, session, event, reason }: Columns): StoredDeadLetter => ({
  sink: text(sink),
  session: text(session),
  event: text(event),
  reason: text(reason),
});

/** Reads rows of series of any schema. @throws {SyntaxError} when one is not as it was written. */
export const readStoredSeries = (rows: readonly Columns[]): readonly Series[] =>
  rows.map(columns => {
    const key: unknown = JSON.parse(text(columns['key']));
    if (!Array.isArray(key) || !key.every(part => typeof part === 'string')) throw new SyntaxError('not a key');
    const [family = '', ...labels] = key;
    return readSeries(family, labels, columns);
  });

/** Numbers as text, exact at any size: `7`, or `sum;count,count,...` for a histogram. */
export function writeValue(series: Series): string {
  if (series.kind === 'counter') return String(series.value);
  if (series.kind === 'latest') return String(series.at);
  return `${String(series.sumTicks)};${series.counts.join(',')}`;
}

/** The part of a series that is held back, as text. */
export const writeHeld = (series: Series): string => String(series.kind === 'counter' ? (series.held ?? 0n) : 0n);

export function readSeries(family: string, labels: readonly string[], { kind, value, held }: Columns): Series {
  // A file of the first schema has no such column.
  const heldPart = held === undefined || held === '0' ? {} : { held: number(text(held)) };
  if (kind === 'counter') return { family, labels, kind, value: number(text(value)), ...heldPart };
  if (kind === 'latest') return { family, labels, kind, at: number(text(value)) };
  const [sum = '', counts = ''] = text(value).split(';');
  return { family, labels, kind: 'histogram', sumTicks: number(sum), counts: counts.split(',').map(number) };
}

/** `BigInt` takes an empty text for 0. */
function number(digits: string): bigint {
  if (digits === '') throw new SyntaxError('not a number');
  return BigInt(digits);
}

const isOf = <Name extends string>(names: readonly Name[], value: unknown): value is Name =>
  names.some(name => name === value);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const integer = (value: unknown): bigint =>
  typeof value === 'bigint' ? value : typeof value === 'string' ? number(value) : 0n;

/** An integer column holds the years 1677 to 2262; a server's clock may say anything. */
const limit = 2n ** 63n - 1n;
export const clamp = (at: Nanos): Nanos => (at > limit ? limit : at < -limit ? -limit : at);
