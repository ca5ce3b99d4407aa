import { Secret } from '../kernel/secret.js';
import type { Environment, SecretSource } from './environment.js';
import { variable } from './environment.js';
import { type Problem, problemsOf, type Read } from './problem.js';

/** Where a database is and how to log in; what is undefined has the default of libpq. */
export type PostgresqlTarget = Readonly<{
  /** A host, or the directory of a Unix socket. */
  host: string | undefined;
  port: number | undefined;
  user: string | undefined;
  password: Secret | undefined;
  database: string | undefined;
  /** `verify-full`: TLS with a verified certificate. */
  sslmode: 'verify-full' | 'disable' | undefined;
}>;

/** The state in PostgreSQL. */
export type PostgresqlConfig = Readonly<{
  url: SecretSource | undefined;
  /** From the environment, for what the URL leaves out. */
  fallback: PostgresqlTarget;
  /** PEM files; undefined: the authorities of Node.js, and no client certificate. */
  tls: Readonly<Record<'caFile' | 'certFile' | 'keyFile', string | undefined>>;
  /** How long a replica holds a server without a sign of life. */
  leaseMs: number;
}>;

export const postgresqlUrlExpected =
  'must be a URL such as postgresql://user@db.example.com:5432/vb365, percent-encoded, with one host and no parameters but sslmode and host';
const sslmodeExpected =
  'must be verify-full (the default) or disable: the exporter verifies the certificate, or does not use TLS';

/** The modes of libpq that use TLS are all verified here. */
const sslmodes: Readonly<Record<string, PostgresqlTarget['sslmode']>> = {
  'verify-full': 'verify-full',
  'verify-ca': 'verify-full',
  require: 'verify-full',
  disable: 'disable',
};

/** Undefined when the text is not such a URL. */
export function parsePostgresqlUrl(text: string): PostgresqlTarget | undefined {
  const url = /^postgres(?:ql)?:\/\/[^#,]*$/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.port === '0') return undefined;
  const { sslmode, host = url.hostname, ...others } = Object.fromEntries(url.searchParams);
  const parts = [host.replace(/^\[(.*)\]$/, '$1'), url.username, url.password, url.pathname.slice(1)].map(decoded);
  const isKnown = sslmode === undefined || sslmode in sslmodes;
  if (!isKnown || Object.keys(others).length > 0 || parts.includes(undefined)) return undefined;
  const [hostName, user, password, database] = parts.map(part => (part === '' ? undefined : part));
  return { ...targetOf({ port: url.port, sslmode, password }), host: hostName, user, database };
}

type Texts = Readonly<Record<'port' | 'sslmode' | 'password', string | undefined>>;

const targetOf = ({ port, sslmode, password }: Texts) => ({
  port: port === undefined || port === '' ? undefined : Number(port),
  password: password === undefined ? undefined : new Secret(password),
  sslmode: sslmode === undefined ? undefined : sslmodes[sslmode],
});

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

type PostgresqlKeys = Readonly<{
  url?: Secret | undefined;
  url_file?: string | undefined;
  tls: Readonly<Partial<Record<'ca_file' | 'cert_file' | 'key_file', string | undefined>>>;
  lease_time: number;
}>;

/** The settings of `state`; undefined when the state is in a file. */
export function postgresqlOf(
  { path, postgresql: keys }: Readonly<{ path?: string | undefined; postgresql?: PostgresqlKeys | undefined }>,
  env: Environment,
): Read<PostgresqlConfig | undefined> {
  if (keys === undefined) return { value: undefined };
  const { url, url_file: file, tls, lease_time: leaseMs } = keys;
  const fallback = readPostgresqlVariables(env);
  const problems = [
    ...problemsOf(fallback),
    ...(path === undefined ? [] : [{ path: 'state.path', what: 'must not be set together with "state.postgresql"' }]),
    ...(url === undefined || file === undefined
      ? []
      : [{ path: 'state.postgresql.url', what: 'must not be set together with "url_file"' }]),
    ...((tls.cert_file === undefined) === (tls.key_file === undefined)
      ? []
      : [{ path: 'state.postgresql.tls', what: 'must have "cert_file" and "key_file" together' }]),
  ];
  if (problems.length > 0 || !('value' in fallback)) return { problems };
  return {
    value: {
      url: url === undefined ? fileOf(file) : { value: url },
      fallback: fallback.value,
      tls: { caFile: tls.ca_file, certFile: tls.cert_file, keyFile: tls.key_file },
      leaseMs,
    },
  };
}

const fileOf = (file: string | undefined): SecretSource | undefined => (file === undefined ? undefined : { file });

/** The variables of libpq. */
export function readPostgresqlVariables(env: Environment): Read<PostgresqlTarget> {
  const text = (name: string): string | undefined => variable(env, name).text;
  const [port, sslmode, password] = [text('PGPORT'), text('PGSSLMODE'), text('PGPASSWORD')];
  const [host, user, database] = [text('PGHOST'), text('PGUSER'), text('PGDATABASE')];
  const problems: readonly Problem[] = [
    ...(host?.includes(',') === true ? [{ path: 'PGHOST', what: 'must be one host' }] : []),
    ...(port === undefined || isPort(port) ? [] : [{ path: 'PGPORT', what: 'must be a port from 1 to 65535' }]),
    ...(sslmode === undefined || sslmode in sslmodes ? [] : [{ path: 'PGSSLMODE', what: sslmodeExpected }]),
  ];
  if (problems.length > 0) return { problems };
  return { value: { ...targetOf({ port, sslmode, password }), host, user, database } };
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
