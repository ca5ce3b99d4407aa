import { createServer } from 'node:net';
import type { Config } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { OtlpTarget } from '../config/otlp.js';
import { otlpTransport } from '../otlp/transport.js';
import { preflight } from '../store/preflight.js';
import type { ListenAddress } from '../web/listen.js';
import { type Check, type CheckResult, ok, skipped, warning, wrong } from './doctor-result.js';

/** Where an export request goes, and what it holds when it is empty. */
export type Outlet = Readonly<{ signal: 'logs' | 'traces'; target: OtlpTarget | undefined }>;

export const outletsOf = ({ logs, traces }: Config): readonly Outlet[] => [
  { signal: 'logs', target: logs },
  { signal: 'traces', target: traces },
];

/** Valid export requests with nothing in them; in protobuf that is no byte at all. */
const emptyJson: Readonly<Record<Outlet['signal'], string>> = {
  logs: '{"resourceLogs":[]}',
  traces: '{"resourceSpans":[]}',
};

type Sending = Readonly<{ version: string; clock: Clock; signal: AbortSignal }>;

/** Whether a receiver takes an export request. Nothing is stored anywhere: the request is empty. */
export const otlpCheck = ({ signal: what, target }: Outlet, sending: Sending): Check => ({
  name: 'otlp',
  needs: [],
  look: async () => {
    if (target === undefined) return skipped(`because no ${what} are to be sent`);
    const transport = otlpTransport(target, sending.version, sending.clock);
    try {
      await transport.send(
        target.protocol === 'http/json' ? Buffer.from(emptyJson[what]) : Buffer.alloc(0),
        sending.signal,
      );
      return ok(`"${target.url.host}" takes ${what} over ${target.protocol}`);
    } catch (thrown) {
      return refused(toExporterError(thrown), target.url.host);
    } finally {
      await transport.close();
    }
  },
  advise: otlpAdvice,
});

/** What Loki says to a request without any record: it has read it, and only misses the records (seen with a real one). */
const nothingInIt = 422;

function refused(error: ExporterError, host: string): CheckResult {
  if (error.details['statusCode'] === nothingInIt)
    return ok(`"${host}" reads the request, and refuses only that there is nothing in it`);
  const code = codeOf(error.cause);
  const message = `${error.message}${code === '' ? '' : ` (${code})`}`;
  return error.reason === 'throttled'
    ? warning(message, 'nothing: the exporter waits as it is asked to')
    : wrong(message, otlpAdvice(error));
}

/** Codes of Node and OpenSSL about TLS and certificates. */
const tlsCode = /SSL|TLS|CERT|ISSUER|SIGNATURE/;

function otlpAdvice({ reason, message, details, cause }: ExporterError): string {
  if (reason === 'auth') return 'set the receiver\'s token with "otlp.headers"';
  if (details['statusCode'] === 404)
    return 'see that "otlp.endpoint" is the base of an OTLP/HTTP receiver; "/v1/logs" and "/v1/traces" are put behind it';
  if (reason === 'rejected') return 'see that the receiver speaks OTLP/HTTP in the protocol that "otlp.protocol" names';
  if (message.startsWith('Could not read TLS file'))
    return 'correct the files below "otlp.tls", and let our user read them';
  if (tlsCode.test(codeOf(cause)))
    return 'see that "otlp.endpoint" says http or https as the receiver speaks it, and name the issuer of its certificate with "otlp.tls.ca_file"';
  return 'see that the receiver runs, and that "otlp.endpoint" has its port for OTLP/HTTP (4318, not the 4317 of gRPC)';
}

/** A system's code for what happened, or that of what made it happen. */
function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return 'cause' in cause ? codeOf(cause.cause) : '';
}

/** Below this a busy state file may not find the room it needs. */
const littleBytes = 100 * 1024 * 1024;

/** Whether the state file can be used, without opening it. */
export const stateCheck = ({ state: { path } }: Config): Check => ({
  name: 'state',
  needs: [],
  look: () => {
    const { file, freeBytes } = preflight(path);
    const free = `${String(Math.floor(freeBytes / 1024 / 1024))} MiB are free`;
    if (freeBytes < littleBytes) return warning(`"${path}" can be used, but only ${free}`, 'make room on its disk');
    if (file === undefined) return ok(`"${path}" is not there yet and can be made; ${free}`);
    if (file.shared) return warning(`"${path}" can be read by others`, 'nothing: the next start makes it private');
    return ok(`"${path}" has schema ${String(file.schema)} and ${String(file.sizeBytes)} bytes; ${free}`);
  },
  advise: () =>
    'let the user that runs vb365-exporter write to the file and to its directory; "vb365-exporter state show" looks into the file while the exporter is stopped',
});

/** Whether the pages can be served; `isOurs` tells of an address in use whether the exporter itself has it. */
export const listenCheck = (address: ListenAddress, isOurs: () => Promise<boolean>): Check => ({
  name: 'listen',
  needs: [],
  look: async () => {
    const code = await tried(address);
    const at = `port ${String(address.port)}`;
    if (code === undefined) return ok(`${at} is free`);
    if (code === 'EADDRINUSE' && (await isOurs())) return ok(`${at} is in use, by an exporter that is well`);
    return wrong(
      `${at} cannot be listened on (${code})`,
      'stop what uses it, or choose another with "--web.listen-address"',
    );
  },
  advise: () => 'choose another address with "--web.listen-address"',
});

/** The code of what is in the way; undefined for nothing. */
async function tried({ host, port }: ListenAddress): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', error => resolve(codeOf(error)));
  server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) }, () =>
    server.close(() => resolve(undefined)),
  );
  return promise;
}
