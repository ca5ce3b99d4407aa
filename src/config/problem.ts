import { z } from 'zod';
import { ExporterError } from '../kernel/errors.js';

/** What is wrong with a setting; never contains a value. */
export type Problem = Readonly<{ path: string; what: string }>;

/** A value, or every reason why there is none. */
export type Read<T> = Readonly<{ value: T }> | Readonly<{ problems: readonly Problem[] }>;

export const problemsOf = (read: Read<unknown>): readonly Problem[] => ('problems' in read ? read.problems : []);

/** All problems as one error: the first line says what failed, each further line names one setting. */
export function configError(failure: string, problems: readonly Problem[]): ExporterError {
  const lines = new Set(problems.map(({ path, what }) => `- ${path}: ${what}`));
  return new ExporterError('config', [`${failure}:`, ...lines].join('\n'));
}

/** Validates `input` and reports all problems at once. */
export function readBy<S extends z.ZodType>(schema: S, input: unknown): Read<z.output<S>> {
  const parsed = schema.safeParse(input, { error: messageOf });
  if (parsed.success) return { value: parsed.data };
  return { problems: parsed.error.issues.flatMap(issue => problemsIn(schema, issue)) };
}

const expectations: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
  string: 'text',
};

const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** The message of a zod issue; undefined for the message of the schema. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_small') return `must be at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `must be at most ${String(issue.maximum)}`;
  if (issue.code !== 'invalid_type' && issue.code !== 'invalid_value') return undefined;
  if (issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_value') return `must be ${alternatives.format(issue.values.map(String))}`;
  const hint = issue.expected === 'string' && typeof issue.input !== 'object' ? '; write it in quotes' : '';
  return `must be ${expectations[issue.expected] ?? issue.expected}${hint}`;
}

function problemsIn(schema: z.ZodType, issue: z.core.$ZodIssue): readonly Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({
      path: pathText([...issue.path, key]),
      what: `unknown key; ${hintFor(key, keysAt(schema, issue.path))}`,
    }));
  const what = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ path: pathText(issue.path) || 'the file', what }];
}

/** A path as in `servers[0].url`. A step that cannot be the name of a key is not repeated: it may be a secret. */
function pathText(path: readonly PropertyKey[]): string {
  const steps = path.map(step => {
    if (typeof step === 'number') return `[${String(step)}]`;
    return /^(?:[\w-]{1,64}|<<)$/.test(String(step)) ? `.${String(step)}` : '.?';
  });
  return steps.join('').replace(/^\./, '');
}

/** The keys of the mapping at a path of a schema. */
function keysAt(schema: z.core.$ZodType, [step, ...rest]: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    return keysAt(schema.unwrap(), step === undefined ? [] : [step, ...rest]);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  const inner: unknown = step === undefined ? undefined : schema.shape[String(step)];
  return inner instanceof z.ZodType ? keysAt(inner, rest) : Object.keys(schema.shape);
}

/** Suggests the key that a misspelt one most likely stands for: at most two letters differ, or it is the beginning. */
function hintFor(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map(key => ({ key, off: key.startsWith(`${name}_`) ? 1 : distance(name, key) }))
    .filter(({ off, key }) => off <= 2 && off < key.length / 2)
    .sort((a, b) => a.off - b.off);
  return nearest === undefined ? `known keys are ${known.join(', ')}` : `did you mean "${nearest.key}"?`;
}

/** Levenshtein distance: the number of letters to add, remove or change. Infinite when that is more than `most`. */
function distance(from: string, to: string, most = 2): number {
  if (from === to) return 0;
  if (most === 0) return Infinity;
  const [fromRest, toRest] = [from.slice(1), to.slice(1)];
  if (from[0] === to[0]) return distance(fromRest, toRest, most);
  const changes = [
    [fromRest, to],
    [from, toRest],
    [fromRest, toRest],
  ] as const;
  return 1 + Math.min(...changes.map(([left, right]) => distance(left, right, most - 1)));
}
