import { parseInstant, type ParsedInstant } from '../model/time.js';

/** A JSON object whose members nobody has looked at yet. */
export type Wire = Readonly<Record<string, unknown>>;

export const isWire = (value: unknown): value is Wire =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text member. Servers leave a text out, send `null` or send it empty and mean the same, so all are `''`. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID in lower case; `''` for anything else. */
export const uuid = (value: unknown): string =>
  typeof value === 'string' && uuidPattern.test(value) ? value.toLowerCase() : '';

/**
 * A time member. Undefined when it is left out, `null`, empty, or .NET's `DateTime.MinValue` (0001-01-01), which servers
 * write for a time that they do not have.
 */
export function instant(value: unknown): ParsedInstant | 'malformed' | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return 'malformed';
  if (value.startsWith('0001-01-01')) return undefined;
  return parseInstant(value) ?? 'malformed';
}

/** An `eTag` (v8, an int64) as text; `''` for none, and for one that JSON numbers cannot tell from its neighbours. */
export const tag = (value: unknown): string => (Number.isSafeInteger(value) ? String(value) : '');
