import { createServer } from 'node:net';
import type { OtlpTarget, SignalName } from '../config/otlp.js';
import type { Config } from '../config/parse.js';
import { proxyName } from '../config/proxy.js';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { errorCode } from '../kernel/network-error.js';
import { otlpTransport } from '../otlp/transport.js';
import { examinePostgresql } from '../store/postgresql/examine.js';
import { preflight } from '../store/preflight.js';
import type { ListenAddress } from '../web/listen.js';
import { type Check, type CheckOutcome, failed, ok, proxyAdvice, skipped, warning } from './doctor-checks.js';
import { fileAdvice } from './referenced-files.js';

/** Valid export requests without data; in protobuf that is no byte at all. */
const emptyJson: Readonly<Record<SignalName, string>> = {
  logs: '{"resourceLogs":[]}',
  traces: '{"resourceSpans":[]}',
};

type Sender = Readonly<{ version: string; clock: Clock; signal: AbortSignal }>;

/** Whether the receiver accepts an export request. The request is empty, so the receiver stores nothing. */
export const otlpCheck = (signal: SignalName, target: OtlpTarget | undefined, sender: Sender): Check => ({
  name: 'otlp',
  run: async () => {
    if (target === undefined) return skipped(`because ${signal} are off`);
    const transport = otlpTransport(target, sender.version, sender.clock);
    const request = target.protocol === 'http/json' ? Buffer.from(emptyJson[signal]) : Buffer.alloc(0);
    try {
      await transport.send(request, sender.signal);
      const via = target.proxy === undefined ? '' : `, through the proxy "${proxyName(target.proxy)}"`;
      return ok(`"${target.url.host}" accepts ${signal} over ${target.protocol}${via}`);
    } catch (thrown) {
      return refusedExport(toExporterError(thrown), target);
    } finally {
      await transport.close();
    }
  },
  advise: error => otlpAdvice(error, undefined),
});

/** Loki's answer to a request without records, with status 422: it could decode the request. */
const noRecords = /at least one valid stream is required/;

function refusedExport(error: ExporterError, { url: { host }, proxy }: OtlpTarget): CheckOutcome {
  const { answer, statusCode } = error.details;
  if (statusCode === 422 && noRecords.test(String(answer)))
    return ok(`"${host}" decodes the request, and refuses it only because it is empty`);
  const message = `${error.message}${answer === undefined ? '' : `, "${String(answer)}"`}`;
  return error.reason === 'throttled'
    ? warning(message, 'nothing: the exporter waits as the receiver requests')
    : failed(message, otlpAdvice(error, proxy));
}

/** Error codes of Node.js and OpenSSL for TLS and certificates. */
const tlsCode = /SSL|TLS|CERT|ISSUER|SIGNATURE/;

function otlpAdvice(error: ExporterError, proxy: OtlpTarget['proxy']): string {
  const { reason, details, cause } = error;
  const aboutFile = fileAdvice(error);
  if (aboutFile !== undefined) return `correct the files below "otlp.tls": ${aboutFile}`;
  if (reason === 'auth') return 'set the token of the receiver in "otlp.headers"';
  if (details['statusCode'] === 404)
    return 'check that "otlp.endpoint" is the base URL of an OTLP/HTTP receiver; the exporter appends "/v1/logs" and "/v1/traces"';
  if (reason === 'rejected') return 'check that the receiver supports OTLP/HTTP with the protocol of "otlp.protocol"';
  if (details['proxy'] === true) return proxyAdvice('otlp.proxy_url');
  if (tlsCode.test(String(details['code'] ?? errorCode(cause))))
    return 'check whether the receiver expects http or https in "otlp.endpoint", and set "otlp.tls.ca_file" to the issuer of its certificate';
  if (proxy !== undefined && reason === 'network') return proxyAdvice('otlp.proxy_url');
  return 'check that the receiver runs, and that "otlp.endpoint" has its port for OTLP/HTTP (4318, not 4317 for gRPC)';
}

/** A busy state file can need this much. */
const minFreeBytes = 100 * 1024 * 1024;

/** Whether the exporter can use the state file, without opening it. */
export const stateCheck = ({ state: { path, postgresql } }: Config): Check =>
  postgresql === undefined ? fileCheck(path) : postgresqlCheck(postgresql);

/** Whether the database can hold the state, and its clock is close to ours: by its clock leases end. */
const postgresqlCheck = (config: PostgresqlConfig): Check => ({
  name: 'state',
  run: async () => {
    const { version, schema, nowMs } = await examinePostgresql(config);
    const offMs = Math.abs(Math.round(nowMs - systemClock.now()));
    const tables = schema === 0 ? 'no tables yet, they can be created' : `schema ${String(schema)}`;
    const found = `PostgreSQL ${version}: ${tables}; its clock differs by ${String(offMs)} ms`;
    return offMs > maxOffMs
      ? warning(found, 'nothing for the leases, which use the clock of PostgreSQL alone; set both clocks by NTP')
      : ok(found);
  },
  advise: () => 'correct "state.postgresql", or the database; docs/REPLICAS.md says what it needs',
});

const maxOffMs = 60_000;

const fileCheck = (path: string): Check => ({
  name: 'state',
  run: () => {
    const { file, freeBytes } = preflight(path);
    const free = `${String(Math.floor(freeBytes / 1024 / 1024))} MiB free`;
    if (freeBytes < minFreeBytes)
      return warning(`"${path}" is usable, but with only ${free}`, 'free space on its disk');
    if (file === undefined) return ok(`"${path}" does not exist yet and can be created; ${free}`);
    if (file.shared)
      return warning(
        `other users can read "${path}"`,
        'nothing: the exporter restricts the permissions at the next start',
      );
    return ok(`"${path}" has schema ${String(file.schema)} and ${String(file.sizeBytes)} bytes; ${free}`);
  },
  advise: ({ details }) =>
    details['damaged'] === true
      ? 'stop the exporter and keep a copy of the file; "state quarantine" deletes nothing, but counters then start at 0'
      : 'let the user of the exporter write to the file and its directory, and check that "state.path" is right',
});

/** Whether the exporter can listen on its address. `isOurs`: whether a healthy exporter already does. */
export const listenCheck = (address: ListenAddress, isOurs: () => Promise<boolean>): Check => ({
  name: 'listen',
  run: async () => {
    const code = await tryToListen(address);
    const port = `port ${String(address.port)}`;
    if (code === undefined) return ok(`${port} is free`);
    if (code === 'EADDRINUSE' && (await isOurs())) return ok(`${port} is in use by a healthy exporter`);
    return failed(`cannot listen on ${port} (${code})`, listenAdvice(code));
  },
  advise: ({ cause }) => listenAdvice(errorCode(cause)),
});

const otherAddress = 'choose another address with "--web.listen-address"';

const listenAdvices: Readonly<Record<string, string>> = {
  EADDRINUSE: `stop the process that uses it, or ${otherAddress}`,
  EACCES: `allow the user of the exporter to use ports below 1024, or ${otherAddress}`,
  EADDRNOTAVAIL: `this machine does not have the address: ${otherAddress}`,
  ENOTFOUND: `the host name does not resolve: ${otherAddress}`,
};

const listenAdvice = (code: string): string => listenAdvices[code] ?? otherAddress;

/** The error code; undefined when the address is free. */
async function tryToListen({ host, port }: ListenAddress): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', error => resolve(errorCode(error)));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  return promise;
}
