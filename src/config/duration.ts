import { milliseconds, type Nanos, parseInstant } from '../model/time.js';

const unitsMs = [86_400_000, 3_600_000, 60_000, 1000, 1];

/** A duration as Prometheus writes it: whole numbers with units, largest unit first, such as `1h30m` or `500ms`. */
export const durationPattern = /^(?!$)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,9}ms)?$/;

/** Parses a duration to milliseconds; undefined when the text is not one. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  return unitsMs.reduce((sum, unitMs, index) => sum + Number.parseInt(match[index + 1] ?? '0', 10) * unitMs, 0);
}

/** How far back logs and traces go on their first start. */
export type History =
  | Readonly<{ kind: 'now' }>
  | Readonly<{ kind: 'all' }>
  | Readonly<{ kind: 'ago'; ms: number }>
  | Readonly<{ kind: 'since'; at: Nanos }>;

/** Parses `now`, `all`, a duration, a date (midnight UTC) or an instant with its time zone; undefined otherwise. */
export function parseHistory(text: string): History | undefined {
  if (text === 'now' || text === 'all') return { kind: text };
  const ms = parseDuration(text);
  if (ms !== undefined) return { kind: 'ago', ms };
  const instant = parseInstant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  return instant?.offset === true ? { kind: 'since', at: instant.at } : undefined;
}

/** The time that it means at `now`. */
export function historyStart(history: History, now: Nanos): Nanos {
  switch (history.kind) {
    case 'now':
      return now;
    case 'all':
      return 0n;
    case 'ago':
      return now - milliseconds(history.ms);
    case 'since':
      return history.at;
  }
}
