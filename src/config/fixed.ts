import type { Config } from './parse.js';
import { configEquals } from './equals.js';

/** What the program is built with once: by the keys that a person knows it by. */
const fixedSettings: ReadonlyArray<Readonly<{ keys: string; of: (config: Config) => unknown }>> = [
  { keys: 'state.path', of: ({ state }) => state },
  { keys: 'max_concurrent_requests', of: ({ maxConcurrentRequests }) => maxConcurrentRequests },
  { keys: 'metrics', of: ({ metrics }) => metrics },
  { keys: 'logs or otlp', of: ({ logs }) => logs },
  { keys: 'traces or otlp', of: ({ traces }) => traces },
  { keys: 'own_telemetry or otlp', of: ({ ownTelemetry }) => ownTelemetry },
  { keys: 'personal_data.hash_key_file', of: ({ hashKeyFile }) => hashKeyFile },
];

/** The settings that `now` has otherwise than `started`, the configuration of the start, and that no reload exchanges. */
export const fixedSettingsThatDiffer = (started: Config, now: Config): readonly string[] =>
  fixedSettings.filter(({ of }) => !configEquals(of(started), of(now))).map(({ keys }) => keys);
