import { z } from 'zod';
import { configError } from './problem.js';
import { readBy } from './read.js';
import { text } from './values.js';
import { parseYaml } from './yaml.js';

/** How a client has to show who it is, as Go's `crypto/tls` and so exporter-toolkit spell it. */
export const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

/** TLS versions as exporter-toolkit spells them, oldest first. */
export const tlsVersions = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;

/** Response headers that exporter-toolkit lets an operator set. */
const headerNames = [
  'Content-Security-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
] as const;

/** A key of exporter-toolkit that we do not have: to be told from one that nobody has. */
const unsupported = () =>
  z
    .unknown()
    .optional()
    .refine(value => value === undefined, 'is not supported by vb365-exporter; remove it');

const pem = () => z.string().regex(/-----BEGIN [A-Z ]+-----/, 'must be PEM text');
const pemFile = () => text({ description: 'PEM file' });

const tlsKeys = z
  .strictObject({
    cert: pem().optional(),
    key: pem().optional(),
    client_ca: pem().optional(),
    cert_file: pemFile().optional(),
    key_file: pemFile().optional(),
    client_ca_file: pemFile().optional(),
    client_auth_type: z.enum(clientAuthTypes).prefault('NoClientCert'),
    client_allowed_sans: z.array(text({ description: 'A name' })).prefault([]),
    min_version: z.enum(tlsVersions).prefault('TLS12'),
    max_version: z.enum(tlsVersions).prefault('TLS13'),
    cipher_suites: unsupported(),
    curve_preferences: unsupported(),
    prefer_server_cipher_suites: unsupported(),
  })
  .superRefine(sayContradictions);

type TlsKeys = z.output<typeof tlsKeys>;

/** A bcrypt hash, as `htpasswd -B` writes it. */
const bcryptHash = z.string().regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/, 'must be a bcrypt hash');

const headerValue = z.string().regex(/^[\t -~]*$/, 'must be printable ASCII text');

const webSchema = z.strictObject({
  tls_server_config: tlsKeys.optional(),
  basic_auth_users: z.record(text({ description: 'User name' }), bcryptHash).prefault({}),
  http_server_config: z
    .strictObject({
      http2: unsupported(),
      headers: z.strictObject(Object.fromEntries(headerNames.map(name => [name, headerValue.optional()]))).prefault({}),
    })
    .prefault({}),
  rate_limit: unsupported(),
});

/** A PEM text, or the file that holds it. */
export type Pem = Readonly<{ text: string }> | Readonly<{ file: string }>;

/** TLS of the web server. Each `Text` is a PEM text, or the way to one. */
export type WebTls<Text = string> = Readonly<{
  cert: Text;
  key: Text;
  clientCa: Text | undefined;
  clientAuth: (typeof clientAuthTypes)[number];
  /** Names (DNS, e-mail, IP address, URI) of which a client's certificate must have one; empty: any will do. */
  allowedSans: readonly string[];
  minVersion: (typeof tlsVersions)[number];
  maxVersion: (typeof tlsVersions)[number];
}>;

/** How the web server is protected. */
export type WebConfig<Text = string> = Readonly<{
  /** Undefined: plain HTTP. */
  tls: WebTls<Text> | undefined;
  /** bcrypt hashes by user name; empty: no login needed. */
  users: Readonly<Record<string, string>>;
  /** Response headers to set, in place of the default of the same name. */
  headers: Readonly<Record<string, string>>;
}>;

/** Plain HTTP without a login. */
export const openWeb: WebConfig = { tls: undefined, users: {}, headers: {} };

/**
 * Reads a web configuration file as exporter-toolkit defines it
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md).
 * Does not read the files that it names.
 * @throws {ExporterError} `config`, with one line for each wrong key, never with a value.
 */
export function parseWebConfig(document: string, fileName: string): WebConfig<Pem> {
  const failure = `Could not read the web configuration "${fileName}"`;
  const read = readBy(webSchema, parseYaml(document, failure));
  if ('problems' in read) throw configError(failure, read.problems);
  const { tls_server_config: tls, basic_auth_users: users, http_server_config: http } = read.value;
  return { tls: tls === undefined ? undefined : toTls(tls), users, headers: withoutAbsent(http.headers) };
}

const toTls = (keys: TlsKeys): WebTls<Pem> => ({
  cert: pemOf(keys.cert, keys.cert_file) ?? { text: '' },
  key: pemOf(keys.key, keys.key_file) ?? { text: '' },
  clientCa: pemOf(keys.client_ca, keys.client_ca_file),
  clientAuth: keys.client_auth_type,
  allowedSans: keys.client_allowed_sans,
  minVersion: keys.min_version,
  maxVersion: keys.max_version,
});

const pemOf = (inline: string | undefined, file: string | undefined): Pem | undefined =>
  inline === undefined ? (file === undefined ? undefined : { file }) : { text: inline };

const withoutAbsent = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** What keys must satisfy together, in the words of exporter-toolkit's own checks. */
function sayContradictions(keys: TlsKeys, context: z.RefinementCtx): void {
  const say = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  for (const name of ['cert', 'key', 'client_ca'] as const)
    if (keys[name] !== undefined && keys[`${name}_file`] !== undefined) say(name, `is given, and ${name}_file too`);
  for (const name of ['cert', 'key'] as const)
    if (keys[name] === undefined && keys[`${name}_file`] === undefined) say(`${name}_file`, 'is missing');
  sayClientAuth(keys, say);
  if (tlsVersions.indexOf(keys.min_version) > tlsVersions.indexOf(keys.max_version))
    say('min_version', 'must not be newer than "max_version"');
}

function sayClientAuth(keys: TlsKeys, say: (key: string, message: string) => void): void {
  const hasCa = keys.client_ca !== undefined || keys.client_ca_file !== undefined;
  const verifies =
    keys.client_auth_type === 'VerifyClientCertIfGiven' || keys.client_auth_type === 'RequireAndVerifyClientCert';
  if (hasCa && keys.client_auth_type === 'NoClientCert')
    say('client_auth_type', 'is missing, and a client CA is given');
  if (verifies && !hasCa) say('client_ca_file', 'is missing, and "client_auth_type" needs it');
  if (keys.client_allowed_sans.length > 0 && !verifies)
    say('client_allowed_sans', 'needs a "client_auth_type" that verifies the certificate');
}
