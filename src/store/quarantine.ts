import { existsSync, renameSync } from 'node:fs';
import { ExporterError } from '../kernel/errors.js';
import { openFile } from './open.js';

/** In the order in which they are moved: while the last one exists, no new state file is created. */
const suffixes = ['', '-shm', '-wal'] as const;

/**
 * Renames a damaged state file and the files of SQLite next to it, and returns the new names. Deletes nothing.
 * @param mark the end of the new names, after `.corrupt-`.
 * @throws {ExporterError} `store` when the file is not damaged, in use, or cannot be renamed.
 */
export function quarantine(path: string, mark: string): readonly string[] {
  try {
    openFile(path).close();
  } catch (thrown) {
    if (!(thrown instanceof ExporterError && thrown.details['damaged'] === true)) throw thrown;
    return suffixes.flatMap(suffix => {
      const [from, to] = [`${path}${suffix}`, `${path}.corrupt-${mark}${suffix}`];
      if (!existsSync(from)) return [];
      renameSync(from, to);
      return [to];
    });
  }
  throw new ExporterError('store', `Could not quarantine state file "${path}": it is not damaged`);
}
