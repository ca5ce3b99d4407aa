import type { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { problemsOf, type Read, readBy } from './problem.js';
import { environmentServerSchema } from './server-schema.js';

/** The environment of the process: values by variable name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment variable; text is undefined when it is not set, or empty. */
export type Variable = Readonly<{ name: string; text: string | undefined }>;

/** Without the line end: from a file of Windows, `docker run --env-file` keeps the half of it. */
export function variable(env: Environment, name: string): Variable {
  const text = env[name]?.replace(/[\r\n]+$/, '');
  return { name, text: text === '' ? undefined : text };
}

/** Validates variables by the keys of a schema. A problem names the variable. */
export function readVariables<S extends z.ZodType>(
  schema: S,
  variables: Readonly<Record<string, Variable>>,
): Read<z.output<S>> {
  const texts = Object.entries(variables).map(([key, { text }]) => [key, text]);
  const read = readBy(schema, Object.fromEntries(texts));
  if ('value' in read) return read;
  return { problems: read.problems.map(({ path, what }) => ({ path: variables[path]?.name ?? path, what })) };
}

/** A secret, or the file that contains it. */
export type SecretSource = Readonly<{ file: string }> | Readonly<{ value: Secret }>;

type LoginConfig =
  | Readonly<{ kind: 'password'; username: string; secret: SecretSource }>
  | Readonly<{ kind: 'assertion'; clientId: string; secret: SecretSource }>;

/** The settings of a server. */
export type ServerSettings = Readonly<{
  keys: Omit<z.output<typeof environmentServerSchema>, 'username'>;
  login: LoginConfig;
}>;

/** The variables of a server that are set. */
const serverVariablesIn = (env: Environment): readonly string[] =>
  ['VB365_URL', 'VB365_USERNAME', 'VB365_PASSWORD', 'VB365_PASSWORD_FILE'].filter(
    name => variable(env, name).text !== undefined,
  );

/** A warning about variables of a server that have no effect, when there are any. */
export function ignoredVariables(env: Environment): readonly string[] {
  const names = serverVariablesIn(env);
  return names.length === 0 ? [] : [`Ignoring ${names.join(', ')}: the configuration file lists servers`];
}

const noServer =
  'is missing; list at least one server, or set VB365_URL, VB365_USERNAME and VB365_PASSWORD or VB365_PASSWORD_FILE';

/** Reads the server that variables describe. The host of its URL becomes its name. */
export function readEnvironmentServer(env: Environment): Read<ServerSettings> {
  if (serverVariablesIn(env).length === 0) return { problems: [{ path: 'servers', what: noServer }] };
  const url = variable(env, 'VB365_URL');
  const keys = readVariables(environmentServerSchema, {
    name: { name: 'VB365_URL', text: hostName(url.text ?? '') },
    url,
    username: variable(env, 'VB365_USERNAME'),
  });
  const secret = readPassword(env);
  if (!('value' in keys && 'value' in secret)) return { problems: [keys, secret].flatMap(problemsOf) };
  const login = { kind: 'password', username: keys.value.username, secret: secret.value } as const;
  return { value: { keys: keys.value, login } };
}

function readPassword(env: Environment): Read<SecretSource> {
  const { text: value } = variable(env, 'VB365_PASSWORD');
  const { text: file } = variable(env, 'VB365_PASSWORD_FILE');
  if (value !== undefined && file === undefined) return { value: { value: new Secret(value) } };
  if (value === undefined && file !== undefined) return { value: { file } };
  const missing = 'is missing; set it or VB365_PASSWORD_FILE';
  const what = value === undefined ? missing : 'must not be set together with VB365_PASSWORD_FILE';
  return { problems: [{ path: 'VB365_PASSWORD', what }] };
}

/** A valid server name from the host of a URL; for an invalid URL any name will do. */
function hostName(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const name = host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '');
  return name.slice(0, 63) || 'server';
}
