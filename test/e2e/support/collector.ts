import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startProgram } from './running.js';
import { toolPath } from './tools.js';

/** An attribute value in OTLP/JSON, as a Collector writes it: 64-bit integers are text. */
type Value = Readonly<{ stringValue?: string; intValue?: string; doubleValue?: number }>;
type Attributes = readonly Readonly<{ key: string; value: Value }>[];

/** A log record or span as the Collector wrote it, with its attributes and those of its resource by name. */
export type Written = Readonly<Record<string, unknown>> &
  Readonly<{
    attributes: Readonly<Record<string, unknown>>;
    resource: Readonly<Record<string, unknown>>;
    scope: string;
  }>;

/** A real OpenTelemetry Collector with an OTLP/HTTP receiver that asks for a bearer token, and files that it writes to. */
export interface Collector {
  readonly url: URL;
  readonly token: string;
  /** Everything that it has written since its folder is there, oldest first. */
  logs(): readonly Written[];
  spans(): readonly Written[];
  /** Lets it end as an administrator would: what it has taken is written before. */
  stop(): Promise<void>;
}

const token = 'e2e-token';

const config = (port: number, folder: string): string => `
extensions:
  bearertokenauth: { token: ${token} }
receivers:
  otlp:
    protocols:
      http: { endpoint: '127.0.0.1:${String(port)}', auth: { authenticator: bearertokenauth } }
exporters:
  file/logs: { path: ${join(folder, 'logs.jsonl')}, append: true, flush_interval: 100ms }
  file/traces: { path: ${join(folder, 'traces.jsonl')}, append: true, flush_interval: 100ms }
service:
  extensions: [bearertokenauth]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [otlp], exporters: [file/logs] }
    traces: { receivers: [otlp], exporters: [file/traces] }
`;

/** Starts one that listens at `port` and writes into `folder`, behind what it wrote there before. */
export async function startCollector(folder: string, port: number): Promise<Collector> {
  const file = join(folder, 'collector.yaml');
  writeFileSync(file, config(port, folder));
  const url = new URL(`http://127.0.0.1:${String(port)}`);
  const running = startProgram({ path: toolPath('otelcol'), args: ['--config', file] });
  await eventually('the Collector is ready', () => {
    if (!running.alive()) throw new Error(running.output());
    return running.output().includes('Everything is ready') ? true : undefined;
  });
  return {
    url,
    token,
    logs: () => written(join(folder, 'logs.jsonl'), 'resourceLogs', 'scopeLogs', 'logRecords'),
    spans: () => written(join(folder, 'traces.jsonl'), 'resourceSpans', 'scopeSpans', 'spans'),
    stop: async () => running.stop(),
  };
}

type Json = Readonly<Record<string, unknown>>;
const list = (json: Json, key: string): readonly Json[] => (json[key] ?? []) as readonly Json[];

function written(path: string, ...keys: Keys): readonly Written[] {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines.filter(line => line !== '').flatMap(line => writtenOf(JSON.parse(line) as Json, ...keys));
}

type Keys = readonly [resources: string, scopes: string, items: string];

/** The records or spans in OTLP/JSON. */
export const writtenOf = (json: Json, ...[resources, scopes, items]: Keys): readonly Written[] =>
  list(json, resources).flatMap(one =>
    list(one, scopes).flatMap(scope =>
      list(scope, items).map(item => ({
        ...item,
        attributes: named(item['attributes'] as Attributes),
        resource: named((one['resource'] as Json)['attributes'] as Attributes),
        scope: String((scope['scope'] as Json)['name']),
      })),
    ),
  );

/** Numbers are numbers, however they were written. */
const named = (attributes: Attributes): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? doubleValue : Number(intValue)),
    ]),
  );
