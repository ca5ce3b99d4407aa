import {
  type Environment,
  type EnvironmentServer,
  type PasswordSource,
  readEnvironmentServer,
  serverVariablesIn,
  variable,
} from './environment.js';
import { configError, problemsOf, type Read } from './problem.js';
import { readBy } from './read.js';
import { defaultStatePath, type Keys, schema } from './schema.js';
import { readSignals, type Signals } from './signals.js';
import type { History } from './units.js';
import { parseYaml } from './yaml.js';

/** A VB365 server to watch. */
export type ServerConfig = Readonly<{
  /** The `server` label; unique. */
  name: string;
  /** An origin: its path is `/`. */
  url: URL;
  apiVersion: 'v2' | 'v3' | 'v4' | 'v5' | 'v6' | 'v7' | 'v8';
  username: string;
  password: PasswordSource;
  /** Between turns while no session is open. */
  pollIntervalMs: number;
  /** Between turns while one is; not longer. */
  openPollIntervalMs: number;
  requestTimeoutMs: number;
  /** Events a page. */
  pageSize: number;
}>;

/** Everything a person may set, checked, in the units of the code. Frozen. */
export type Config = Signals &
  Readonly<{
    /** At least one. */
    servers: readonly ServerConfig[];
    history: History;
    abandonAfterMs: number;
    state: Readonly<{ path: string }>;
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
  const signals: Read<Signals> = readSignals(isMapping(document) ? document : {}, isMapping(document) ? env : {});
  if ('value' in keys && 'value' in server && 'value' in signals)
    return frozen({ ...toConfig(keys.value, server.value, env), ...signals.value });
  throw configError(failure, [keys, server, signals].flatMap(problemsOf));
}

type Document = Readonly<Record<string, unknown>>;

const isMapping = (document: unknown): document is Document =>
  typeof document === 'object' && document !== null && !Array.isArray(document);

/** The server that the environment describes, when the file lists none. */
function readServer(document: unknown, env: Environment): Read<ServerConfig | undefined> {
  if (!isMapping(document) || document['servers'] !== undefined) return { value: undefined };
  const read = readEnvironmentServer(env);
  return 'value' in read ? { value: toServer(read.value.keys, read.value.password) } : read;
}

function toConfig(
  keys: Keys,
  fromEnvironment: ServerConfig | undefined,
  env: Environment,
): Omit<Config, keyof Signals> {
  const listed = keys.servers?.map(server => toServer(server, { file: server.password_file })) ?? [];
  return {
    servers: fromEnvironment === undefined ? listed : [fromEnvironment],
    history: keys.history,
    abandonAfterMs: keys.abandon_after,
    state: { path: keys.state.path ?? variable(env, 'VB365_STATE_PATH').text ?? defaultStatePath },
    warnings: fromEnvironment === undefined ? ignored(serverVariablesIn(env)) : [],
  };
}

function toServer(keys: EnvironmentServer['keys'], password: PasswordSource): ServerConfig {
  return {
    name: keys.name,
    url: keys.url,
    apiVersion: keys.api_version,
    username: keys.username,
    password,
    pollIntervalMs: keys.poll_interval,
    openPollIntervalMs: keys.open_poll_interval,
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
