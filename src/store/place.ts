import { statSync } from 'node:fs';
import { ExporterError } from '../kernel/errors.js';

/** Notices that the file at a path is no longer the one that was opened there. */
export interface Place {
  /** Remembers the files as they are now, after a write of our own. */
  note(): void;
  /** @throws {ExporterError} `store` when one of them was deleted, replaced or cut short since. */
  check(): void;
}

/**
 * Watches a state file and its write-ahead log: a deleted file can be written to for as long as it is open, and all of
 * it is lost at the end.
 */
export function watchPlace(path: string): Place {
  const files = [path, `${path}-wal`];
  let noted: readonly (Mark | undefined)[] = [];
  return {
    note: () => {
      noted = files.map(markOf);
    },
    check: () => {
      if (files.map(markOf).every((mark, index) => isSame(noted[index], mark))) return;
      throw new ExporterError(
        'store',
        `Could not use state file "${path}": it, or its "-wal" file, was deleted, replaced or cut short while in use; bring the files back, or restart to go on with what is there now`,
      );
    },
  };
}

type Mark = Readonly<{ device: bigint; inode: bigint; size: bigint }>;

function markOf(file: string): Mark | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : { device: stats.dev, inode: stats.ino, size: stats.size };
}

/** Neither file ever shrinks while it is ours. */
const isSame = (noted: Mark | undefined, now: Mark | undefined): boolean =>
  noted === undefined
    ? now === undefined
    : now !== undefined && now.device === noted.device && now.inode === noted.inode && now.size >= noted.size;
