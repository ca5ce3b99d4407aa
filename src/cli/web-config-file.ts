import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openWeb, parseWebConfig, type PemSource, type WebConfig } from '../config/web-config.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { checkTls } from '../web/tls.js';

/**
 * A function that returns the current web configuration, with the certificates that it names. It reads the files again
 * when one of them changes, and returns the same object otherwise.
 * @param onError called once for each invalid state of the files; the last valid configuration stays.
 * @throws {ExporterError} `config` when the files are invalid now.
 */
export function webConfigFile(fileName: string | undefined, onError: (error: ExporterError) => void): () => WebConfig {
  if (fileName === undefined) return () => openWeb;
  const stamps: Stamps = new Map();
  const read = (): WebConfig => {
    stamps.clear();
    return load(fileName, stamps);
  };
  let config = read();
  return () => {
    if ([...stamps].every(([file, stamp]) => stampOf(file) === stamp)) return config;
    try {
      config = read();
    } catch (thrown) {
      onError(toExporterError(thrown));
    }
    return config;
  };
}

/** The current web configuration. @throws {ExporterError} `config`. */
export const readWebConfig = (fileName: string | undefined): WebConfig =>
  fileName === undefined ? openWeb : load(fileName, new Map());

/** The stamp of each file just before it was read. */
type Stamps = Map<string, string>;

/** Reads the file and those that it names, and adds their stamps to `stamps`, even when it throws. */
function load(fileName: string, stamps: Stamps): WebConfig {
  const read = (file: string): string => {
    stamps.set(file, stampOf(file));
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new ExporterError('config', `Could not read "${file}" for the web configuration`, { cause });
    }
  };
  const textOf = (pem: PemSource): string => ('text' in pem ? pem.text : read(resolve(dirname(fileName), pem.file)));
  const { tls: sources, users, headers } = parseWebConfig(read(fileName), fileName);
  const tls = sources && {
    ...sources,
    cert: textOf(sources.cert),
    key: textOf(sources.key),
    clientCa: sources.clientCa && textOf(sources.clientCa),
  };
  if (tls !== undefined) checkTls(tls);
  return { tls, users, headers };
}

/** Changes with the file; also when a symbolic link changes, as in a mounted Kubernetes secret. */
function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
}
