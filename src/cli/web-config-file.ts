import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openWeb, parseWebConfig, type Pem, type WebConfig } from '../config/web-config.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { checkTls } from '../web/tls.js';

/** What happens when the files change. */
export type WebConfigWatch = Readonly<{
  /** Told once of each state of the files that cannot be used; the last good configuration stays. */
  refused: (error: ExporterError) => void;
}>;

/**
 * The web configuration in a file of exporter-toolkit's form: a function that answers the configuration as the file
 * and the certificates it names are at this moment. The same object as long as none of them has changed.
 * @throws {ExporterError} `config` when they cannot be used now.
 */
export function webConfigFile(fileName: string | undefined, { refused }: WebConfigWatch): () => WebConfig {
  if (fileName === undefined) return () => openWeb;
  let seen: Stamps = new Map();
  const read = (): WebConfig => {
    const stamps = new Map<string, string>();
    try {
      return load(fileName, stamps);
    } finally {
      seen = stamps;
    }
  };
  let config = read();
  return () => {
    if (isUnchanged(seen)) return config;
    try {
      config = read();
    } catch (thrown) {
      refused(toExporterError(thrown));
    }
    return config;
  };
}

/** The web configuration as it is now; without a file, an open one. @throws {ExporterError} `config`. */
export const readWebConfig = (fileName: string | undefined): WebConfig =>
  fileName === undefined ? openWeb : load(fileName, new Map());

/** What each file looked like just before it was read. */
type Stamps = ReadonlyMap<string, string>;

const isUnchanged = (seen: Stamps): boolean => [...seen].every(([file, stamp]) => stampOf(file) === stamp);

/** Reads the file and those it names, and notes each in `stamps`, also when one cannot be used. */
function load(fileName: string, stamps: Map<string, string>): WebConfig {
  const read = (file: string): string => {
    stamps.set(file, stampOf(file));
    return readText(file);
  };
  const { tls, users, headers } = parseWebConfig(read(fileName), fileName);
  const pem = (source: Pem): string => ('text' in source ? source.text : read(resolve(dirname(fileName), source.file)));
  const loaded = withTexts(tls, pem);
  if (loaded !== undefined) checkTls(loaded);
  return { tls: loaded, users, headers };
}

const withTexts = (tls: WebConfig<Pem>['tls'], pem: (source: Pem) => string): WebConfig['tls'] =>
  tls && {
    ...tls,
    cert: pem(tls.cert),
    key: pem(tls.key),
    clientCa: tls.clientCa && pem(tls.clientCa),
  };

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (cause) {
    throw new ExporterError('config', `Could not read "${fileName}", which the web configuration needs`, { cause });
  }
}

/** What changes when a file does: also a symbolic link that points elsewhere, as Kubernetes renews a mounted secret. */
function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'gone' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
}
