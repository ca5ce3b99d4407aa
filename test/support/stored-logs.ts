import { formatInstant } from '../../src/model/time.js';
import { merged } from '../../src/otlp/attribute.js';
import type { LogRecord } from '../../src/otlp/log-record.js';
import type { OtlpReceiver } from './otlp-receiver.js';

/** A record as log stores keep it: everything that an audit compares. */
export type Kept = Readonly<{
  ns: bigint;
  body: string;
  severity: string;
  attributes: Readonly<Record<string, unknown>>;
}>;

export const kept = ({ hrTime, body, severityText = '', attributes }: LogRecord): Kept => ({
  ns: BigInt(hrTime[0]) * 1_000_000_000n + BigInt(hrTime[1]),
  body: String(body),
  severity: severityText,
  attributes: merged(attributes),
});

const texts = (attributes: Kept['attributes'], nameOf = (name: string): string => name) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [nameOf(name), String(value)]));

const underscored = (name: string): string => name.replaceAll('.', '_');

const valueOf = (value: unknown) => {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { stringValue: String(value) };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

/** An object with an object for each part of a name: `{"veeam":{"restore":...}}`. */
function nested(attributes: Kept['attributes']): object {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const parts = name.split('.');
    let at = root;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[parts.at(-1) ?? ''] = value;
  }
  return root;
}

const otlpRecord = ({ ns, body, severity, attributes }: Kept) => ({
  timeUnixNano: String(ns),
  body: { stringValue: body },
  severityText: severity,
  attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) })),
});

/** A line of a Collector: what it got in one request. */
export const collectorLine = (records: readonly Kept[], server: string): string =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.instance.id', value: { stringValue: server } }] },
        scopeLogs: [{ logRecords: records.map(otlpRecord) }],
      },
    ],
  });

/** Lines as these programs write them. */
export const lineOf: Readonly<Record<string, (of: Kept, server: string) => string>> = {
  'the Collector': (record, server) => collectorLine([record], server),
  VictoriaLogs: ({ ns, body, severity, attributes }, server) =>
    JSON.stringify({
      _time: formatInstant(ns),
      _msg: body,
      severity_text: severity,
      'service.instance.id': server,
      ...texts(attributes),
    }),
  logcli: ({ ns, body, severity, attributes }, server) =>
    JSON.stringify({
      labels: { service_instance_id: server, severity_text: severity, ...texts(attributes, underscored) },
      line: body,
      timestamp: formatInstant(ns),
    }),
  Elasticsearch: ({ ns, body, severity, attributes }, server) =>
    JSON.stringify({
      _index: 'logs-generic.otel-default',
      _source: {
        '@timestamp': new Date(Number(ns / 1_000_000n)).toISOString(),
        severity_text: severity,
        body: { text: body },
        resource: { attributes: { 'service.instance.id': server } },
        attributes: nested(attributes),
      },
    }),
  'Elasticsearch, asked for fields,': ({ ns, body, severity, attributes }, server) =>
    JSON.stringify({
      _index: 'logs-generic.otel-default',
      fields: {
        '@timestamp': [`${String(ns / 1_000_000n)}.${String(ns % 1_000_000n).padStart(6, '0')}`],
        severity_text: [severity],
        'body.text': [body],
        'resource.attributes.service.instance.id': [server],
        ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`attributes.${name}`, [value]])),
        'attributes.ingest.error.message': ['pipeline failed'],
        'ingest.error.message': ['pipeline failed'],
      },
    }),
  'Elasticsearch, with a time in milliseconds,': ({ ns, body, severity, attributes }, server) =>
    JSON.stringify({
      ...Object.fromEntries(Object.entries(attributes)),
      'ingest.error.message': 'pipeline failed',
      '@timestamp': Number(ns / 1_000_000n),
      severity_text: severity,
      body,
      'service.instance.id': server,
    }),
};

type Json = Readonly<Record<string, readonly Json[]>>;

/** Everything that a receiver has got, one record a line, as the Collector writes it. */
export const receivedLines = ({ requests }: OtlpReceiver): readonly string[] =>
  requests
    .map(({ body }) => JSON.parse(body.toString()) as Json)
    .flatMap(({ resourceLogs = [] }) => resourceLogs)
    .flatMap(({ scopeLogs = [], ...resource }) =>
      scopeLogs.flatMap(({ logRecords = [], ...scope }) =>
        logRecords.map(record =>
          JSON.stringify({ resourceLogs: [{ ...resource, scopeLogs: [{ ...scope, logRecords: [record] }] }] }),
        ),
      ),
    );
