import type { z } from 'zod';
import { ExporterError } from '../kernel/errors.js';

/** Something wrong with the configuration: where, and what, without any value. */
export type Problem = Readonly<{ path: string; what: string }>;

/** What was read, or every reason why not. */
export type Read<T> = Readonly<{ value: T }> | Readonly<{ problems: readonly Problem[] }>;

export const problemsOf = (read: Read<unknown>): readonly Problem[] => ('problems' in read ? read.problems : []);

const nouns: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
  string: 'text',
};

const listed = (values: readonly unknown[]): string => {
  const words = values.map(String);
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
};

/** zod's findings in our words. Undefined leaves it to the words of the schema. */
export function inOurWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return ofType(issue.expected, issue.input);
  if (issue.code === 'invalid_value')
    return issue.input === undefined ? 'is missing' : `must be ${listed(issue.values)}`;
  if (issue.code === 'too_small') return `must be at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `must be at most ${String(issue.maximum)}`;
  return undefined;
}

function ofType(expected: string, input: unknown): string {
  if (input === undefined) return 'is missing';
  const hint = expected === 'string' && typeof input !== 'object' ? '; put it in quotes' : '';
  return `must be ${nouns[expected] ?? expected}${hint}`;
}

/** Writes the way to a key, as in `servers[0].url`. What could not be a key's name is not repeated. */
export function pathText(path: readonly PropertyKey[]): string {
  const steps = path.map(step => {
    if (typeof step === 'number') return `[${String(step)}]`;
    const name = String(step);
    return /^[\w-]{1,64}$/.test(name) ? `.${name}` : '.?';
  });
  return steps.join('').replace(/^\./, '');
}

/** All problems as one error: the first line says what failed, each further line names one setting. */
export const configError = (what: string, problems: readonly Problem[]): ExporterError =>
  new ExporterError('config', [`${what}:`, ...problems.map(({ path, what: why }) => `- ${path}: ${why}`)].join('\n'));

/** The known name that a misspelt one most likely stands for: two letters off at most, or its beginning. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const close = known
    .map(candidate => ({ candidate, off: candidate.startsWith(`${name}_`) ? 1 : distance(name, candidate) }))
    .filter(({ off, candidate }) => off <= 2 && off < candidate.length / 2);
  return close.sort((a, b) => a.off - b.off)[0]?.candidate;
}

/** Levenshtein distance: how many letters to add, drop or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split('').entries()) row = nextRow(row, index + 1, { letter, to });
  return row[to.length] ?? 0;
}

function nextRow(above: readonly number[], first: number, { letter, to }: { letter: string; to: string }): number[] {
  const row = [first];
  for (let column = 1; column < above.length; column += 1) {
    const change = (above[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
    row.push(Math.min((above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1, change));
  }
  return row;
}
