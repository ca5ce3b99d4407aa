import type { PersonalData } from '../model/personal-data.js';
import type { Environment } from './environment.js';
import { type OtlpTarget, readTarget, type SignalName } from './otlp.js';
import { type Problem, problemsOf, type Read } from './problem.js';
import { readBy } from './read.js';
import { logsSchema, otlpSchema, ownTelemetrySchema, tracesSchema } from './schema.js';
import { personalDataSchema } from './telemetry-keys.js';

/** Where log records go, and what they may tell. */
export type LogsConfig = OtlpTarget &
  Readonly<{
    personalData: PersonalData;
    /** Undefined: records are never too old, or too far behind. */
    maxAgeMs: number | undefined;
    maxBehindMs: number | undefined;
  }>;

/** Where spans go, and what they may tell. */
export type TracesConfig = OtlpTarget & Readonly<{ personalData: PersonalData }>;

/** Where telemetry of the exporter itself goes. */
export type OwnTelemetryConfig = Readonly<{ traces: OtlpTarget | undefined; logs: OtlpTarget | undefined }>;

/** What is sent over OTLP. Undefined: nothing of that kind. */
export type Signals = Readonly<{
  logs: LogsConfig | undefined;
  traces: TracesConfig | undefined;
  ownTelemetry: OwnTelemetryConfig | undefined;
  /** There when anything is hashed. */
  hashKeyFile: string | undefined;
}>;

const nothing: Signals = { logs: undefined, traces: undefined, ownTelemetry: undefined, hashKeyFile: undefined };

/** Reads the sections about telemetry. What is wrong with the file's own keys is not said again: the whole file is read elsewhere. */
export function readSignals(document: Readonly<Record<string, unknown>>, env: Environment): Read<Signals> {
  const sections = readSections(document);
  if (sections === undefined) return { value: nothing };
  const { logs, traces, own, otlp, personal } = sections;
  const target = (signal: SignalName, enabled: boolean | 'auto', key: string): Read<OtlpTarget | undefined> =>
    readTarget({ signal, enabled, key: `${key}.enabled` }, otlp, env);
  const logsTarget = target('logs', logs.enabled, 'logs');
  const tracesTarget = target('traces', traces.enabled, 'traces');
  const ownTraces = target('traces', own.enabled, 'own_telemetry');
  const ownLogs = target('logs', own.enabled && 'auto', 'own_telemetry');
  const all = [logsTarget, tracesTarget, ownTraces, ownLogs];
  if (!('value' in logsTarget && 'value' in tracesTarget && 'value' in ownTraces && 'value' in ownLogs))
    return { problems: distinct(all.flatMap(problemsOf)) };
  const signals: Signals = {
    logs: logsTarget.value && {
      ...logsTarget.value,
      personalData: logs.personal_data,
      maxAgeMs: logs.max_age,
      maxBehindMs: logs.max_behind,
    },
    traces: tracesTarget.value && { ...tracesTarget.value, personalData: traces.personal_data },
    ownTelemetry: own.enabled ? { traces: ownTraces.value, logs: ownLogs.value } : undefined,
    hashKeyFile: personal.hash_key_file,
  };
  return withHashKey(signals);
}

/** Undefined when any of them is wrong in itself. */
function readSections(document: Readonly<Record<string, unknown>>) {
  const logs = readBy(logsSchema, document['logs']);
  const traces = readBy(tracesSchema, document['traces']);
  const own = readBy(ownTelemetrySchema, document['own_telemetry']);
  const self = readBy(ownTelemetrySchema, document['self_tracing']);
  const otlp = readBy(otlpSchema, document['otlp']);
  const personal = readBy(personalDataSchema, document['personal_data']);
  if (!('value' in logs && 'value' in traces && 'value' in own && 'value' in self)) return undefined;
  if (!('value' in otlp && 'value' in personal)) return undefined;
  return {
    logs: logs.value,
    traces: traces.value,
    own: { enabled: own.value.enabled || self.value.enabled },
    otlp: otlp.value,
    personal: personal.value,
  };
}

/** A problem of a variable that two signals share is one problem. */
const distinct = (problems: readonly Problem[]): readonly Problem[] =>
  problems.filter(
    (problem, index) =>
      problems.findIndex(({ path, what }) => path === problem.path && what === problem.what) === index,
  );

function withHashKey(signals: Signals): Read<Signals> {
  const hashing = (['logs', 'traces'] as const).filter(signal =>
    Object.values(signals[signal]?.personalData ?? {}).includes('hash'),
  );
  if (hashing.length === 0 || signals.hashKeyFile !== undefined) return { value: signals };
  const what = `is missing, because "${hashing.join('" and "')}" hash personal data`;
  return { problems: [{ path: 'personal_data.hash_key_file', what }] };
}
