import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, variable } from './environment.js';
import type { Read } from './problem.js';
import { readVariables, type Variable } from './read.js';
import { type Keys, otlpKeys } from './schema.js';
import { minuteMs, secondMs } from './units.js';
import { headerList, milliseconds } from './values.js';

/** Where log records are sent, and how. */
export type OtlpTarget = Readonly<{
  /** Complete, with its path; no credentials, no query. */
  url: URL;
  protocol: 'http/json' | 'http/protobuf';
  /** By lower-case name. */
  headers: Readonly<Record<string, Secret>>;
  compression: 'none' | 'gzip';
  /** How long one request may take. */
  timeoutMs: number;
}>;

const environmentSchema = z.strictObject({
  endpoint: otlpKeys.endpoint,
  logs_endpoint: otlpKeys.endpoint,
  protocol: otlpKeys.protocol,
  headers: headerList().optional(),
  logs_headers: headerList().optional(),
  compression: otlpKeys.compression,
  timeout: milliseconds({ min: 100, max: 10 * minuteMs }).optional(),
});

type Otlp = Keys['otlp'];
type Given = z.output<typeof environmentSchema>;

/**
 * Finds where log records go: undefined when nowhere. What the file says wins, then the variable for logs, then the one
 * for all signals, as the OpenTelemetry specification has it ("OpenTelemetry Protocol Exporter"); headers add up.
 * Variables that are not needed are not looked at.
 */
export function readTarget(
  { logs, otlp }: Pick<Keys, 'logs' | 'otlp'>,
  env: Environment,
): Read<OtlpTarget | undefined> {
  const variables = otlpVariables(otlp, env);
  const reachable = otlp.endpoint ?? variables.logs_endpoint.text ?? variables.endpoint.text;
  if (logs.enabled === false || (logs.enabled === 'auto' && reachable === undefined)) return { value: undefined };
  if (reachable === undefined) return { problems: [{ path: 'logs.enabled', what: needsEndpoint }] };
  const given = readVariables(environmentSchema, variables);
  return 'value' in given ? { value: targetOf(otlp, given.value) } : given;
}

const needsEndpoint =
  'needs an endpoint: set "otlp.endpoint", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT';

const unless = (given: unknown, found: Variable): Variable =>
  given === undefined ? found : { ...found, text: undefined };

/** The variables that count beside the file; one that the file or another variable outdoes has no text. */
function otlpVariables(otlp: Otlp, env: Environment) {
  const signal = (setting: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_LOGS_${setting}`);
  const general = (setting: string): Variable => variable(env, `OTEL_EXPORTER_OTLP_${setting}`);
  const either = (setting: string): Variable => (signal(setting).text === undefined ? general : signal)(setting);
  return {
    endpoint: unless(otlp.endpoint ?? signal('ENDPOINT').text, general('ENDPOINT')),
    logs_endpoint: unless(otlp.endpoint, signal('ENDPOINT')),
    protocol: unless(otlp.protocol, either('PROTOCOL')),
    headers: general('HEADERS'),
    logs_headers: signal('HEADERS'),
    compression: unless(otlp.compression, either('COMPRESSION')),
    timeout: unless(otlp.timeout, either('TIMEOUT')),
  };
}

function targetOf(otlp: Otlp, given: Given): OtlpTarget | undefined {
  const base = otlp.endpoint ?? given.endpoint;
  const url = base === undefined ? given.logs_endpoint : logsUrl(base);
  if (url === undefined) return undefined;
  return {
    url,
    protocol: otlp.protocol ?? given.protocol ?? 'http/json',
    headers: { ...given.headers, ...given.logs_headers, ...otlp.headers },
    compression: otlp.compression ?? given.compression ?? 'none',
    timeoutMs: otlp.timeout ?? given.timeout ?? 10 * secondMs,
  };
}

/** The URL for logs under a base endpoint. */
function logsUrl(base: URL): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/*$/, '/v1/logs');
  return url;
}
