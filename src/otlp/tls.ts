import { readFileSync } from 'node:fs';
import { buildConnector } from 'undici';
import { ExporterError } from '../kernel/errors.js';

/** PEM files; undefined for what Node brings itself, and for a client without a certificate. */
export type TlsFiles = Readonly<{
  /** Whom to trust, in place of the well-known authorities. */
  caFile: string | undefined;
  /** The client's certificate and its key: both or neither. */
  certFile: string | undefined;
  keyFile: string | undefined;
}>;

type Parts = Readonly<{ ca?: string; cert?: string; key?: string }>;

/**
 * Opens connections with what the files hold at that moment, so that a renewed certificate counts from the next
 * connection on. A file that cannot be read fails that connection, with `network`.
 */
export function connectorOf(files: TlsFiles): buildConnector.connector {
  let read: Parts = {};
  let connect = buildConnector({});
  return (options, callback) => {
    try {
      const now = readParts(files);
      // A connector keeps TLS sessions, so it is made anew only when it must be.
      if (now.ca !== read.ca || now.cert !== read.cert || now.key !== read.key) connect = buildConnector({ ...now });
      read = now;
    } catch (cause) {
      callback(cause instanceof ExporterError ? cause : new ExporterError('network', 'Cannot read TLS files'), null);
      return;
    }
    connect(options, callback);
  };
}

const readParts = ({ caFile, certFile, keyFile }: TlsFiles): Parts => ({
  ...(caFile === undefined ? {} : { ca: pem(caFile) }),
  ...(certFile === undefined ? {} : { cert: pem(certFile) }),
  ...(keyFile === undefined ? {} : { key: pem(keyFile) }),
});

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExporterError('network', `Cannot read TLS file "${path}"`, { cause });
  }
}
