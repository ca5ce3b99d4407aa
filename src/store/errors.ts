import { ExporterError } from '../kernel/errors.js';

const moveAway = 'move it away with "vb365-exporter state quarantine" to start with a new one';
const damageAdvice = `restore a backup of it, or ${moveAway}`;
const permissionAdvice = 'let the user that runs vb365-exporter write to it and to its directory';

/** SQLite's primary result codes. Source: sqlite.org/rescode.html. */
const sqliteReasons: Readonly<Record<number, string>> = {
  1: `its schema is not what its version says; ${damageAdvice}`,
  5: 'it is in use by another process',
  8: `it is read-only; ${permissionAdvice}`,
  10: 'the disk could not read or write it',
  11: `it is damaged; ${damageAdvice}`,
  13: 'the disk is full; free space on it',
  14: `it cannot be opened; ${permissionAdvice}`,
  26: `it is not a state file, or it is damaged; ${damageAdvice}`,
};
const damageCodes: ReadonlySet<number> = new Set([1, 11, 26]);

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: `permission denied; ${permissionAdvice}`,
  EPERM: `permission denied; ${permissionAdvice}`,
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full; free space on it',
  EDQUOT: 'the disk quota is used up; free space on it',
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENOTFILE: 'it is a pipe or a device',
  ENOTDIR: 'a part of its path is not a directory',
  EEXIST: 'a part of its path is not a directory',
  NOPARENT: 'its directory cannot be created',
};

/** A failure of the state file as one line with advice; `what` is for example `Could not open state file "x"`. */
export function storeError(what: string, thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  const error: Readonly<Record<string, unknown>> = typeof thrown === 'object' ? { ...thrown } : {};
  // A stored number or key that no longer parses is damage.
  const code = thrown instanceof SyntaxError ? 11 : Number(error['errcode'] ?? 0) % 256;
  const reason = sqliteReasons[code] ?? systemReasons[String(error['code'])];
  const message = `${what}: ${reason ?? (thrown instanceof Error ? thrown.message : String(thrown))}`;
  return new ExporterError('store', message, { cause: thrown, details: { damaged: damageCodes.has(code) } });
}

/** An error for a file that this program cannot use as it is, with a first advice; the second one is to move it away. */
export const damage = (path: string, how: string, advice = 'restore a backup of it'): ExporterError =>
  new ExporterError('store', `Could not use state file "${path}": ${how}; ${advice}, or ${moveAway}`, {
    details: { damaged: true },
  });
