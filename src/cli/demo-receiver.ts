import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** A log record for people. */
export type ReceivedRecord = Readonly<{
  /** RFC 3339, milliseconds. */
  time: string;
  severity: string;
  body: string;
  attributes: Readonly<Record<string, string>>;
}>;

export interface Receiver {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts an OTLP receiver for logs as JSON on a free port; calls `onRecord` for each record. */
export async function receiveLogs(onRecord: (record: ReceivedRecord) => void): Promise<Receiver> {
  const server = createServer((request, response) => void accept(request, response, onRecord));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    close: async () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function accept(
  request: IncomingMessage,
  response: ServerResponse,
  onRecord: (record: ReceivedRecord) => void,
): Promise<void> {
  for (const record of recordsOf(JSON.parse(await text(request)))) onRecord(record);
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
}

type JsonRecord = Readonly<Record<string, unknown>>;

/** The log records of an `ExportLogsServiceRequest` (opentelemetry-proto). */
function recordsOf(request: unknown): readonly ReceivedRecord[] {
  const scopes = list(request, 'resourceLogs').flatMap(resource => list(resource, 'scopeLogs'));
  return scopes.flatMap(scope => list(scope, 'logRecords')).map(readRecord);
}

function readRecord(record: JsonRecord): ReceivedRecord {
  const attributes = list(record, 'attributes').map(({ key, value }) => [plain(key), anyValue(value)] as const);
  return {
    time: new Date(Number(BigInt(plain(record['timeUnixNano'])) / 1_000_000n)).toISOString(),
    severity: plain(record['severityText']),
    body: anyValue(record['body']),
    attributes: Object.fromEntries(attributes),
  };
}

const isObject = (value: unknown): value is JsonRecord => typeof value === 'object' && value !== null;

function list(parent: unknown, key: string): readonly JsonRecord[] {
  const value: unknown = isObject(parent) ? parent[key] : undefined;
  return Array.isArray(value) ? value.filter(isObject) : [];
}

const plain = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

const anyValue = (value: unknown): string => (isObject(value) ? plain(Object.values(value)[0]) : '');
