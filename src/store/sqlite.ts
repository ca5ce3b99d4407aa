import { type BigIntStats, statSync } from 'node:fs';
import { ExporterError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { Store } from '../pipeline/ports.js';
import { transaction } from './database.js';
import { storeError } from './errors.js';
import { openForCommits } from './open.js';
import { Tables } from './tables.js';

type SqliteOptions = Readonly<{
  path: string;
  /** Logs that the file is new or was migrated. */
  notice?: Log['info'];
  /** Called for each operation that fails. */
  failed?: (operation: keyof Store) => void;
}>;

/**
 * The store in a SQLite file with mode 0600, for one process at a time. Each commit is on the disk before it returns,
 * because a counter that a power cut rolls back looks like a reset. Every operation fails while the file is deleted,
 * replaced or cut short.
 * @throws {ExporterError} `store` when the file cannot be used; an empty one never replaces it.
 */
export async function sqliteStore({ path, notice = ignore, failed = ignore }: SqliteOptions): Promise<Store> {
  const database = openForCommits(path, notice);
  const tables = new Tables(database);
  let noted = statsOf(path);
  const attempt = async <T>(operation: keyof Store, verb: string, action: () => T): Promise<T> => {
    try {
      return action();
    } catch (thrown) {
      failed(operation);
      throw storeError(`Could not ${verb} state file "${path}"`, thrown);
    }
  };
  const read = async <T>(operation: keyof Store, action: () => T): Promise<T> =>
    attempt(operation, 'read', () => {
      checkFilesKept(path, noted);
      return action();
    });
  return {
    state: async server => read('state', () => tables.state(server)),
    rows: async (server, sessions) => read('rows', () => tables.rows(server, sessions)),
    pending: async (server, sink) => read('pending', () => tables.pending(server, sink)),
    holders: async installationId => read('holders', () => tables.holders(installationId)),
    series: async servers => read('series', () => tables.series(servers)),
    commit: async change =>
      attempt('commit', 'write', () => {
        const { server: _, ...parts } = change;
        if (Object.values(parts).every(part => Object.keys(part).length === 0)) return;
        transaction(database, () => {
          tables.apply(change);
          // Last, so that a commit to files that are gone fails now or, at the latest, with the next commit.
          checkFilesKept(path, noted);
        });
        noted = statsOf(path);
      }),
    close: async () => attempt('close', 'close', () => (database.isOpen ? database.close() : undefined)),
  };
}

const ignore = (): void => undefined;

type FileStats = readonly (BigIntStats | undefined)[];

/** Of the state file and its write-ahead log; undefined when there is no such file. */
const statsOf = (path: string): FileStats =>
  [path, `${path}-wal`].map(file => statSync(file, { bigint: true, throwIfNoEntry: false }));

/**
 * A deleted file stays writable while open, and is lost when closed.
 * @throws {ExporterError} `store` when a file was deleted, replaced or cut short: neither ever shrinks in use.
 */
function checkFilesKept(path: string, noted: FileStats): void {
  const isKept = statsOf(path).every((now, index) => {
    const before = noted[index];
    if (before === undefined || now === undefined) return before === now;
    return now.dev === before.dev && now.ino === before.ino && now.size >= before.size;
  });
  if (!isKept)
    throw new ExporterError(
      'store',
      `Could not use state file "${path}": it, or its "-wal" file, was deleted, replaced or cut short while in use; put the files back, or restart to continue with the current ones`,
    );
}
