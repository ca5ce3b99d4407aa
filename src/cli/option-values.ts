import { InvalidArgumentError } from 'commander';
import { type History, parseDuration, parseHistory } from '../config/duration.js';

// Values of options, from their texts. @throws {InvalidArgumentError}

export const append = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Labels of the families that are backfilled: Prometheus refuses a sample that has one of them twice. */
const ownLabels: ReadonlySet<string> = new Set([
  'server',
  'organization',
  'workload',
  'event_type',
  'status',
  'relation',
  'result',
  'le',
]);

type Label = readonly [name: string, value: string];

export function appendLabel(text: string, before: readonly Label[]): readonly Label[] {
  const [, name, value] = /^([a-zA-Z_]\w*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined || name.startsWith('__'))
    throw new InvalidArgumentError('Must be a label such as job=vb365.');
  if (ownLabels.has(name)) throw new InvalidArgumentError('The metrics of the exporter have that label already.');
  if (before.some(([other]) => other === name)) throw new InvalidArgumentError('A label can be given once.');
  return [...before, [name, value]];
}

export function moment(text: string): History {
  const parsed = parseHistory(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError(
    'Must be a date such as 2026-01-31, a time with zone such as 2026-01-31T08:00:00Z, a duration such as 30d, "now" or "all".',
  );
}

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Must be a duration such as 20s or 5m.');
  return ms;
}

/** A duration of at least a second. */
export function seconds(text: string): number {
  const ms = duration(text);
  if (ms < 1_000) throw new InvalidArgumentError('Must be at least 1s.');
  return ms;
}

export function port(text: string): number {
  const number = whole(text);
  if (number > 65_535) throw new InvalidArgumentError('Must be a port, 0 to 65535.');
  return number;
}

/** The REST service of VB365 also serves its console, and the exporter itself. */
export function concurrency(text: string): number {
  const number = positive(text);
  if (number > 32) throw new InvalidArgumentError('Must be at most 32.');
  return number;
}

export function positive(text: string): number {
  const number = whole(text);
  if (number === 0) throw new InvalidArgumentError('Must be at least 1.');
  return number;
}

export function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Must be an integer.');
  return Number(text);
}
