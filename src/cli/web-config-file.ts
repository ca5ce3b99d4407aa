import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openWeb, parseWebConfig, type PemSource, type WebConfig } from '../config/web-config.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { errorCode } from '../kernel/network-error.js';
import { readTextSync } from '../kernel/text-file.js';
import { checkTls } from '../web/tls.js';

/**
 * A function that returns the current web configuration, with the certificates that it names. It reads the files again
 * when one of them changes, and returns the same object otherwise.
 * @param report called with each use: why the files are invalid, and the last valid configuration stays, or undefined.
 * @throws {ExporterError} `config` when the files are invalid now.
 */
export function webConfigFile(
  fileName: string | undefined,
  report: (error: ExporterError | undefined) => void,
): () => WebConfig {
  if (fileName === undefined) return () => openWeb;
  const stamps: Stamps = new Map();
  const read = (): WebConfig => {
    stamps.clear();
    return load(fileName, stamps).config;
  };
  let config = read();
  let invalid: ExporterError | undefined;
  return () => {
    if ([...stamps].some(([file, stamp]) => stampOf(file) !== stamp)) {
      try {
        config = read();
        invalid = undefined;
      } catch (thrown) {
        invalid = toExporterError(thrown);
      }
    }
    report(invalid);
    return config;
  };
}

/** The current web configuration. @throws {ExporterError} `config`. */
export const readWebConfig = (fileName: string | undefined): WebConfig =>
  fileName === undefined ? openWeb : load(fileName, new Map()).config;

/**
 * The files with secrets of the current web configuration: the private key, and itself when it holds password hashes.
 * @throws {ExporterError} `config` when the web configuration is invalid.
 */
export const webSecretFiles = (fileName: string | undefined): readonly string[] =>
  fileName === undefined ? [] : load(fileName, new Map()).secrets;

/** The stamp of each file just before it was read. */
type Stamps = Map<string, string>;

type Loaded = Readonly<{ config: WebConfig; /** Files with secrets. */ secrets: readonly string[] }>;

/** Reads the file and those that it names, and adds their stamps to `stamps`, even when it throws. */
function load(fileName: string, stamps: Stamps): Loaded {
  const read = (file: string): string => {
    stamps.set(file, stampOf(file));
    return textOf(file, file === fileName ? 'web configuration' : tlsFile);
  };
  const pathOf = ({ file }: Readonly<{ file: string }>): string => resolve(dirname(fileName), file);
  const pemOf = (pem: PemSource): string => ('text' in pem ? pem.text : read(pathOf(pem)));
  const { tls: sources, users, headers } = parseWebConfig(read(fileName), fileName);
  const tls = sources && {
    ...sources,
    cert: pemOf(sources.cert),
    key: pemOf(sources.key),
    clientCa: sources.clientCa && pemOf(sources.clientCa),
  };
  const nameOf = (pem: PemSource | undefined): string =>
    pem === undefined || 'text' in pem ? 'a PEM text of the web configuration' : `${tlsFile} "${pathOf(pem)}"`;
  if (tls !== undefined) checkTls(tls, part => nameOf(sources?.[part]));
  const key = sources !== undefined && 'file' in sources.key ? [pathOf(sources.key)] : [];
  const secrets = [...key, ...(Object.keys(users).length === 0 ? [] : [fileName])];
  return { config: { tls, users, headers }, secrets };
}

const tlsFile = 'TLS file of the web configuration';

const textOf = (path: string, what: string): string => readTextSync({ path, what, reason: 'config' });

/** Changes with the file; also when a symbolic link changes, as in a mounted Kubernetes secret. */
function stampOf(file: string): string {
  try {
    const stat = statSync(file, { bigint: true });
    return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  } catch (thrown) {
    return errorCode(thrown);
  }
}
