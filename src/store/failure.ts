import { ExporterError } from '../kernel/errors.js';

/** What a person can do about a file that is damaged. */
export const damageAdvice =
  'bring back a copy of it, or set it aside with "vb365-exporter state quarantine" and start afresh';

/** SQLite's primary result codes that call for words of ours. Source: sqlite.org/rescode.html. */
const sqliteWords: Readonly<Record<number, string>> = {
  5: 'it is in use by another process',
  8: 'it is read-only; let the user that runs vb365-exporter write to it and to its directory',
  10: 'the disk could not read or write it',
  11: `it is damaged; ${damageAdvice}`,
  13: 'the disk is full; make room on it',
  14: 'it cannot be opened; let the user that runs vb365-exporter write to it and to its directory',
  26: `it is no state file, or damaged; ${damageAdvice}`,
};
const damageCodes: ReadonlySet<number> = new Set([11, 26]);

/** The same for what the file system says. */
const systemWords: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; let the user that runs vb365-exporter write to it and to its directory',
  EPERM: 'permission denied; let the user that runs vb365-exporter write to it and to its directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full; make room on it',
  EDQUOT: 'the quota of its disk is used up; make room on it',
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  EEXIST: 'a part of its path is no directory',
};

/** A failure of the state file, as one line with what to do; `what` is such as `Could not open state file "x"`. */
export function storeError(what: string, thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  const code = sqliteCode(thrown);
  const damaged = damageCodes.has(code) || isNonsense(thrown);
  const why = isNonsense(thrown) ? sqliteWords[11] : (sqliteWords[code] ?? systemWords[systemCode(thrown)]);
  return new ExporterError('store', `${what}: ${why ?? textOf(thrown)}`, { cause: thrown, details: { damaged } });
}

/** A file whose content is not what was written to it. */
export const damage = (path: string, how: string): ExporterError =>
  new ExporterError('store', `Could not use state file "${path}": ${how}; ${damageAdvice}`, {
    details: { damaged: true },
  });

/** Whether a failure says that the file itself is damaged, rather than that it cannot be used as things are. */
export const isDamage = ({ details }: ExporterError): boolean => details['damaged'] === true;

const isObject = (thrown: unknown): thrown is Readonly<Record<string, unknown>> =>
  typeof thrown === 'object' && thrown !== null;
/** SQLite's primary result code; 0 for any other error. */
export const sqliteCode = (thrown: unknown): number => (isObject(thrown) ? Number(thrown['errcode'] ?? 0) % 256 : 0);
const systemCode = (thrown: unknown): string =>
  isObject(thrown) && typeof thrown['code'] === 'string' ? thrown['code'] : '';
/** A number or a key that was written as one and is none any more. */
const isNonsense = (thrown: unknown): boolean => thrown instanceof SyntaxError;
const textOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
