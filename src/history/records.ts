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
  const placeOf = places(names);
  return line => {
    const json = parsed(line);
    if (json === undefined) return undefined;
    return 'resourceLogs' in json ? otlpRecords(json) : [flatRecord(json, placeOf)];
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

type PlacedValue = NamePlace & Readonly<{ value: Attributes[string] }>;

/** Where stores put fields, in front of their names. */
const wrappers = ['', '_source.', 'fields.', 'labels.'] as const;

function flatRecord(json: StoredJson, placeOf: (key: string) => NamePlace | undefined): StoredLog {
  const found: PlacedValue[] = [];
  const others: Record<string, unknown> = {};
  for (const [key, value] of leaves(json, '')) {
    const place = placeOf(key);
    if (place === undefined) others[key] ??= value;
    else if (isScalar(value) && value !== '') found.push({ ...place, value });
  }
  const { [serverName]: server, [uidName]: uid, ...attributes } = ownOf(found);
  const part = (names: readonly string[]): unknown =>
    names
      .flatMap(name => wrappers.map(wrapper => others[wrapper + name]))
      .find(value => value !== undefined && value !== '');
  return {
    uid: uid === undefined ? undefined : String(uid),
    server: server === undefined ? undefined : String(server),
    at: timeOf(part(parts.at)),
    body: textOf(part(parts.body)),
    severity: textOf(part(parts.severity)),
    attributes,
  };
}

/**
 * The attributes of the exporter: those with the prefix of the uid, and others only under names that nobody else has.
 * An ingest pipeline may add `ingest.error.message`.
 */
function ownOf(found: readonly PlacedValue[]): Attributes {
  const [shortest] = found
    .filter(({ name }) => name === uidName)
    .map(({ prefix }) => prefix)
    .toSorted((a, b) => a.length - b.length);
  const isOwn = ({ name, prefix }: NamePlace): boolean =>
    prefix === shortest || (name === serverName && prefix.endsWith('resource_attributes_'));
  const attributes: Attributes = {};
  for (const { name, value } of found.filter(isOwn)) attributes[name] = value;
  for (const { name, value } of found) if (name === serverName || name.startsWith('veeam.')) attributes[name] ??= value;
  return attributes;
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

/** Milliseconds since 1970, as Elasticsearch writes a time: `1511949261000`, or `1511949261000.123456` as text. */
const epochMs = /^(\d{1,14})(?:\.(\d{1,6})\d*)?$/;

/** RFC 3339, or milliseconds or nanoseconds since 1970. */
function timeOf(value: unknown): Nanos | undefined {
  const [, ms, fraction = ''] =
    typeof value === 'string' || typeof value === 'number' ? (epochMs.exec(String(value)) ?? []) : [];
  if (ms !== undefined) return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return unixNanos(value) ?? (typeof value === 'string' ? parseInstant(value)?.at : undefined);
}

const [uidName, serverName] = ['log.record.uid', 'service.instance.id'] as const;

/** An attribute that a key means, and what stands before its name: `labels_` in `labels.veeam_restore_item_name`. */
type NamePlace = Readonly<{ name: string; prefix: string }>;

function places(names: readonly string[]): (key: string) => NamePlace | undefined {
  const byText = new Map([uidName, serverName, ...names].map(name => [underscored(name), name]));
  const known = new Map<string, NamePlace | undefined>();
  const find = (key: string): NamePlace | undefined => {
    const words = underscored(key);
    for (let at = 0; at >= 0; at = words.indexOf('_', at) + 1 || -1) {
      const name = byText.get(words.slice(at));
      if (name !== undefined) return { name, prefix: words.slice(0, at) };
    }
    return undefined;
  };
  return key => {
    if (!known.has(key)) known.set(key, find(key));
    return known.get(key);
  };
}

const underscored = (name: string): string => name.replaceAll(/\W/g, '_');
