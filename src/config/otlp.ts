import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, variable } from './environment.js';
import type { Problem, Read } from './problem.js';
import { readVariables, type Variable } from './read.js';
import { type Keys, otlpKeys } from './schema.js';
import { otlpTlsKeys } from './telemetry-keys.js';
import { minuteMs, secondMs } from './units.js';
import { headerList, milliseconds } from './values.js';

/** What is sent over OTLP; its name is the end of the path. */
export type SignalName = 'logs' | 'traces';

/** Where a signal is sent, and how. */
export type OtlpTarget = Readonly<{
  /** Complete, with its path; no credentials, no query. */
  url: URL;
  protocol: 'http/json' | 'http/protobuf';
  /** By lower-case name. */
  headers: Readonly<Record<string, Secret>>;
  compression: 'none' | 'gzip';
  /** How long one request may take. */
  timeoutMs: number;
  /** PEM files; a client certificate and its key come together. */
  tls: Readonly<{ caFile: string | undefined; certFile: string | undefined; keyFile: string | undefined }>;
}>;

const environmentSchema = z.strictObject({
  endpoint: otlpKeys.endpoint,
  signal_endpoint: otlpKeys.endpoint,
  protocol: otlpKeys.protocol,
  headers: headerList().optional(),
  signal_headers: headerList().optional(),
  compression: otlpKeys.compression,
  timeout: milliseconds({ min: 100, max: 10 * minuteMs }).optional(),
  ca_file: otlpTlsKeys.ca_file,
  cert_file: otlpTlsKeys.cert_file,
  key_file: otlpTlsKeys.key_file,
});

type Otlp = Keys['otlp'];
type Given = z.output<typeof environmentSchema>;

/** Whether a signal is wanted at all, and the key that says so. `auto`: when there is an endpoint for it. */
export type Wanted = Readonly<{ signal: SignalName; enabled: boolean | 'auto'; key: string }>;

/**
 * Finds where a signal goes: undefined when nowhere. What the file says wins, then the variable for the signal, then the
 * one for all, as the OpenTelemetry specification has it ("OpenTelemetry Protocol Exporter"); headers add up. Variables
 * that are not needed are not looked at.
 */
export function readTarget(
  { signal, enabled, key }: Wanted,
  otlp: Otlp,
  env: Environment,
): Read<OtlpTarget | undefined> {
  const variables = otlpVariables(signal, otlp, env);
  const reachable = otlp.endpoint ?? variables.signal_endpoint.text ?? variables.endpoint.text;
  if (enabled === false || (enabled === 'auto' && reachable === undefined)) return { value: undefined };
  if (reachable === undefined) return { problems: [{ path: key, what: needsEndpoint(signal) }] };
  const given = readVariables(environmentSchema, variables);
  if (!('value' in given)) return given;
  const target = targetOf(signal, otlp, given.value);
  const problem = target === undefined ? undefined : halfCertificate(target);
  return problem === undefined ? { value: target } : { problems: [problem] };
}

const needsEndpoint = (signal: SignalName): string =>
  `needs an endpoint: set "otlp.endpoint", OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT`;

const unless = (given: unknown, found: Variable): Variable =>
  given === undefined ? found : { ...found, text: undefined };

/** The variables that count beside the file; one that the file or another variable outdoes has no text. */
function otlpVariables(name: SignalName, otlp: Otlp, env: Environment) {
  const signal = (setting: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_${name.toUpperCase()}_${setting}`);
  const general = (setting: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_${setting}`);
  const either = (setting: string): Variable => (signal(setting).text === undefined ? general : signal)(setting);
  return {
    endpoint: unless(otlp.endpoint ?? signal('ENDPOINT').text, general('ENDPOINT')),
    signal_endpoint: unless(otlp.endpoint, signal('ENDPOINT')),
    protocol: unless(otlp.protocol, either('PROTOCOL')),
    headers: general('HEADERS'),
    signal_headers: signal('HEADERS'),
    compression: unless(otlp.compression, either('COMPRESSION')),
    timeout: unless(otlp.timeout, either('TIMEOUT')),
    ca_file: unless(otlp.tls.ca_file, either('CERTIFICATE')),
    cert_file: unless(otlp.tls.cert_file, either('CLIENT_CERTIFICATE')),
    key_file: unless(otlp.tls.key_file, either('CLIENT_KEY')),
  };
}

function targetOf(signal: SignalName, otlp: Otlp, given: Given): OtlpTarget | undefined {
  const base = otlp.endpoint ?? given.endpoint;
  const url = base === undefined ? given.signal_endpoint : signalUrl(signal, base);
  if (url === undefined) return undefined;
  return {
    url,
    protocol: otlp.protocol ?? given.protocol ?? 'http/protobuf',
    headers: { ...given.headers, ...given.signal_headers, ...otlp.headers },
    compression: otlp.compression ?? given.compression ?? 'none',
    timeoutMs: otlp.timeout ?? given.timeout ?? 10 * secondMs,
    tls: tlsOf(otlp, given),
  };
}

const tlsOf = ({ tls }: Otlp, given: Given): OtlpTarget['tls'] => ({
  caFile: tls.ca_file ?? given.ca_file,
  certFile: tls.cert_file ?? given.cert_file,
  keyFile: tls.key_file ?? given.key_file,
});

/** The URL for a signal under a base endpoint. */
function signalUrl(signal: SignalName, base: URL): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/*$/, `/v1/${signal}`);
  return url;
}

/** A certificate is of no use without its key, nor a key without its certificate. */
function halfCertificate({ tls: { certFile, keyFile } }: OtlpTarget): Problem | undefined {
  if ((certFile === undefined) === (keyFile === undefined)) return undefined;
  const [has, lacks] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key'];
  return {
    path: `otlp.tls.${lacks}_file`,
    what: `is missing, because there is "otlp.tls.${has}_file", or the variable that says the same`,
  };
}
