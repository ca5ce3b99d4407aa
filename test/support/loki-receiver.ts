import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { type Received, otlpReceiver, type OtlpReceiver, type OtlpRecord } from './otlp-receiver.js';

type Labels = Readonly<Record<string, string>>;

/** A stored line: labels of its stream and structured metadata by name. `at` is in nanoseconds since 1970. */
export type Line = Readonly<{ at: string; text: string; labels: Labels }>;

/** Takes OTLP/JSON as Loki's documentation says that Loki takes it; nothing of Loki is in it. */
export interface LokiReceiver {
  /** The complete URL for log records. */
  readonly url: URL;
  /** Lines by time; one with the same time, text and labels is there once. */
  lines(): readonly Line[];
  /** Why records were refused, with how many. */
  refused(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** Defaults of Loki's `limits_config` and `ingester`. Times are milliseconds. */
const defaults = {
  /** reject_old_samples_max_age */
  maxAgeMs: 7 * 86_400_000,
  /** Half of max_chunk_age: how far a line may be behind the newest one of its stream. */
  maxBehindMs: 3_600_000,
  /** creation_grace_period */
  maxAheadMs: 600_000,
  /** max_line_size */
  maxLineBytes: 256 * 1024,
  /** max_structured_metadata_size */
  maxMetadataBytes: 64 * 1024,
  /** max_structured_metadata_entries_count */
  maxMetadataEntries: 128,
  /** max_label_names_per_series */
  maxLabels: 15,
};
export type LokiLimits = typeof defaults;

/** For records of any time. */
export const ofAnyTime = { maxAgeMs: Infinity, maxBehindMs: Infinity } as const;

/** The resource attributes of this exporter that Loki makes labels of; the others are structured metadata. */
const indexed = ['service.name', 'service.namespace', 'service.instance.id', 'deployment.environment'];

type Value = Readonly<Record<string, unknown>>;
type Attributes = readonly Readonly<{ key: string; value: Value }>[];
type Logs = Readonly<{
  resourceLogs: readonly Readonly<{
    resource: Readonly<{ attributes: Attributes }>;
    scopeLogs: readonly Readonly<{ scope: Readonly<{ name: string }>; logRecords: readonly OtlpRecord[] }>[];
  }>[];
}>;
type Incoming = Readonly<{ stream: Labels; metadata: Labels; record: OtlpRecord }>;

/** The one value that an OTLP value holds, as text. */
function textOf(value: Value): string {
  const [held] = Object.values(value);
  return typeof held === 'string' ? held : JSON.stringify(held ?? '');
}

const named = (attributes: Attributes): Labels =>
  Object.fromEntries(attributes.map(({ key, value }) => [key.replaceAll(/\W/g, '_'), textOf(value)]));

const levels: Readonly<Record<string, string>> = { ERROR: 'error', WARN: 'warn', INFO: 'info' };

const isIndexed = ({ key }: Attributes[number]): boolean => indexed.includes(key);

function incomingOf({ body }: Received): readonly Incoming[] {
  const { resourceLogs } = JSON.parse(body.toString()) as Logs;
  return resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const stream = named(resource.attributes.filter(isIndexed));
    const rest = named(resource.attributes.filter(one => !isIndexed(one)));
    return scopeLogs.flatMap(({ scope, logRecords }) =>
      logRecords.map(record => ({ stream, record, metadata: { ...rest, ...metadataOf(record, scope.name) } })),
    );
  });
}

/** `eventName` is not among them: Loki drops it before 3.8. */
const metadataOf = (record: OtlpRecord, scope: string): Labels => ({
  ...named(record.attributes),
  scope_name: scope,
  observed_timestamp: record.observedTimeUnixNano,
  severity_number: String(record.severityNumber),
  severity_text: record.severityText,
  detected_level: levels[record.severityText] ?? record.severityText,
  ...(record.traceId === undefined ? {} : { trace_id: record.traceId }),
  ...(record.spanId === undefined ? {} : { span_id: record.spanId }),
});

const bytesOf = (labels: Labels): number =>
  Object.entries(labels).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);

const ms = (nanos: bigint): number => Number(nanos / 1_000_000n);

/** Why Loki refuses a record; undefined if it takes it. `newest` is the time of the newest line of its stream. */
function refusalOf({ stream, metadata, record }: Incoming, newest: bigint, now: bigint, limits: LokiLimits) {
  const at = BigInt(record.timeUnixNano);
  if (Object.keys(stream).length > limits.maxLabels) return 'max_label_names_per_series';
  if (ms(now - at) > limits.maxAgeMs) return 'greater_than_max_sample_age';
  if (ms(at - now) > limits.maxAheadMs) return 'too_far_in_future';
  if (ms(newest - at) > limits.maxBehindMs) return 'too_far_behind';
  if (Buffer.byteLength(record.body.stringValue) > limits.maxLineBytes) return 'line_too_long';
  if (Object.keys(metadata).length > limits.maxMetadataEntries) return 'structured_metadata_too_many';
  if (bytesOf(metadata) > limits.maxMetadataBytes) return 'structured_metadata_too_large';
  return undefined;
}

/** Starts one on a free port. */
export async function lokiReceiver(over: Partial<LokiLimits> = {}): Promise<LokiReceiver> {
  const limits = { ...defaults, ...over };
  const receiver: OtlpReceiver = await otlpReceiver();
  const newest = new Map<string, bigint>();
  const lines = new Map<string, Line>();
  let sorted: readonly Line[] | undefined;
  const refused: Record<string, number> = {};
  const take = (incoming: Incoming): boolean => {
    const { stream, metadata, record } = incoming;
    const key = JSON.stringify(stream);
    const latest = newest.get(key) ?? 0n;
    const reason = refusalOf(incoming, latest, milliseconds(systemClock.now()), limits);
    if (reason !== undefined) {
      refused[reason] = (refused[reason] ?? 0) + 1;
      return false;
    }
    const at = BigInt(record.timeUnixNano);
    newest.set(key, at > latest ? at : latest);
    const line = { at: record.timeUnixNano, text: record.body.stringValue, labels: { ...stream, ...metadata } };
    lines.set(JSON.stringify(line), line);
    sorted = undefined;
    return true;
  };
  // The records that it does not refuse are kept, whatever the status.
  receiver.otherwise = (response, request) => {
    const everyOneTaken = incomingOf(request).map(take).every(Boolean);
    if (everyOneTaken) response.writeHead(204).end();
    else response.writeHead(400, { 'content-type': 'text/plain' }).end('entries were refused');
  };
  return {
    url: new URL('/otlp/v1/logs', receiver.url),
    lines: () => (sorted ??= [...lines.values()].toSorted((a, b) => Number(BigInt(a.at) - BigInt(b.at)))),
    refused: () => ({ ...refused }),
    close: async () => receiver.close(),
  };
}
