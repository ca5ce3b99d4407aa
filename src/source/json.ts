import { type Nanos, parseInstant, type ParsedInstant, seconds } from '../model/time.js';

/** A JSON object with members of unknown types. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A string member. Servers omit a text, send `null` or send it empty, all with the same meaning: `''`. */
export const text = (value: unknown, longest = longestText): string =>
  typeof value !== 'string' ? '' : value.length <= longest ? value : cut(value, longest);

/** Characters of a text that is kept, such as a message. */
const longestText = 4096;
/** Characters of a name, such as that of an organization or a user. */
export const longestName = 1024;

/** A copy, because a slice would keep the whole text in memory. Half of a surrogate pair becomes U+FFFD. */
const cut = (value: string, longest: number): string =>
  Buffer.from(value.slice(0, longest).toWellFormed(), 'utf8').toString('utf8');

/** Whether `text` cuts one of the members; those in `names` have the length of a name. */
export const isCut = (row: JsonObject, names?: ReadonlySet<string>): boolean =>
  // Hardly any row has such a member, and this runs over every row.
  Object.values(row).some(value => typeof value === 'string' && value.length > longestName) &&
  Object.entries(row).some(
    ([key, value]) =>
      typeof value === 'string' && value.length > (names?.has(key) === true ? longestName : longestText),
  );

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID in lower case; `''` for anything else. */
export const uuid = (value: unknown): string =>
  typeof value === 'string' && uuidPattern.test(value) ? value.toLowerCase() : '';

/** A time member as it was sent. `no time`: a date that .NET cannot hold. */
export type TimeMember = ParsedInstant | 'no time' | 'malformed' | undefined;

/**
 * A time member. Undefined when it is omitted, `null`, empty, or .NET's `DateTime.MinValue` (0001-01-01), which servers
 * write for an unknown time.
 */
export function instant(value: unknown): TimeMember {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return 'malformed';
  if (value.startsWith('0001-01-01')) return undefined;
  if (outOfRange.test(value)) return 'no time';
  return parseInstant(value) ?? 'malformed';
}

/** The zero date of MySQL, and years with a sign or more than four digits. */
const outOfRange = /^(?:0000-|[+-]?\d{5,}-|-\d{4}-)/;

/** Times before are zero dates of other systems, in any time zone: 1601-01-01, 1899-12-30, 1900-01-01, 1970-01-01. */
const earliest: Nanos = seconds(86_400);
/** 2016-01-01: times before, such as 1980 and 2000, are older than the first release of the product (November 2016). */
const firstRelease: Nanos = seconds(1_451_606_400);
/** The largest dates, such as 9999-12-31 and 2079-06-06, are ahead of the clock. A zone read wrongly is not: 14 hours. */
const furthestAhead: Nanos = seconds(86_400);

/** The instant, unless it cannot be when something happened. `readAt`: server time of the answer. */
export const usable = (time: TimeMember, readAt: Nanos): ParsedInstant | undefined =>
  typeof time === 'object' && time.at >= earliestAt(readAt) && time.at <= readAt + furthestAhead ? time : undefined;

/** On a server whose own clock is before the first release, its times are as good as its clock. */
const earliestAt = (readAt: Nanos): Nanos => (readAt < firstRelease ? earliest : firstRelease);

/** An `eTag` (v8, an int64) as text; `''` for none, and for one that a JSON number cannot represent exactly. */
export const tag = (value: unknown): string => (Number.isSafeInteger(value) ? String(value) : '');
