import { statSync } from 'node:fs';
import type { OtlpTarget } from '../config/otlp.js';
import type { Config, ServerConfig } from '../config/parse.js';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { certificatesIn } from '../kernel/pem.js';
import { type FileFault, readText } from '../kernel/text-file.js';
import { readHash } from '../otlp/sinks.js';
import { checkOtlpTls } from '../otlp/tls.js';
import { authoritiesFile, credentialsOf } from '../server/source.js';
import { ownTarget } from '../store/postgresql/connect.js';
import { preflight } from '../store/preflight.js';

/** A file that the configuration names. */
export type ReferencedFile = Readonly<{
  path: string;
  /** Others must not read it. */
  isSecret: boolean;
  /**
   * Reads the file as the exporter does and validates its content; resolves with a warning, if there is one.
   * @throws {ExporterError}
   */
  examine: () => Promise<string | undefined>;
}>;

type FileFindings = Readonly<{ problems: readonly ExporterError[]; warnings: readonly string[] }>;

/** Reads and validates files. Never rejects. */
export async function examineFiles(files: readonly ReferencedFile[]): Promise<FileFindings> {
  const found = await Promise.all(files.map(examineFile));
  return { problems: found.flatMap(({ problems }) => problems), warnings: found.flatMap(({ warnings }) => warnings) };
}

async function examineFile({ path, isSecret, examine }: ReferencedFile): Promise<FileFindings> {
  try {
    const warning = await examine();
    return { problems: [], warnings: [...(warning === undefined ? [] : [warning]), ...shared(path, isSecret)] };
  } catch (thrown) {
    return { problems: [toExporterError(thrown)], warnings: [] };
  }
}

/** Windows has access control lists instead of a mode. */
function shared(path: string, isSecret: boolean): readonly string[] {
  const stat = isSecret && process.platform !== 'win32' ? statSync(path, { throwIfNoEntry: false }) : undefined;
  const isShared = stat?.isFile() === true && (stat.mode & 0o004) !== 0;
  return isShared ? [`Every user of this machine can read secret file "${path}"; restrict it with "chmod o-r"`] : [];
}

/** The files of a server: password or assertion, and certificate authorities. */
export function serverFiles(server: ServerConfig, nowMs: number): readonly ReferencedFile[] {
  const { login, tls } = server;
  const { caFile } = tls;
  const secret = async (): Promise<string | undefined> => {
    const text = (await credentialsOf(server).secret()).reveal();
    if (!('file' in login.secret)) return undefined;
    return login.kind === 'assertion'
      ? checkAssertion(text, login.secret.file, nowMs)
      : checkPassword(text, login.secret.file);
  };
  return [
    ...('file' in login.secret ? [{ path: login.secret.file, isSecret: true, examine: secret }] : []),
    ...(caFile === undefined
      ? []
      : [{ path: caFile, isSecret: false, examine: async () => checkAuthorities(caFile, nowMs) }]),
  ];
}

/** The files of the exporter itself: TLS for the receivers, and the key for hashes. */
export function exporterFiles({ hashKeyFile, ...signals }: Config): readonly ReferencedFile[] {
  const { logs, traces, ownTelemetry } = signals;
  const targets = [logs, traces, ownTelemetry?.logs, ownTelemetry?.traces].flatMap(target => target ?? []);
  const tls = new Map(targets.map(target => [JSON.stringify(target.tls), target.tls]));
  const key = async (): Promise<undefined> => void (await readHash(hashKeyFile));
  return [
    ...(hashKeyFile === undefined ? [] : [{ path: hashKeyFile, isSecret: true, examine: key }]),
    ...[...tls.values()].flatMap(otlpTlsFiles),
  ];
}

/** The state file, or the place for one; the files of a connection to PostgreSQL. */
export const stateFiles = ({ state: { path, postgresql } }: Config): readonly ReferencedFile[] =>
  postgresql === undefined
    ? [{ path, isSecret: false, examine: async () => void preflight(path) }]
    : postgresqlFiles(postgresql);

function postgresqlFiles({ url, tls }: PostgresqlConfig): readonly ReferencedFile[] {
  const file = url !== undefined && 'file' in url ? url.file : undefined;
  const examine = async (): Promise<undefined> => void (await ownTarget(url));
  return [...(file === undefined ? [] : [{ path: file, isSecret: true, examine }]), ...otlpTlsFiles(tls)];
}

/** A file that was read already. */
export const secretFile = (path: string): ReferencedFile => ({ path, isSecret: true, examine: async () => undefined });

/** One entry for all files, because key and certificate are validated together. */
function otlpTlsFiles(tls: OtlpTarget['tls']): readonly ReferencedFile[] {
  const { caFile, certFile, keyFile } = tls;
  const path = keyFile ?? certFile ?? caFile;
  const examine = async (): Promise<undefined> => {
    checkOtlpTls(tls);
  };
  return path === undefined ? [] : [{ path, isSecret: keyFile !== undefined, examine }];
}

async function checkAuthorities(path: string, nowMs: number): Promise<string | undefined> {
  const pem = await readText(authoritiesFile(path));
  const certificates = certificatesIn(pem);
  if (certificates.length === 0)
    throw badContent('network', `Could not use tls.ca_file "${path}": it holds no valid certificate in PEM`);
  const isExpired = certificates.every(({ validToDate }) => validToDate.getTime() < nowMs);
  return isExpired ? `Every certificate in tls.ca_file "${path}" has expired` : undefined;
}

/** One line end at the end of the file is not part of a password. */
const checkPassword = (text: string, path: string): string | undefined =>
  /[\r\n]/.test(text)
    ? `Password file "${path}" has several lines; only one is expected, and the line ends are sent as part of the password`
    : undefined;

/** A JWT (RFC 7519) in compact form; VB365 verifies it. */
function checkAssertion(text: string, path: string, nowMs: number): string | undefined {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(text) ?? [];
  if (payload === undefined) throw badContent('auth', `Could not use assertion file "${path}": it holds no JWT`);
  const expiresAt = expiryOf(Buffer.from(payload, 'base64url').toString());
  return expiresAt !== undefined && expiresAt * 1000 < nowMs ? `The assertion in "${path}" has expired` : undefined;
}

/** In seconds since the Unix epoch. */
function expiryOf(json: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(json);
    const isClaims = typeof claims === 'object' && claims !== null && 'exp' in claims;
    return isClaims && typeof claims.exp === 'number' ? claims.exp : undefined;
  } catch {
    return undefined;
  }
}

const badContent = (reason: 'auth' | 'network', message: string): ExporterError =>
  new ExporterError(reason, message, { details: { file: 'content' } });

const faultAdvice: Readonly<Record<FileFault, string>> = {
  missing: 'create the file or correct its path; a relative path starts at the directory of the configuration file',
  denied: 'let the user of the exporter read the file',
  unreadable: 'correct the path: it must name a file that can be read',
  'not text': 'save the file as UTF-8; a certificate must be in PEM (Base-64), not in DER',
  empty: 'write the secret into the file',
  'too large': 'correct the path: the file is too large for what it should hold',
  content: 'replace the content of the file; certificates and keys must be in PEM (Base-64), not in DER',
};

/** What to do about a file that cannot be used; undefined for any other error. */
export const fileAdvice = ({ details }: ExporterError): string | undefined =>
  Object.entries(faultAdvice).find(([fault]) => fault === details['file'])?.[1];
