import { type Nanos, parseInstant } from '../model/time.js';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const units = [
  ['d', dayMs],
  ['h', hourMs],
  ['m', minuteMs],
  ['s', secondMs],
  ['ms', 1],
] as const;

/** A length of time as Prometheus writes it: whole numbers with units, largest unit first, as in `1h30m` or `500ms`. */
export const durationPattern = /^(?!$)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,9}ms)?$/;

/** Reads a duration, to milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  return units.reduce((sum, [, unitMs], index) => sum + Number.parseInt(match[index + 1] ?? '0', 10) * unitMs, 0);
}

/** Writes whole milliseconds as a duration; `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  const parts = units.map(([unit, unitMs], index) => {
    const above = units[index - 1]?.[1] ?? Infinity;
    const count = Math.floor((ms % above) / unitMs);
    return count === 0 ? '' : `${String(count)}${unit}`;
  });
  return parts.join('') || '0s';
}

/** What a sink that looks back takes on its first start. */
export type History =
  | Readonly<{ kind: 'now' }>
  | Readonly<{ kind: 'all' }>
  | Readonly<{ kind: 'ago'; ms: number }>
  | Readonly<{ kind: 'since'; at: Nanos }>;

/** Reads `now`, `all`, a duration, a date (its midnight, UTC) or an instant with its zone; undefined when it is none of them. */
export function parseHistory(text: string): History | undefined {
  if (text === 'now' || text === 'all') return { kind: text };
  const ms = parseDuration(text);
  if (ms !== undefined) return { kind: 'ago', ms };
  const instant = parseInstant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  return instant?.offset === true ? { kind: 'since', at: instant.at } : undefined;
}
