import type { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { type Problem, problemsOf, type Read } from './problem.js';
import { readVariables, type Variable } from './read.js';
import { environmentServerSchema } from './schema.js';

/** The environment of the process: values by variable name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable of the environment; an empty one counts as not set. */
export function variable(env: Environment, name: string): Variable {
  const text = env[name];
  return { name, text: text === '' ? undefined : text };
}

/** A secret, or the file that holds it. */
export type SecretSource = Readonly<{ file: string }> | Readonly<{ value: Secret }>;

/** A server's keys but its password, and where that is. */
export type EnvironmentServer = Readonly<{
  keys: z.output<typeof environmentServerSchema>;
  password: SecretSource;
}>;

const serverVariables = ['VB365_URL', 'VB365_USERNAME', 'VB365_PASSWORD', 'VB365_PASSWORD_FILE'] as const;

/** The variables that are set and describe a server. */
export const serverVariablesIn = (env: Environment): readonly string[] =>
  serverVariables.filter(name => variable(env, name).text !== undefined);

/** Reads the one server that variables describe, named by the host in its URL. */
export function readEnvironmentServer(env: Environment): Read<EnvironmentServer> {
  if (serverVariablesIn(env).length === 0) return { problems: [{ path: 'servers', what: noServer }] };
  const url = variable(env, 'VB365_URL');
  const keys = readVariables(environmentServerSchema, {
    name: { name: 'VB365_URL', text: hostName(url.text ?? '') },
    url,
    username: variable(env, 'VB365_USERNAME'),
  });
  const password = readPassword(env);
  if ('value' in keys && 'value' in password) return { value: { keys: keys.value, password: password.value } };
  return { problems: [...problemsOf(keys), ...problemsOf(password)] };
}

const noServer =
  'is missing; list at least one server, or set VB365_URL, VB365_USERNAME and VB365_PASSWORD or VB365_PASSWORD_FILE';

function readPassword(env: Environment): Read<SecretSource> {
  const { text: value } = variable(env, 'VB365_PASSWORD');
  const { text: file } = variable(env, 'VB365_PASSWORD_FILE');
  if (value !== undefined && file !== undefined) return refusal('must not be set beside VB365_PASSWORD_FILE');
  if (value !== undefined) return { value: { value: new Secret(value) } };
  return file === undefined ? refusal('is missing; set it or VB365_PASSWORD_FILE') : { value: { file } };
}

const refusal = (what: string): { problems: readonly Problem[] } => ({ problems: [{ path: 'VB365_PASSWORD', what }] });

/** A server's name made of the host of its URL; some name when there is none, because the URL is refused anyway. */
function hostName(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const name = host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '');
  return name.slice(0, 63) || 'server';
}

/** Every variable that counts, and what it says; in the order of the documentation. */
export const environmentVariables: ReadonlyArray<Readonly<{ name: string; meaning: string }>> = [
  { name: 'VB365_CONFIG_FILE', meaning: 'The configuration file, unless `--config.file` names it.' },
  { name: 'VB365_URL', meaning: 'The server, as `servers[].url`; the host in it becomes the `name`.' },
  { name: 'VB365_USERNAME', meaning: 'As `servers[].username`.' },
  { name: 'VB365_PASSWORD', meaning: 'The password itself.' },
  { name: 'VB365_PASSWORD_FILE', meaning: 'As `servers[].password_file`; in place of `VB365_PASSWORD`.' },
  { name: 'VB365_STATE_PATH', meaning: 'As `state.path`.' },
  {
    name: 'HTTPS_PROXY',
    meaning: 'As `servers[].proxy_url`, for every server with `https://` that has none; may hold credentials.',
  },
  {
    name: 'NO_PROXY',
    meaning: 'Hosts to reach without `HTTPS_PROXY`: `example.com,.internal,10.0.0.5:4443`, or `*`.',
  },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', meaning: 'As `otlp.endpoint`.' },
  { name: 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', meaning: 'The complete URL that logs are sent to; nothing is appended.' },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    meaning: 'The complete URL that traces are sent to; nothing is appended.',
  },
  { name: 'OTEL_EXPORTER_OTLP_PROTOCOL', meaning: 'As `otlp.protocol`.' },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    meaning: 'Headers to send along: `name=value,name2=value2`, percent-encoded. Those of `otlp.headers` win by name.',
  },
  { name: 'OTEL_EXPORTER_OTLP_COMPRESSION', meaning: 'As `otlp.compression`.' },
  { name: 'OTEL_EXPORTER_OTLP_TIMEOUT', meaning: 'As `otlp.timeout`, but a whole number of milliseconds.' },
  { name: 'OTEL_EXPORTER_OTLP_CERTIFICATE', meaning: 'As `otlp.tls.ca_file`.' },
  { name: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', meaning: 'As `otlp.tls.cert_file`.' },
  { name: 'OTEL_EXPORTER_OTLP_CLIENT_KEY', meaning: 'As `otlp.tls.key_file`.' },
];
