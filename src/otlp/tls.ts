import { buildConnector } from 'undici';
import type { OtlpTarget } from '../config/otlp.js';
import { ExporterError } from '../kernel/errors.js';
import { certificatesIn, noCertificate, pairFault } from '../kernel/pem.js';
import { readTextSync } from '../kernel/text-file.js';

type TlsTexts = Readonly<{ ca?: string; cert?: string; key?: string }>;

/**
 * Reads the TLS files for each new connection, so that a renewed certificate is used from the next connection on.
 * A file that cannot be read fails that connection with `network`.
 */
export function connectorOf(files: OtlpTarget['tls']): buildConnector.connector {
  let last: TlsTexts = {};
  let connect = buildConnector({});
  return (options, callback) => {
    try {
      const now = readTls(files);
      // A connector caches TLS sessions: replace it only when the files have changed.
      if (now.ca !== last.ca || now.cert !== last.cert || now.key !== last.key) connect = buildConnector({ ...now });
      last = now;
    } catch (cause) {
      callback(cause instanceof ExporterError ? cause : new ExporterError('network', 'Could not use TLS files'), null);
      return;
    }
    connect(options, callback);
  };
}

/** @throws {ExporterError} `network` when a file cannot be read. */
export const readTls = ({ caFile, certFile, keyFile }: OtlpTarget['tls']): TlsTexts => ({
  ...(caFile === undefined ? {} : { ca: pem(caFile) }),
  ...(certFile === undefined ? {} : { cert: pem(certFile) }),
  ...(keyFile === undefined ? {} : { key: pem(keyFile) }),
});

/**
 * Checks that the authorities are certificates, and that the client certificate and its key fit together.
 * @throws {ExporterError} `network`.
 */
export function checkOtlpTls(files: OtlpTarget['tls']): void {
  const { ca, cert, key } = readTls(files);
  if (ca !== undefined && certificatesIn(ca).length === 0) throw badContent(files.caFile, noCertificate);
  const fault = cert === undefined || key === undefined ? undefined : pairFault(cert, key);
  if (fault !== undefined) throw badContent(fault.of === 'cert' ? files.certFile : files.keyFile, fault.why);
}

const badContent = (path: string | undefined, why: string): ExporterError =>
  new ExporterError('network', `Could not use TLS file "${path ?? ''}": ${why}`, { details: { file: 'content' } });

const pem = (path: string): string => readTextSync({ path, what: 'TLS file', reason: 'network' });
