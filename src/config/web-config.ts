import { z } from 'zod';
import { configError, readBy } from './problem.js';
import { headerValue, text } from './values.js';
import { parseYaml } from './yaml.js';

/** Client authentication, as in Go's `crypto/tls`. */
export const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

/** Oldest first. */
export const tlsVersions = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;

/** The response headers that exporter-toolkit supports. */
const headerNames = [
  'Content-Security-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
] as const;

/** A key of exporter-toolkit that this exporter does not support. */
const unsupported = () => z.undefined('is not supported by vb365-exporter; remove it').optional();

const pem = () => z.string().regex(/-----BEGIN [A-Z ]+-----/, 'must be PEM text');
const pemFile = () => text('PEM file');

const tlsKeys = z
  .strictObject({
    cert: pem().optional(),
    key: pem().optional(),
    client_ca: pem().optional(),
    cert_file: pemFile().optional(),
    key_file: pemFile().optional(),
    client_ca_file: pemFile().optional(),
    client_auth_type: z.enum(clientAuthTypes).prefault('NoClientCert'),
    client_allowed_sans: z.array(text('A name')).prefault([]),
    min_version: z.enum(tlsVersions).prefault('TLS12'),
    max_version: z.enum(tlsVersions).prefault('TLS13'),
    cipher_suites: unsupported(),
    curve_preferences: unsupported(),
    prefer_server_cipher_suites: unsupported(),
  })
  .superRefine(validateTls);

type TlsKeys = z.output<typeof tlsKeys>;

/** A bcrypt hash, as `htpasswd -B` writes it. */
const bcryptHash = z.string().regex(/^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/, 'must be a bcrypt hash');

const webSchema = z.strictObject({
  tls_server_config: tlsKeys.optional(),
  basic_auth_users: z.record(text('User name'), bcryptHash).prefault({}),
  http_server_config: z
    .strictObject({
      http2: z.literal(false, 'true is not supported by vb365-exporter; set it to false').optional(),
      headers: z
        .strictObject(Object.fromEntries(headerNames.map(name => [name, headerValue().optional()])))
        .prefault({}),
    })
    .prefault({}),
  rate_limit: unsupported(),
});

/** A PEM text, or the file that contains it. */
export type PemSource = Readonly<{ text: string }> | Readonly<{ file: string }>;

/** TLS of the web server. `Source`: PEM texts, or `PemSource` before files are read. */
export type WebTls<Source = string> = Readonly<{
  cert: Source;
  key: Source;
  clientCa: Source | undefined;
  clientAuth: TlsKeys['client_auth_type'];
  /** Names (DNS, e-mail, IP address, URI), one of which a client certificate must have; empty: any certificate will do. */
  allowedSans: readonly string[];
  minVersion: TlsKeys['min_version'];
  maxVersion: TlsKeys['max_version'];
}>;

/** Protection of the web server. */
export type WebConfig<Source = string> = Readonly<{
  /** Undefined: plain HTTP. */
  tls: WebTls<Source> | undefined;
  /** bcrypt hashes by user name; empty: no basic auth. */
  users: Readonly<Record<string, string>>;
  /** Response headers; they replace those of the exporter. */
  headers: Readonly<Record<string, string>>;
}>;

/** Plain HTTP without a login. */
export const openWeb: WebConfig = { tls: undefined, users: {}, headers: {} };

/**
 * Parses a web configuration file of exporter-toolkit, without reading the files that it names
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md).
 * @throws {ExporterError} `config`, with one line for each wrong key, never with a value.
 */
export function parseWebConfig(document: string, fileName: string): WebConfig<PemSource> {
  const failure = `Could not read the web configuration "${fileName}"`;
  const read = readBy(webSchema, parseYaml(document, failure));
  if ('problems' in read) throw configError(failure, read.problems);
  const { tls_server_config: tls, basic_auth_users: users, http_server_config: http } = read.value;
  return {
    tls: tls && {
      cert: pemOf(tls.cert, tls.cert_file) ?? { text: '' },
      key: pemOf(tls.key, tls.key_file) ?? { text: '' },
      clientCa: pemOf(tls.client_ca, tls.client_ca_file),
      clientAuth: tls.client_auth_type,
      allowedSans: tls.client_allowed_sans,
      minVersion: tls.min_version,
      maxVersion: tls.max_version,
    },
    users,
    headers: withoutAbsent(http.headers),
  };
}

const pemOf = (inline: string | undefined, file: string | undefined): PemSource | undefined =>
  inline === undefined ? (file === undefined ? undefined : { file }) : { text: inline };

const withoutAbsent = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Adds the problems that involve several keys. They are those of exporter-toolkit. */
function validateTls(keys: TlsKeys, context: z.RefinementCtx): void {
  const add = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  for (const name of ['cert', 'key', 'client_ca'] as const)
    if (keys[name] !== undefined && keys[`${name}_file`] !== undefined)
      add(name, `must not be set together with "${name}_file"`);
  for (const name of ['cert', 'key'] as const)
    if (keys[name] === undefined && keys[`${name}_file`] === undefined) add(`${name}_file`, 'is missing');
  validateClientAuth(keys, add);
  if (tlsVersions.indexOf(keys.min_version) > tlsVersions.indexOf(keys.max_version))
    add('min_version', 'must not be newer than "max_version"');
}

function validateClientAuth(keys: TlsKeys, add: (key: string, message: string) => void): void {
  const hasCa = keys.client_ca !== undefined || keys.client_ca_file !== undefined;
  const verifies =
    keys.client_auth_type === 'VerifyClientCertIfGiven' || keys.client_auth_type === 'RequireAndVerifyClientCert';
  if (hasCa && keys.client_auth_type === 'NoClientCert') add('client_auth_type', 'is required with a client CA');
  if (verifies && !hasCa) add('client_ca_file', 'is required by "client_auth_type"');
  if (keys.client_allowed_sans.length > 0 && !verifies)
    add('client_allowed_sans', 'requires a "client_auth_type" that verifies certificates');
}
