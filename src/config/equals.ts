import { Secret } from '../kernel/secret.js';

/** Whether two parts of configurations say the same. Secrets are compared by what they hold, and nothing of it is shown. */
export function configEquals(one: unknown, other: unknown): boolean {
  if (one instanceof Secret && other instanceof Secret) return one.equals(other);
  if (one instanceof URL && other instanceof URL) return one.href === other.href;
  if (!isPlain(one) || !isPlain(other)) return Object.is(one, other);
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Array.isArray(one) === Array.isArray(other) && [...keys].every(key => configEquals(one[key], other[key]));
}

/** A list or a mapping. Two of another kind are the same only when they are one. */
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Secret) && !(value instanceof URL);
