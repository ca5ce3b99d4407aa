import {
  type Environment,
  type EnvironmentServer,
  type SecretSource,
  readEnvironmentServer,
  serverVariablesIn,
  variable,
} from './environment.js';
import type { ApiVersion } from '../model/api-versions.js';
import { configError, problemsOf, type Read } from './problem.js';
import { proxied, type ProxyConfig, readProxy } from './proxy.js';
import { readBy } from './read.js';
import { defaultStatePath, type Keys, schema } from './schema.js';
import { readSignals, type Signals } from './otlp-settings.js';
import type { History } from './units.js';
import { parseYaml } from './yaml.js';

/** How to log in. */
export type LoginConfig =
  | Readonly<{ kind: 'password'; username: string; secret: SecretSource }>
  | Readonly<{ kind: 'assertion'; clientId: string; secret: SecretSource }>;

/** A VB365 server to watch. */
export type ServerConfig = Readonly<{
  /** The `server` label; unique. */
  name: string;
  /** An origin: its path is `/`. */
  url: URL;
  apiVersion: ApiVersion | 'auto';
  login: LoginConfig;
  /** One of them at most; none for `http:`. */
  tls: Readonly<{ caFile: string | undefined; serverFingerprint: string | undefined; insecureSkipVerify: boolean }>;
  proxy: ProxyConfig | undefined;
  /** Between turns while no session is open. */
  pollIntervalMs: number;
  /** Between turns while one is; not longer. */
  openPollIntervalMs: number;
  /** Between lists while a change feed is followed. */
  reconcileIntervalMs: number;
  requestTimeoutMs: number;
  /** Events a page. */
  pageSize: number;
}>;

/** What is served at `/metrics`. */
export type MetricsConfig = Readonly<{
  organizationLabel: boolean;
  /** For each server. */
  maxOrganizations: number;
  firstIncrementHold: boolean;
}>;

/** Everything a person may set, checked, in the units of the code. Frozen. */
export type Config = Signals &
  Readonly<{
    /** At least one. */
    servers: readonly ServerConfig[];
    history: History;
    abandonAfterMs: number;
    /** Over all servers; long polls do not count. */
    maxConcurrentRequests: number;
    state: Readonly<{ path: string }>;
    metrics: MetricsConfig;
    /** What a person should be told, one sentence each; nothing stops. */
    warnings: readonly string[];
  }>;

/** What the configuration is made from: the text of a file, its name for messages, the environment. */
export type ConfigInput = Readonly<{ file?: string | undefined; fileName?: string | undefined; env: Environment }>;

/**
 * Makes the configuration. The file wins over the environment, setting by setting; a server comes from the environment
 * only when the file has none.
 * @throws {ExporterError} `config`, with one line for each wrong setting, never with a value.
 */
export function parseConfig({ file = '', fileName, env }: ConfigInput): Config {
  const failure = `Could not read the configuration${fileName === undefined ? '' : ` "${fileName}"`}`;
  const document = parseYaml(file, failure);
  const keys = readBy(schema, document);
  const server = readServer(document, env);
  const proxy = readProxy(env);
  const signals: Read<Signals> = readSignals(isMapping(document) ? document : {}, isMapping(document) ? env : {});
  if ('value' in keys && 'value' in server && 'value' in signals && 'value' in proxy) {
    const { servers, ...rest } = toConfig(keys.value, server.value, env);
    return frozen({ ...rest, servers: servers.map(one => proxied(one, proxy.value)), ...signals.value });
  }
  throw configError(failure, [keys, server, signals, proxy].flatMap(problemsOf));
}

type Document = Readonly<Record<string, unknown>>;

const isMapping = (document: unknown): document is Document =>
  typeof document === 'object' && document !== null && !Array.isArray(document);

/** The server that the environment describes, when the file lists none. */
function readServer(document: unknown, env: Environment): Read<ServerConfig | undefined> {
  if (!isMapping(document) || document['servers'] !== undefined) return { value: undefined };
  const read = readEnvironmentServer(env);
  return 'value' in read ? { value: environmentServer(read.value) } : read;
}

function toConfig(
  keys: Keys,
  fromEnvironment: ServerConfig | undefined,
  env: Environment,
): Omit<Config, keyof Signals> {
  const listed = keys.servers?.map(server => toServer(server, loginOf(server))) ?? [];
  return {
    servers: fromEnvironment === undefined ? listed : [fromEnvironment],
    history: keys.history,
    abandonAfterMs: keys.abandon_after,
    maxConcurrentRequests: keys.max_concurrent_requests,
    state: { path: keys.state.path ?? variable(env, 'VB365_STATE_PATH').text ?? defaultStatePath },
    metrics: toMetrics(keys.metrics),
    warnings: fromEnvironment === undefined ? ignored(serverVariablesIn(env)) : [],
  };
}

const toMetrics = (keys: Keys['metrics']): MetricsConfig => ({
  organizationLabel: keys.organization_label,
  maxOrganizations: keys.max_organizations,
  firstIncrementHold: keys.first_increment_hold,
});

const environmentServer = ({ keys, password }: EnvironmentServer): ServerConfig =>
  toServer(keys, { kind: 'password', username: keys.username, secret: password });

type ServerKeys = NonNullable<Keys['servers']>[number];

/** The keys that belong together are all there, as the schema has seen to. */
function loginOf({ username = '', password_file = '', client_id, assertion_file = '' }: ServerKeys): LoginConfig {
  return client_id === undefined
    ? { kind: 'password', username, secret: { file: password_file } }
    : { kind: 'assertion', clientId: client_id, secret: { file: assertion_file } };
}

type CommonKeys = Omit<EnvironmentServer['keys'], 'username'>;

function toServer(keys: CommonKeys, login: LoginConfig): ServerConfig {
  const { ca_file: caFile, server_fingerprint: serverFingerprint, insecure_skip_verify: insecureSkipVerify } = keys.tls;
  return {
    name: keys.name,
    url: keys.url,
    apiVersion: keys.api_version,
    login,
    tls: { caFile, serverFingerprint, insecureSkipVerify },
    proxy: keys.proxy_url === undefined ? undefined : { url: keys.proxy_url, noProxy: '' },
    pollIntervalMs: keys.poll_interval,
    openPollIntervalMs: keys.open_poll_interval,
    reconcileIntervalMs: keys.reconcile_interval,
    requestTimeoutMs: keys.request_timeout,
    pageSize: keys.page_size,
  };
}

const ignored = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`Ignored ${names.join(', ')}: the configuration file lists servers`];

/** Freezes plain data all the way down. A `URL` cannot be frozen; a `Secret` has nothing to freeze. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof URL) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
