import { existsSync, renameSync } from 'node:fs';
import { ExporterError } from '../kernel/errors.js';
import { isDamage } from './failure.js';
import { openFile } from './open.js';

/** The files of a state, in the order in which they are moved: while the last one is there, no new state is begun. */
const suffixes = ['', '-shm', '-wal'] as const;

/**
 * Moves a damaged state file aside, with all that belongs to it, and answers the new names. Nothing is deleted.
 * @param mark what the new names end in, behind `.corrupt-`.
 * @throws {ExporterError} `store` when the file is not damaged, in use, or cannot be moved.
 */
export function quarantine(path: string, mark: string): readonly string[] {
  const damaged = damageOf(path);
  if (damaged === undefined)
    throw new ExporterError('store', `Left state file "${path}" where it is: it is not damaged`);
  if (!isDamage(damaged)) throw damaged;
  return suffixes.flatMap(suffix => {
    const [from, to] = [`${path}${suffix}`, `${path}.corrupt-${mark}${suffix}`];
    if (!existsSync(from)) return [];
    renameSync(from, to);
    return [to];
  });
}

/** Why the file cannot be used; undefined when it can. */
function damageOf(path: string): ExporterError | undefined {
  try {
    openFile(path).close();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ExporterError) return thrown;
    throw thrown;
  }
}
