import { Secret } from '../kernel/secret.js';
import type { Config } from './parse.js';

/** Whether two parts of a configuration are equal. Secrets are compared by their values, without revealing them. */
export function configEquals(one: unknown, other: unknown): boolean {
  if (one instanceof Secret && other instanceof Secret) return one.equals(other);
  if (one instanceof URL && other instanceof URL) return one.href === other.href;
  if (!isPlain(one) || !isPlain(other)) return Object.is(one, other);
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Array.isArray(one) === Array.isArray(other) && [...keys].every(key => configEquals(one[key], other[key]));
}

/** A list or a mapping. */
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Secret) && !(value instanceof URL);

/** The settings that a reload does not apply, by their keys in the file. */
const restartSettings: ReadonlyArray<Readonly<{ keys: string; of: (config: Config) => unknown }>> = [
  { keys: 'state.path', of: ({ state }) => state.path },
  { keys: 'state.postgresql', of: ({ state }) => state.postgresql },
  { keys: 'max_concurrent_requests', of: ({ maxConcurrentRequests }) => maxConcurrentRequests },
  { keys: 'metrics', of: ({ metrics }) => metrics },
  { keys: 'logs or otlp', of: ({ logs }) => logs },
  { keys: 'traces or otlp', of: ({ traces }) => traces },
  { keys: 'own_telemetry or otlp', of: ({ ownTelemetry }) => ownTelemetry },
  { keys: 'personal_data.hash_key_file', of: ({ hashKeyFile }) => hashKeyFile },
];

/** The keys that differ between the configuration of the start and `now`, and that only a restart applies. */
export const changesThatNeedRestart = (started: Config, now: Config): readonly string[] =>
  restartSettings.filter(({ of }) => !configEquals(of(started), of(now))).map(({ keys }) => keys);
