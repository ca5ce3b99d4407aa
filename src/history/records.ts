import type { Attributes } from '../otlp/attribute.js';
import { parseInstant, type Nanos } from '../model/time.js';

/** A record of a log store. */
export type StoredLog = Readonly<{
  /** `log.record.uid`; undefined for a record of another program. */
  uid: string | undefined;
  /** The name of the server, as far as the store keeps resource attributes. */
  server: string | undefined;
  /** The timestamp; undefined when it cannot be read. */
  at: Nanos | undefined;
  body: string | undefined;
  severity: string | undefined;
  /** By the names that the exporter gives them. */
  attributes: Readonly<Attributes>;
}>;

type StoredJson = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is StoredJson =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listIn = (json: StoredJson, name: string): readonly StoredJson[] => {
  const value = json[name];
  if (!Array.isArray(value)) return [];
  return value.every(isObject) ? value : value.filter(isObject);
};

/**
 * Reads lines of a log store: OTLP/JSON as the Collector's file exporter writes it, or one record per line with names in
 * dots or underscores, nested or flat, as VictoriaLogs, Elasticsearch and `logcli --output=jsonl` write them.
 * @param names the attributes to look for.
 */
export function recordReader(names: readonly string[]): (line: string) => Iterable<StoredLog> | undefined {
  const fieldOf = fieldNames(names);
  return line => {
    const json = parsed(line);
    if (json === undefined) return undefined;
    return 'resourceLogs' in json ? otlpRecords(json) : [flatRecord(json, fieldOf)];
  };
}

/** Undefined for a line that is no JSON object, such as one that is cut. */
function parsed(line: string): StoredJson | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** One at a time: a line may hold thousands. */
function* otlpRecords(json: StoredJson): Generator<StoredLog> {
  for (const { resource, ...scopes } of listIn(json, 'resourceLogs')) {
    const server = isObject(resource) ? keyValues(resource)['service.instance.id'] : undefined;
    const name = server === undefined ? undefined : String(server);
    for (const scope of listIn(scopes, 'scopeLogs'))
      for (const record of listIn(scope, 'logRecords')) yield otlpRecord(record, name);
  }
}

function otlpRecord(record: StoredJson, server: string | undefined): StoredLog {
  const attributes = keyValues(record);
  const uid = attributes['log.record.uid'];
  const body = isObject(record['body']) ? scalarOf(record['body']) : undefined;
  return {
    uid: uid === undefined ? undefined : String(uid),
    server,
    at: unixNanos(record['timeUnixNano']),
    body: body === undefined ? undefined : String(body),
    severity: textOf(record['severityText']),
    attributes,
  };
}

/** Attributes by name, in a loop: a million of them are read. */
function keyValues(json: StoredJson): Readonly<Attributes> {
  const found: Attributes = {};
  for (const { key, value } of listIn(json, 'attributes')) {
    const scalar = isObject(value) ? scalarOf(value) : undefined;
    if (typeof key === 'string' && scalar !== undefined) found[key] = scalar;
  }
  return found;
}

/** 64-bit integers are text in OTLP/JSON. */
function scalarOf({ stringValue, intValue, doubleValue, boolValue }: StoredJson): Attributes[string] | undefined {
  if (typeof stringValue === 'string') return stringValue;
  if (typeof boolValue === 'boolean') return boolValue;
  const number = intValue ?? doubleValue;
  return number === undefined ? undefined : Number(number);
}

const unixNanos = (value: unknown): Nanos | undefined =>
  (typeof value === 'string' || typeof value === 'number') && /^\d{1,20}$/.test(String(value))
    ? BigInt(value)
    : undefined;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** What stores call the parts of a record that are no attributes, in their order of preference. */
const parts = {
  at: ['_time', '@timestamp', 'timestamp', 'timeUnixNano', 'time'],
  body: ['_msg', 'line', 'body.text', 'body', 'message', 'Body'],
  severity: ['severity_text', 'severityText', 'severity', 'SeverityText'],
} as const;

function flatRecord(json: StoredJson, fieldOf: (key: string) => string | undefined): StoredLog {
  const attributes: Attributes = {};
  const others: Record<string, unknown> = {};
  for (const [key, value] of leaves(json, '')) {
    const name = fieldOf(key);
    if (name === undefined) others[key] ??= value;
    else if (isScalar(value) && value !== '') attributes[name] = value;
  }
  const { 'service.instance.id': server, 'log.record.uid': uid, ...own } = attributes;
  const part = (names: readonly string[]): unknown =>
    names
      .map(name => others[name] ?? others[`_source.${name}`] ?? others[`labels.${name}`])
      .find(value => value !== undefined);
  return {
    uid: uid === undefined ? undefined : String(uid),
    server: server === undefined ? undefined : String(server),
    at: timeOf(part(parts.at)),
    body: textOf(part(parts.body)),
    severity: textOf(part(parts.severity)),
    attributes: own,
  };
}

const isScalar = (value: unknown): value is Attributes[string] =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** The values of an object by their paths, with dots. A list of one value, as Elasticsearch writes fields, is the value. */
function* leaves(json: StoredJson, prefix: string): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(json)) {
    const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    if (isObject(single)) yield* leaves(single, `${prefix}${key}.`);
    else yield [prefix + key, single];
  }
}

/** RFC 3339, or nanoseconds since 1970. */
const timeOf = (value: unknown): Nanos | undefined =>
  unixNanos(value) ?? (typeof value === 'string' ? parseInstant(value)?.at : undefined);

/** Finds the attribute that a key means, whatever stands before its name: `labels.veeam_restore_item_name`. */
function fieldNames(names: readonly string[]): (key: string) => string | undefined {
  const byText = new Map(['log.record.uid', 'service.instance.id', ...names].map(name => [underscored(name), name]));
  const known = new Map<string, string | undefined>();
  const find = (key: string): string | undefined => {
    const words = underscored(key);
    for (let at = 0; at >= 0; at = words.indexOf('_', at) + 1 || -1) {
      const name = byText.get(words.slice(at));
      if (name !== undefined) return name;
    }
    return undefined;
  };
  return key => {
    if (!known.has(key)) known.set(key, find(key));
    return known.get(key);
  };
}

const underscored = (name: string): string => name.replaceAll(/\W/g, '_');
