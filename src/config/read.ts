import type { z } from 'zod';
import { type Described, described, itemsOf, propertiesOf } from './described.js';
import { inOurWords, nearest, pathText, type Problem, type Read } from './problem.js';

/** Reads `input` by a schema: all problems at once, none with a value. */
export function readBy<S extends z.ZodType>(schema: S, input: unknown): Read<z.output<S>> {
  const parsed = schema.safeParse(input, { error: inOurWords });
  if (parsed.success) return { value: parsed.data };
  return { problems: parsed.error.issues.flatMap(issue => problemsIn(schema, issue)) };
}

function problemsIn(schema: z.ZodType, issue: z.core.$ZodIssue): readonly Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => unknownKey([...issue.path, key], key, keysAt(schema, issue.path)));
  const what = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ path: pathText(issue.path) || 'the file', what }];
}

function unknownKey(path: readonly PropertyKey[], key: string, known: readonly string[]): Problem {
  const meant = nearest(key, known);
  const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`;
  return { path: pathText(path), what: `unknown key; ${hint}` };
}

const stepInto = (at: Described, step: PropertyKey): Described =>
  (typeof step === 'number' ? itemsOf(at) : propertiesOf(at)[String(step)]) ?? {};

const keysAt = (schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] =>
  Object.keys(propertiesOf(path.reduce(stepInto, described(schema))));

/** A setting that an environment variable gives, or does not. */
export type Variable = Readonly<{ name: string; text: string | undefined }>;

/** Reads variables by a schema whose keys they stand for; a problem is named by its variable. */
export function readVariables<S extends z.ZodType>(
  schema: S,
  variables: Readonly<Record<string, Variable>>,
): Read<z.output<S>> {
  const texts = Object.entries(variables).map(([key, { text }]) => [key, text] as const);
  const read = readBy(schema, Object.fromEntries(texts.filter(([, text]) => text !== undefined)));
  if ('value' in read) return read;
  return { problems: read.problems.map(({ path, what }) => ({ path: variables[path]?.name ?? path, what })) };
}
