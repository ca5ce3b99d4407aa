import type { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { type Problem, problemsOf, type Read, readBy } from './problem.js';
import { environmentServerSchema } from './server-schema.js';

/** The environment of the process: values by variable name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment variable; text is undefined when it is not set, or empty. */
export type Variable = Readonly<{ name: string; text: string | undefined }>;

export const variable = (env: Environment, name: string): Variable => ({
  name,
  text: env[name] === '' ? undefined : env[name],
});

/** Validates variables by the keys of a schema. A problem names the variable. */
export function readVariables<S extends z.ZodType>(
  schema: S,
  variables: Readonly<Record<string, Variable>>,
): Read<z.output<S>> {
  const texts = Object.entries(variables).map(([key, { text }]) => [key, text] as const);
  const read = readBy(schema, Object.fromEntries(texts.filter(([, text]) => text !== undefined)));
  if ('value' in read) return read;
  return { problems: read.problems.map(({ path, what }) => ({ path: variables[path]?.name ?? path, what })) };
}

/** A secret, or the file that contains it. */
export type SecretSource = Readonly<{ file: string }> | Readonly<{ value: Secret }>;

/** A server from environment variables. */
export type EnvironmentServer = Readonly<{
  keys: z.output<typeof environmentServerSchema>;
  password: SecretSource;
}>;

const serverVariables = ['VB365_URL', 'VB365_USERNAME', 'VB365_PASSWORD', 'VB365_PASSWORD_FILE'] as const;

/** The variables of a server that are set. */
export const serverVariablesIn = (env: Environment): readonly string[] =>
  serverVariables.filter(name => variable(env, name).text !== undefined);

const noServer =
  'is missing; list at least one server, or set VB365_URL, VB365_USERNAME and VB365_PASSWORD or VB365_PASSWORD_FILE';

/** Reads the server that variables describe. The host of its URL becomes its name. */
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

function readPassword(env: Environment): Read<SecretSource> {
  const { text: value } = variable(env, 'VB365_PASSWORD');
  const { text: file } = variable(env, 'VB365_PASSWORD_FILE');
  if (value !== undefined && file !== undefined)
    return passwordProblem('must not be set together with VB365_PASSWORD_FILE');
  if (value !== undefined) return { value: { value: new Secret(value) } };
  return file === undefined ? passwordProblem('is missing; set it or VB365_PASSWORD_FILE') : { value: { file } };
}

const passwordProblem = (what: string): Readonly<{ problems: readonly Problem[] }> => ({
  problems: [{ path: 'VB365_PASSWORD', what }],
});

/** A valid server name from the host of a URL; for an invalid URL any name will do. */
function hostName(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const name = host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '');
  return name.slice(0, 63) || 'server';
}
