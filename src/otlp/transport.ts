import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../kernel/clock.js';
import { ExporterError, type Reason } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { parseRetryAfter } from '../kernel/retry-after.js';
import { connectorOf, type TlsFiles } from './tls.js';

/** Where OTLP goes, and how. */
export type OtlpTarget = Readonly<{
  /** Complete, with the path of the signal. */
  url: URL;
  protocol: 'http/json' | 'http/protobuf';
  headers: Readonly<Record<string, Secret>>;
  compression: 'none' | 'gzip';
  /** For one request, from the first byte of it to the last of the answer. */
  timeoutMs: number;
  tls: TlsFiles;
}>;

/** Carries one encoded request. */
export interface OtlpTransport {
  /**
   * Sends once; whoever calls decides about trying again. Resolves with the body of the answer when the other side has
   * taken the request, and with undefined when it has taken it but its answer could not be read to the end.
   * @throws {ExporterError} `aborted`, `auth`, `network`, `rejected`, `server`, `throttled` or `timeout`: not taken,
   * or not known to be.
   */
  send(data: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Ends the connections that are kept open. */
  close(): Promise<void>;
}

/** What an answer may hold. Source: OTLP specification 1.11, "OTLP/HTTP Response": 4 MiB. */
const maxResponseSize = 4 * 1024 * 1024;

const compress = promisify(gzip);

/** @param version of the exporter, for `User-Agent`. */
export function otlpTransport(target: OtlpTarget, version: string, clock: Clock): OtlpTransport {
  const dispatcher = new Agent({ maxResponseSize, connect: connectorOf(target.tls) });
  const headers = requestHeaders(target, version);
  return {
    send: async (data, signal) => {
      const deadline = AbortSignal.timeout(target.timeoutMs);
      // Level 1: half the time of the default, for some 15 % more bytes.
      const body = target.compression === 'gzip' ? await compress(data, { level: 1 }) : data;
      const options = {
        dispatcher,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([signal, deadline]),
      } as const;
      const answer = await request(target.url, options).catch((cause: unknown) => {
        throw failedRequest(target.url, cause, { aborted: signal.aborted, late: deadline.aborted });
      });
      if (isSuccess(answer.statusCode)) return answer.body.bytes().catch(() => undefined);
      await answer.body.dump().catch(() => undefined);
      throw refusal(target.url, answer, clock.now());
    },
    close: async () => dispatcher.destroy(),
  };
}

/** Header names in lower case, so that ours replace the operator's, who may change only `user-agent`. */
function requestHeaders({ protocol, headers, compression }: OtlpTarget, version: string): Record<string, string> {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()] as const);
  return {
    'user-agent': `vb365-exporter/${version}`,
    ...Object.fromEntries(own),
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
}

/** The path tells logs from traces; there is no query. */
const place = ({ host, pathname }: URL): string => host + pathname;

const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

function failedRequest(url: URL, cause: unknown, why: Readonly<{ aborted: boolean; late: boolean }>): ExporterError {
  const reason: Reason = why.aborted ? 'aborted' : why.late ? 'timeout' : 'network';
  if (cause instanceof ExporterError) return cause;
  return new ExporterError(reason, `Cannot send to "${place(url)}": ${reason}`, { cause });
}

function refusal(url: URL, { statusCode, headers }: Dispatcher.ResponseData, nowMs: number): ExporterError {
  const wait = parseRetryAfter([headers['retry-after']].flat()[0], nowMs);
  const message = `Cannot send to "${place(url)}": answered ${String(statusCode)}`;
  return new ExporterError(reasonOf(statusCode, wait), message, { details: { statusCode }, retryAfterMs: wait });
}

/** 400, 404, 413, a redirect: another try would end the same. */
function reasonOf(statusCode: number, wait: number | undefined): Reason {
  if (statusCode === 401 || statusCode === 403) return 'auth';
  if (statusCode === 408 || statusCode === 504) return 'timeout';
  if (statusCode === 429 || (statusCode === 503 && wait !== undefined)) return 'throttled';
  return statusCode >= 500 ? 'server' : 'rejected';
}
