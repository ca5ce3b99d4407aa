import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_SERVER_ADDRESS,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { OtlpTarget } from '../config/otlp.js';
import type { Config, ServerConfig } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { keyedHash, leastKeyBytes } from '../kernel/keyed-hash.js';
import { readKey } from '../kernel/text-file.js';
import type { PersonalData } from '../model/personal-data.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Sink, SinkName } from '../pipeline/ports.js';
import { acknowledgingExporter, logsSignal, tracesSignal } from './exporter.js';
import { type Origin, originOf } from './log-record.js';
import { logsSink, type TimeLimits } from './logs-sink.js';
import type { OwnTelemetry } from './own-telemetry.js';
import { redacting } from './redaction.js';
import { tracesSink } from './traces-sink.js';
import { type OtlpTransport, otlpTransport } from './transport.js';

/** Everything that is sent over OTLP. The servers share one connection pool for each signal. */
export interface OtlpSinks {
  /** The sinks of a server, in the order of `sinkNamesOf`. */
  sinksOf(server: ServerConfig): readonly Sink[];
  /** Undefined unless the configuration switches it on. */
  readonly ownTelemetry: OwnTelemetry | undefined;
  close(): Promise<void>;
}

type OtlpSinksOptions = Readonly<{ config: Config; version: string; clock: Clock }>;

/** The sinks that a configuration asks for. */
export const sinkNamesOf = ({ logs, traces }: Config): readonly SinkName[] => [
  'metrics',
  ...(logs === undefined ? [] : (['logs'] as const)),
  ...(traces === undefined ? [] : (['traces'] as const)),
];

/** None when no logs are sent. */
export const timeLimits = ({ logs }: Config): TimeLimits => ({
  maxAge: nanos(logs?.maxAgeMs),
  maxBehind: nanos(logs?.maxBehindMs),
  maxAhead: nanos(logs?.maxAheadMs),
});

/** @throws {ExporterError} `config` when personal data must be hashed and the key cannot be read. */
export async function openOtlpSinks({ config, version, clock }: OtlpSinksOptions): Promise<OtlpSinks> {
  const { logs, traces } = config;
  const originFor = await origins(config, version);
  const transports: OtlpTransport[] = [];
  const transportTo = (target: OtlpTarget): OtlpTransport => {
    const transport = otlpTransport(target, version, clock);
    transports.push(transport);
    return transport;
  };
  const factories: ((server: ServerConfig) => Sink)[] = [];
  if (logs !== undefined) {
    const exporter = acknowledgingExporter(logsSignal, logs.protocol, transportTo(logs));
    const limits = timeLimits(config);
    factories.push(server =>
      logsSink({ server: server.name, origin: originFor(server, logs.personalData), exporter, clock, limits }),
    );
  }
  if (traces !== undefined) {
    const exporter = acknowledgingExporter(tracesSignal, traces.protocol, transportTo(traces));
    const maxAhead = nanos(traces.maxAheadMs);
    factories.push(server =>
      tracesSink({ server: server.name, origin: originFor(server, traces.personalData), exporter, clock, maxAhead }),
    );
  }
  const ownTelemetry = await openOwnTelemetry(config, version, clock);
  return {
    sinksOf: server => factories.map(create => create(server)),
    ownTelemetry,
    close: async () => {
      await ownTelemetry?.close();
      await Promise.all(transports.map(async transport => transport.close()));
    },
  };
}

/**
 * What the records of a server share.
 * @throws {ExporterError} `config` when personal data must be hashed and the key cannot be read.
 */
export async function origins({ hashKeyFile }: Pick<Config, 'hashKeyFile'>, version: string) {
  const hash = await readHash(hashKeyFile);
  return ({ name, url }: ServerConfig, personalData: PersonalData): Origin =>
    originOf({
      resource: serverResource({ server: name, url, version }),
      scope: { name: 'vb365-exporter', version },
      redact: redacting(personalData, hash),
    });
}

/** The SDK takes a tenth of a second and 20 MB, so it is loaded only when it is used. */
async function openOwnTelemetry({ ownTelemetry: own }: Config, version: string, clock: Clock) {
  return own && (await import('./own-telemetry.js')).startOwnTelemetry(own, version, clock);
}

const nanos = (ms: number | undefined): Nanos | undefined => (ms === undefined ? undefined : milliseconds(ms));

/**
 * Reads the key and returns the hash with it. Without a key file the configuration hashes nothing.
 * @throws {ExporterError} `config` when the key cannot be read or is too short.
 */
export async function readHash(path: string | undefined): Promise<(text: string) => string> {
  if (path === undefined) return () => '';
  const key = await readKey({ path, what: 'hash key file', reason: 'config' });
  if (key.length >= leastKeyBytes) return keyedHash(key);
  const least = `at least ${String(leastKeyBytes)} bytes`;
  throw new ExporterError('config', `Could not use hash key file "${path}": it must hold ${least}`, {
    details: { file: 'content' },
  });
}

/**
 * The resource of all restore telemetry of a server. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` may add to it
 * and change name and version of the service, but not which server it is: they are the same for all servers.
 */
export function serverResource({ server, url, version }: { server: string; url: URL; version: string }): Resource {
  return resourceFromAttributes({ [ATTR_SERVICE_NAME]: 'vb365-exporter', [ATTR_SERVICE_VERSION]: version })
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes({ [ATTR_SERVICE_INSTANCE_ID]: server, [ATTR_SERVER_ADDRESS]: addressOf(url) }));
}

/** Without the brackets that a URL puts around an IPv6 address. */
const addressOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
