import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sinkNames } from '../../src/pipeline/ports.js';
import type { DeadLetter } from '../../src/pipeline/ports.js';
import { rejectReasons } from '../../src/model/event.js';
import { deadLetterTable } from '../../src/store/schema.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import type { ReadableStore } from './memory-store.js';

/** The dead letters in a state file, which may be in use: reads a copy of the file and of its write-ahead log. */
export function storedDeadLetters(path: string, server: string): readonly DeadLetter[] {
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
  const copy = join(folder, 'state.db');
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  const database = new DatabaseSync(copy, { readBigInts: true });
  try {
    return database
      .prepare(`SELECT sink, session, event, reason, at FROM ${deadLetterTable} WHERE server = ?`)
      .all(server)
      .map(({ sink, session, event, reason, at }) => ({
        sink: oneOf(sinkNames, sink),
        session: String(session),
        event: String(event),
        reason: oneOf(rejectReasons, reason),
        at: BigInt(String(at)),
      }));
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

export function oneOf<Name extends string>(names: readonly Name[], value: unknown): Name {
  const found = names.find(name => name === value);
  if (found === undefined) throw new Error(`"${String(value)}" is none of ${names.join(', ')}`);
  return found;
}

/** A store in a file whose dead letters a test can read. */
export const readableSqliteStore = async (path: string): Promise<ReadableStore> => ({
  ...(await sqliteStore({ path })),
  deadLetters: async server => storedDeadLetters(path, server),
});
