import { readFileSync } from 'node:fs';
import { buildConnector } from 'undici';
import type { OtlpTarget } from '../config/otlp.js';
import { ExporterError } from '../kernel/errors.js';

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

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExporterError('network', `Could not read TLS file "${path}"`, { cause });
  }
}
