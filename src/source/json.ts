import { parseInstant, type ParsedInstant } from '../model/time.js';

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

/** Whether `text` cuts one of the members. */
export const isCut = (row: JsonObject): boolean =>
  Object.values(row).some(value => typeof value === 'string' && value.length > longestText);

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID in lower case; `''` for anything else. */
export const uuid = (value: unknown): string =>
  typeof value === 'string' && uuidPattern.test(value) ? value.toLowerCase() : '';

/**
 * A time member. Undefined when it is omitted, `null`, empty, or .NET's `DateTime.MinValue` (0001-01-01), which servers
 * write for an unknown time.
 */
export function instant(value: unknown): ParsedInstant | 'malformed' | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return 'malformed';
  if (value.startsWith('0001-01-01')) return undefined;
  return parseInstant(value) ?? 'malformed';
}

/** An `eTag` (v8, an int64) as text; `''` for none, and for one that a JSON number cannot represent exactly. */
export const tag = (value: unknown): string => (Number.isSafeInteger(value) ? String(value) : '');
