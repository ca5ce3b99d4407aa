import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A log record as a person reads it. */
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

/** A small OTLP receiver on this machine, for JSON logs: hands each record on as soon as it has it. */
export async function receiveLogs(take: (record: ReceivedRecord) => void): Promise<Receiver> {
  const server = createServer((request, response) => {
    void answer(request, response, take);
  });
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  take: (record: ReceivedRecord) => void,
): Promise<void> {
  for (const record of recordsOf(JSON.parse(await readBody(request)))) take(record);
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
}

async function readBody(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

type Wire = Readonly<Record<string, unknown>>;

/** Every log record of an OTLP request, as opentelemetry-proto's `ExportLogsServiceRequest` nests them. */
function recordsOf(request: unknown): readonly ReceivedRecord[] {
  const resources = list(request, 'resourceLogs');
  const scopes = resources.flatMap(resource => list(resource, 'scopeLogs'));
  return scopes.flatMap(scope => list(scope, 'logRecords')).map(readRecord);
}

function readRecord(record: Wire): ReceivedRecord {
  const nanos = text(record['timeUnixNano']);
  const attributes = list(record, 'attributes').map(({ key, value }) => [text(key), anyValue(value)] as const);
  return {
    time: new Date(Number(BigInt(nanos === '' ? '0' : nanos) / 1_000_000n)).toISOString(),
    severity: text(record['severityText']),
    body: anyValue(record['body']),
    attributes: Object.fromEntries(attributes),
  };
}

const isWire = (value: unknown): value is Wire => typeof value === 'object' && value !== null;

function list(parent: unknown, key: string): readonly Wire[] {
  const value: unknown = isWire(parent) ? parent[key] : undefined;
  return Array.isArray(value) ? value.filter(isWire) : [];
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

const anyValue = (value: unknown): string => (isWire(value) ? text(Object.values(value)[0]) : '');
