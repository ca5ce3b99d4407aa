import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import type { PersonalData } from '../model/personal-data.js';
import { type Environment, readVariables, type Variable, variable } from './environment.js';
import { type Problem, problemsOf, type Read } from './problem.js';
import { type ProxyConfig, proxyFor } from './proxy.js';
import { type Keys, otlpKeys, otlpTlsKeys } from './schema.js';
import { headerList, parsedText } from './values.js';
import { isMapping, valueAt } from './yaml.js';

/** A signal that is sent over OTLP; its name is the end of the path. */
export type SignalName = 'logs' | 'traces';

/** Where and how a signal is sent. */
export type OtlpTarget = Readonly<{
  /** Complete, with the path of the signal; without credentials and query. */
  url: URL;
  protocol: 'http/json' | 'http/protobuf';
  /** By lower-case name. */
  headers: Readonly<Record<string, Secret>>;
  compression: 'none' | 'gzip';
  /** For one request and its answer. */
  timeoutMs: number;
  proxy: ProxyConfig | undefined;
  /** PEM files; undefined: the authorities of Node.js, and no client certificate. */
  tls: Readonly<{
    caFile: string | undefined;
    /** Both or neither. */
    certFile: string | undefined;
    keyFile: string | undefined;
  }>;
}>;

export type LogsConfig = OtlpTarget &
  Readonly<{
    personalData: PersonalData;
    /** Undefined: no limit. */
    maxAgeMs: number | undefined;
    maxBehindMs: number | undefined;
    maxAheadMs: number | undefined;
  }>;

type TracesConfig = OtlpTarget &
  Readonly<{
    personalData: PersonalData;
    /** Undefined: no limit. */
    maxAheadMs: number | undefined;
  }>;

/** Where telemetry of the exporter itself goes; undefined: not sent. */
export type OwnTelemetryConfig = Readonly<{ traces: OtlpTarget | undefined; logs: OtlpTarget | undefined }>;

/** What is sent over OTLP; undefined: nothing of that kind. */
export type Signals = Readonly<{
  logs: LogsConfig | undefined;
  traces: TracesConfig | undefined;
  ownTelemetry: OwnTelemetryConfig | undefined;
  /** That of log records, also when none are sent: reports treat personal data as they do. */
  personalData: PersonalData;
  /** Defined when personal data is hashed. */
  hashKeyFile: string | undefined;
}>;

const variablesSchema = z.strictObject({
  endpoint: otlpKeys.endpoint,
  signal_endpoint: otlpKeys.endpoint,
  protocol: otlpKeys.protocol,
  headers: headerList().optional(),
  signal_headers: headerList().optional(),
  compression: otlpKeys.compression,
  timeout: parsedText(/^\d{1,9}$/, 'must be a whole number of milliseconds, 100 to 600000', digits => {
    const ms = Number(digits);
    return ms < 100 || ms > 600_000 ? undefined : ms;
  }).optional(),
  ...otlpTlsKeys,
});

type OtlpKeys = Keys['otlp'];
type Variables = z.output<typeof variablesSchema>;

/** The settings from environment variables, for each signal that is on. */
export type SignalVariables = Readonly<Record<SignalName, Variables | undefined>>;

/**
 * Reads the variables of each signal that is on. A setting of the file wins, then the variable for the signal, then the
 * one for all signals (OpenTelemetry specification, "OpenTelemetry Protocol Exporter"). Variables without effect are
 * not validated. `file` need not be valid: only which of its keys are set matters here.
 */
export function readSignalVariables(file: unknown, env: Environment): Read<SignalVariables> {
  return both(readSignal('logs', file, env), readSignal('traces', file, env));
}

const both = <L, T>(logs: Read<L>, traces: Read<T>): Read<Readonly<{ logs: L; traces: T }>> =>
  'value' in logs && 'value' in traces
    ? { value: { logs: logs.value, traces: traces.value } }
    : { problems: [...problemsOf(logs), ...problemsOf(traces)] };

function readSignal(signal: SignalName, file: unknown, env: Environment): Read<Variables | undefined> {
  const variables = variablesOf(signal, file, env);
  const endpoint = valueAt(file, 'otlp', 'endpoint') ?? variables.signal_endpoint.text ?? variables.endpoint.text;
  const section = sectionThatEnables(signal, file, endpoint !== undefined);
  if (section === undefined) return { value: undefined };
  if (endpoint === undefined) return { problems: [{ path: `${section}.enabled`, what: needsEndpoint(signal) }] };
  const read = readVariables(variablesSchema, variables);
  const problems = [...problemsOf(read), ...halfCertificate(file, variables), ...missingHashKey(file, section)];
  return problems.length === 0 ? read : { problems };
}

/** The section that turns a signal on; undefined when it is off. Own telemetry has logs only where there is an endpoint. */
function sectionThatEnables(signal: SignalName, file: unknown, hasEndpoint: boolean): string | undefined {
  const own = ownTelemetrySections.find(section => valueAt(file, section, 'enabled') === true);
  const enabled = valueAt(file, signal, 'enabled') ?? (signal === 'logs' ? 'auto' : false);
  if (enabled === true || (enabled === 'auto' && hasEndpoint)) return signal;
  return signal === 'traces' || hasEndpoint ? own : undefined;
}

/** The section of own telemetry, and its old name. */
const ownTelemetrySections = ['own_telemetry', 'self_tracing'] as const;

const needsEndpoint = (signal: SignalName): string =>
  `needs an endpoint: set "otlp.endpoint", OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT`;

const unless = (override: unknown, found: Variable): Variable =>
  override === undefined ? found : { ...found, text: undefined };

/** The variables of a signal. One without effect has no text. */
function variablesOf(signal: SignalName, file: unknown, env: Environment) {
  const general = (name: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_${name}`);
  const specific = (name: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`);
  const either = (name: string, ...path: readonly string[]): Variable =>
    unless(valueAt(file, 'otlp', ...path), specific(name).text === undefined ? general(name) : specific(name));
  const endpoint = valueAt(file, 'otlp', 'endpoint');
  return {
    endpoint: unless(endpoint ?? specific('ENDPOINT').text, general('ENDPOINT')),
    signal_endpoint: unless(endpoint, specific('ENDPOINT')),
    protocol: either('PROTOCOL', 'protocol'),
    headers: general('HEADERS'),
    signal_headers: specific('HEADERS'),
    compression: either('COMPRESSION', 'compression'),
    timeout: either('TIMEOUT', 'timeout'),
    ca_file: either('CERTIFICATE', 'tls', 'ca_file'),
    cert_file: either('CLIENT_CERTIFICATE', 'tls', 'cert_file'),
    key_file: either('CLIENT_KEY', 'tls', 'key_file'),
  };
}

/** A client certificate and its private key are useful only together. */
function halfCertificate(file: unknown, variables: ReturnType<typeof variablesOf>): readonly Problem[] {
  const isSet = (key: 'cert_file' | 'key_file'): boolean =>
    (valueAt(file, 'otlp', 'tls', key) ?? variables[key].text) !== undefined;
  if (isSet('cert_file') === isSet('key_file')) return [];
  const [has, lacks] = isSet('key_file') ? ['key', 'cert'] : ['cert', 'key'];
  const what = `is missing; it is required with "otlp.tls.${has}_file" or its environment variable`;
  return [{ path: `otlp.tls.${lacks}_file`, what }];
}

function missingHashKey(file: unknown, section: string): readonly Problem[] {
  const treatments = valueAt(file, section, 'personal_data');
  const hashes = isMapping(treatments) && Object.values(treatments).includes('hash');
  if (!hashes || valueAt(file, 'personal_data', 'hash_key_file') !== undefined) return [];
  return [{ path: 'personal_data.hash_key_file', what: `is missing; it is required by "${section}.personal_data"` }];
}

/** Combines the settings of the file with those of the environment. The problems are those of proxies that are used. */
export function signalsOf(keys: Keys, variables: SignalVariables, env: Environment): Read<Signals> {
  const targets = both(
    targetOf('logs', keys.otlp, { variables: variables.logs, env }),
    targetOf('traces', keys.otlp, { variables: variables.traces, env }),
  );
  return 'value' in targets ? { value: signalsTo(keys, targets.value) } : targets;
}

function signalsTo(keys: Keys, { logs, traces }: Readonly<Record<SignalName, OtlpTarget | undefined>>): Signals {
  const { enabled, personal_data: personalData, max_age: maxAgeMs, max_behind: maxBehindMs } = keys.logs;
  const maxAheadMs = limitOf(keys.logs.max_ahead);
  return {
    logs: logs && enabled !== false ? { ...logs, personalData, maxAgeMs, maxBehindMs, maxAheadMs } : undefined,
    traces:
      traces && keys.traces.enabled
        ? { ...traces, personalData: keys.traces.personal_data, maxAheadMs: limitOf(keys.traces.max_ahead) }
        : undefined,
    ownTelemetry: ownTelemetrySections.some(section => keys[section].enabled) ? { traces, logs } : undefined,
    personalData,
    hashKeyFile: keys.personal_data.hash_key_file,
  };
}

const limitOf = (value: number | 'off'): number | undefined => (value === 'off' ? undefined : value);

type FromEnvironment = Readonly<{ variables: Variables | undefined; env: Environment }>;

function targetOf(
  signal: SignalName,
  keys: OtlpKeys,
  { variables, env }: FromEnvironment,
): Read<OtlpTarget | undefined> {
  const url = variables && urlOf(signal, keys, variables);
  if (variables === undefined || url === undefined) return { value: undefined };
  const proxy = keys.proxy_url === undefined ? proxyFor(url, env) : { value: { url: keys.proxy_url } };
  return 'problems' in proxy ? proxy : { value: { url, proxy: proxy.value, ...requestsOf(keys, variables) } };
}

const requestsOf = (keys: OtlpKeys, variables: Variables): Omit<OtlpTarget, 'url' | 'proxy'> => ({
  protocol: keys.protocol ?? variables.protocol ?? 'http/protobuf',
  headers: { ...variables.headers, ...variables.signal_headers, ...keys.headers },
  compression: keys.compression ?? variables.compression ?? 'none',
  timeoutMs: keys.timeout ?? variables.timeout ?? 10_000,
  tls: tlsOf(keys.tls, variables),
});

const tlsOf = (keys: OtlpKeys['tls'], variables: Variables): OtlpTarget['tls'] => ({
  caFile: keys.ca_file ?? variables.ca_file,
  certFile: keys.cert_file ?? variables.cert_file,
  keyFile: keys.key_file ?? variables.key_file,
});

/** The path of the signal is appended to a base URL; the URL of a signal is complete. */
function urlOf(signal: SignalName, keys: OtlpKeys, variables: Variables): URL | undefined {
  const base = keys.endpoint ?? variables.endpoint;
  if (base === undefined) return variables.signal_endpoint;
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/*$/, `/v1/${signal}`);
  return url;
}
