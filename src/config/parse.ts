import { dirname, resolve } from 'node:path';
import type { ApiVersion } from '../model/api-versions.js';
import type { History } from './duration.js';
import type { Environment, ServerSettings } from './environment.js';
import { ignoredVariables, readEnvironmentServer, variable } from './environment.js';
import { readSignalVariables, type Signals, signalsOf, type SignalVariables } from './otlp.js';
import { type PostgresqlConfig, postgresqlOf } from './postgresql.js';
import { configError, problemsOf, type Read, readBy } from './problem.js';
import { type ProxyConfig, proxyFor } from './proxy.js';
import { defaultStatePath, type Keys, schema } from './schema.js';
import { isMapping, parseYaml } from './yaml.js';

/** A VB365 server to monitor. */
export type ServerConfig = Readonly<{
  /** The `server` label; unique. */
  name: string;
  /** An origin: the path is `/`. */
  url: URL;
  apiVersion: ApiVersion | 'auto';
  login: ServerSettings['login'];
  /** At most one is set; none for `http:`. */
  tls: Readonly<{ caFile: string | undefined; serverFingerprint: string | undefined; insecureSkipVerify: boolean }>;
  proxy: ProxyConfig | undefined;
  /** Between polls while no session is open. */
  pollIntervalMs: number;
  /** Between polls while a session is open; not longer than `pollIntervalMs`. */
  openPollIntervalMs: number;
  /** Between session lists while the change feed works. */
  reconcileIntervalMs: number;
  requestTimeoutMs: number;
  /** In events. */
  pageSize: number;
  /** Whether to ask the server for the names of owners. */
  resolveOwners: boolean;
}>;

/** The validated configuration, in the units of the code. Frozen. */
export type Config = Signals &
  Readonly<{
    /** At least one. */
    servers: readonly ServerConfig[];
    history: History;
    abandonAfterMs: number;
    /** Over all servers, without long polls. */
    maxConcurrentRequests: number;
    state: Readonly<{ path: string; postgresql?: PostgresqlConfig | undefined }>;
    /** What is served at `/metrics`. */
    metrics: Readonly<{
      organizationLabel: boolean;
      /** Per server. */
      maxOrganizations: number;
      firstIncrementHold: boolean;
    }>;
    /** One sentence each. */
    warnings: readonly string[];
  }>;

/** The text of a configuration file, its path, and the environment. Relative paths in the file start at its directory. */
export type ConfigInput = Readonly<{ file?: string | undefined; fileName?: string | undefined; env: Environment }>;

/**
 * Reads the configuration. Each setting of the file wins over the environment; a server comes from the environment only
 * when the file lists none.
 * @throws {ExporterError} `config`, with one line for each wrong setting, never with a value.
 */
export function parseConfig({ file = '', fileName, env }: ConfigInput): Config {
  const failure = `Could not read the configuration${fileName === undefined ? '' : ` "${fileName}"`}`;
  const document = parseYaml(file, failure);
  const keys = readBy(schema, document);
  if (!isMapping(document)) throw configError(failure, problemsOf(keys));
  const server = document['servers'] === undefined ? readEnvironmentServer(env) : { value: undefined };
  const variables = readSignalVariables(document, env);
  if (!('value' in keys && 'value' in server && 'value' in variables))
    throw configError(failure, [keys, server, variables].flatMap(problemsOf));
  const settings = withAbsolutePaths(keys.value, fileName);
  const connections = readConnections(settings, { server: server.value, variables: variables.value, env });
  if (!('value' in connections)) throw configError(failure, connections.problems);
  return frozen({ ...settingsOf(settings, env), ...connections.value });
}

type EnvironmentParts = Readonly<{ server: ServerSettings | undefined; variables: SignalVariables; env: Environment }>;

type Connections = Signals & Pick<Config, 'servers' | 'state'>;

const statePath = ({ state }: Keys, env: Environment): string =>
  state.path ?? variable(env, 'VB365_STATE_PATH').text ?? defaultStatePath;

/** Servers and receivers, each with its proxy, and the database. `server`: the one that the environment describes. */
function readConnections(settings: Keys, { server, variables, env }: EnvironmentParts): Read<Connections> {
  const signals = signalsOf(settings, variables, env);
  const postgresql = postgresqlOf(settings.state, env);
  const servers = (server === undefined ? listed(settings) : [server]).map(one => withProxy(one, env));
  if (!('value' in signals && 'value' in postgresql && servers.every(one => 'value' in one)))
    return { problems: [signals, postgresql, ...servers].flatMap(problemsOf) };
  return {
    value: {
      ...signals.value,
      state: { path: statePath(settings, env), postgresql: postgresql.value },
      servers: servers.map(({ value }) => toServer(value.settings, value.proxy)),
    },
  };
}

/** Relative paths in the file start at its directory; those of the environment start at the working directory. */
function withAbsolutePaths(keys: Keys, fileName: string | undefined): Keys {
  if (fileName === undefined) return keys;
  const directory = dirname(fileName);
  const path = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : resolve(directory, value);
  const { servers, state, personal_data: personalData, otlp } = keys;
  const tlsPaths = ({ ca_file: ca, cert_file: cert, key_file: key }: Keys['otlp']['tls']) => ({
    ca_file: path(ca),
    cert_file: path(cert),
    key_file: path(key),
  });
  return {
    ...keys,
    servers: servers?.map(({ tls, ...server }) => ({
      ...server,
      password_file: path(server.password_file),
      assertion_file: path(server.assertion_file),
      tls: { ...tls, ca_file: path(tls.ca_file) },
    })),
    state: {
      path: path(state.path),
      postgresql: state.postgresql && {
        ...state.postgresql,
        url_file: path(state.postgresql.url_file),
        tls: tlsPaths(state.postgresql.tls),
      },
    },
    personal_data: { ...personalData, hash_key_file: path(personalData.hash_key_file) },
    otlp: { ...otlp, tls: tlsPaths(otlp.tls) },
  };
}

const settingsOf = (keys: Keys, env: Environment): Omit<Config, keyof Connections> => ({
  history: keys.history,
  abandonAfterMs: keys.abandon_after,
  maxConcurrentRequests: keys.max_concurrent_requests,
  metrics: {
    organizationLabel: keys.metrics.organization_label,
    maxOrganizations: keys.metrics.max_organizations,
    firstIncrementHold: keys.metrics.first_increment_hold,
  },
  warnings: keys.servers === undefined ? [] : ignoredVariables(env),
});

const listed = ({ servers = [] }: Keys): readonly ServerSettings[] =>
  servers.map(keys => ({ keys, login: loginOf(keys) }));

/** The schema guarantees that the keys of one kind of login are set. */
function loginOf(keys: NonNullable<Keys['servers']>[number]): ServerSettings['login'] {
  const { username = '', password_file = '', client_id, assertion_file = '' } = keys;
  return client_id === undefined
    ? { kind: 'password', username, secret: { file: password_file } }
    : { kind: 'assertion', clientId: client_id, secret: { file: assertion_file } };
}

function withProxy(settings: ServerSettings, env: Environment) {
  const { url, proxy_url: own } = settings.keys;
  const proxy: Read<ProxyConfig | undefined> = own === undefined ? proxyFor(url, env) : { value: { url: own } };
  return 'value' in proxy ? { value: { settings, proxy: proxy.value } } : proxy;
}

function toServer({ keys, login }: ServerSettings, proxy: ProxyConfig | undefined): ServerConfig {
  const { ca_file: caFile, server_fingerprint: serverFingerprint, insecure_skip_verify: insecureSkipVerify } = keys.tls;
  return {
    name: keys.name,
    url: keys.url,
    apiVersion: keys.api_version,
    login,
    tls: { caFile, serverFingerprint, insecureSkipVerify },
    proxy,
    pollIntervalMs: keys.poll_interval,
    openPollIntervalMs: keys.open_poll_interval,
    reconcileIntervalMs: keys.reconcile_interval,
    requestTimeoutMs: keys.request_timeout,
    pageSize: keys.page_size,
    resolveOwners: keys.resolve_owners,
  };
}

/** Freezes plain data at every level. A `URL` cannot be frozen. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof URL) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
