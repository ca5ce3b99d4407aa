import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** A log record in OTLP/JSON, as far as tests look at it. */
export type OtlpRecord = Readonly<{
  timeUnixNano: string;
  observedTimeUnixNano: string;
  severityNumber: number;
  severityText: string;
  eventName: string;
  body: Readonly<{ stringValue: string }>;
  attributes: readonly Readonly<{ key: string; value: Readonly<Record<string, unknown>> }>[];
  traceId?: string;
  spanId?: string;
}>;

export type Received = Readonly<{ url: string; headers: IncomingHttpHeaders; body: Buffer; socket: number }>;

/** How a request is answered; the body has been read. */
export type Answer = (response: ServerResponse, request: Received) => void;

/** Takes everything. */
export const accept: Answer = response => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
};

/** Answers with a status, headers and a body. */
export const refuse =
  (statusCode: number, headers: Record<string, string> = {}, body = ''): Answer =>
  response => {
    response.writeHead(statusCode, headers).end(body);
  };

export type OtlpReceiver = {
  readonly url: URL;
  /** All requests so far, bodies unpacked. */
  readonly requests: readonly Received[];
  /** Answers to give, first come first served. */
  readonly answers: Answer[];
  /** What it answers when none of them is left: it accepts, unless a test says otherwise. */
  otherwise: Answer;
  /** The records of all OTLP/JSON requests that were read, accepted or not. */
  readonly records: () => readonly OtlpRecord[];
  readonly close: () => Promise<void>;
};

/** A real OTLP/HTTP receiver for logs on a free port. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const requests: Received[] = [];
  const answers: Answer[] = [];
  const sockets: unknown[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sent = await buffer(request);
    if (!sockets.includes(request.socket)) sockets.push(request.socket);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const received = {
      url: request.url ?? '',
      headers: request.headers,
      body,
      socket: sockets.indexOf(request.socket),
    };
    requests.push(received);
    (answers.shift() ?? receiver.otherwise)(response, received);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const receiver: OtlpReceiver = {
    url: new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1/logs`),
    requests,
    answers,
    otherwise: accept,
    records: () => requests.flatMap(recordsOf),
    close: async () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

type OtlpLogs = Readonly<{
  resourceLogs: readonly Readonly<{ scopeLogs: readonly Readonly<{ logRecords: readonly OtlpRecord[] }>[] }>[];
}>;

/** The records of an OTLP/JSON request. */
export function recordsOf({ body }: Pick<Received, 'body'>): readonly OtlpRecord[] {
  const { resourceLogs } = JSON.parse(body.toString()) as OtlpLogs;
  return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}
