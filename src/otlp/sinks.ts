import { readFile } from 'node:fs/promises';
import type { Config, ServerConfig } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { keyedHash, leastKeyBytes } from '../kernel/keyed-hash.js';
import type { PersonalData } from '../model/personal-data.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Sink, SinkName } from '../pipeline/ports.js';
import { acknowledgingExporter } from './exporter.js';
import { logsSink } from './logs-sink.js';
import { type OtlpTransport, otlpTransport } from './transport.js';
import { serverResource } from './resource.js';
import type { SelfTracing } from './self-tracing.js';
import { logsSignal, tracesSignal } from './signal.js';
import { tracesSink } from './traces-sink.js';
import { redacting } from './redaction.js';
import type { Origin } from './log-record.js';

/** Everything that leaves over OTLP. The servers share one connection pool for each signal. */
export interface OtlpSinks {
  /** The sinks of a server, in the order of `sinkNamesOf`. */
  sinksOf(server: ServerConfig): readonly Sink[];
  /** Undefined when the exporter does not trace itself. */
  readonly self: SelfTracing | undefined;
  close(): Promise<void>;
}

export type OtlpSinksOptions = Readonly<{ config: Config; version: string; clock: Clock }>;

/** The sinks that a configuration asks for. */
export const sinkNamesOf = ({ logs, traces }: Config): readonly SinkName[] => [
  'metrics',
  ...(logs === undefined ? [] : (['logs'] as const)),
  ...(traces === undefined ? [] : (['traces'] as const)),
];

/** @throws {ExporterError} `config` when personal data is to be hashed and the key cannot be had. */
export async function openOtlpSinks(options: OtlpSinksOptions): Promise<OtlpSinks> {
  const hash = await readHash(options.config.hashKeyFile);
  const outlets = [logsOutlet(options, hash), tracesOutlet(options, hash)].filter(outlet => outlet !== undefined);
  const self = await openSelf(options);
  return {
    sinksOf: server => outlets.map(({ sink }) => sink(server)),
    self,
    close: async () => {
      await self?.close();
      await Promise.all(outlets.map(async ({ transport }) => transport.close()));
    },
  };
}

/** The SDK is loaded only when it is used: it takes a tenth of a second, and 20 MB. */
async function openSelf({
  config: { selfTracing },
  version,
  clock,
}: OtlpSinksOptions): Promise<SelfTracing | undefined> {
  if (selfTracing === undefined) return undefined;
  const { startSelfTracing } = await import('./self-tracing.js');
  return startSelfTracing(selfTracing, version, clock);
}

type Hash = (text: string) => string;
type OtlpSink = Readonly<{ transport: OtlpTransport; sink: (server: ServerConfig) => Sink }>;

function logsOutlet({ config: { logs }, version, clock }: OtlpSinksOptions, hash: Hash): OtlpSink | undefined {
  if (logs === undefined) return undefined;
  const transport = otlpTransport(logs, version, clock);
  const exporter = acknowledgingExporter(logsSignal(), logs.protocol, transport);
  const originOf = originsFor(version, logs.personalData, hash);
  const limits = { maxAge: nanos(logs.maxAgeMs), maxBehind: nanos(logs.maxBehindMs) };
  return {
    transport,
    sink: server => logsSink({ server: server.name, origin: originOf(server), exporter, clock, limits }),
  };
}

function tracesOutlet({ config: { traces }, version, clock }: OtlpSinksOptions, hash: Hash): OtlpSink | undefined {
  if (traces === undefined) return undefined;
  const transport = otlpTransport(traces, version, clock);
  const exporter = acknowledgingExporter(tracesSignal, traces.protocol, transport);
  const originOf = originsFor(version, traces.personalData, hash);
  return { transport, sink: server => tracesSink({ server: server.name, origin: originOf(server), exporter }) };
}

const originsFor =
  (version: string, personalData: PersonalData, hash: Hash) =>
  ({ name, url }: ServerConfig): Origin => ({
    resource: serverResource({ server: name, url, version }),
    scope: { name: 'vb365-exporter', version },
    redact: redacting(personalData, hash),
  });

const nanos = (ms: number | undefined): Nanos | undefined => (ms === undefined ? undefined : milliseconds(ms));

/** Without a key nothing is to be hashed, as the configuration has made sure; if something were, it would be lost and not told. */
async function readHash(path: string | undefined): Promise<Hash> {
  if (path === undefined) return () => '';
  const key = await readFile(path).catch((cause: unknown) => {
    throw new ExporterError('config', `Could not read hash key file "${path}"`, { cause });
  });
  if (key.length >= leastKeyBytes) return keyedHash(key);
  const least = `at least ${String(leastKeyBytes)} bytes`;
  throw new ExporterError('config', `Could not use hash key file "${path}": it must hold ${least}`);
}
