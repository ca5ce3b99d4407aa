import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExporterError } from '../kernel/errors.js';
import { storeError } from './errors.js';
import { withFile } from './open.js';
import { migrate } from './schema.js';
import { Tables } from './tables.js';

/** What of a state commands read. Empty for an unknown server. */
export type StateReader = Pick<Tables, 'state' | 'rows' | 'deadLetters' | 'series'>;

/** A copy that is made while the exporter commits may be torn. */
const attempts = 5;

/**
 * Reads a state file that may be in use: a copy of it and of its write-ahead log.
 * @throws {ExporterError} `store` when it cannot be used.
 */
export function readState<T>(path: string, use: (reader: StateReader) => T): T {
  for (let attempt = 1; ; attempt += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'vb365-exporter-'));
    try {
      const copy = join(folder, 'state.db');
      copyFiles(path, copy);
      return withFile(copy, database => {
        migrate(database);
        const tables = new Tables(database);
        return use({
          state: server => tables.state(server),
          rows: (server, sessions) => tables.rows(server, sessions),
          deadLetters: server => tables.deadLetters(server),
          series: servers => tables.series(servers),
        });
      });
    } catch (thrown) {
      if (attempt === attempts) throw ofOriginal(thrown, folder, path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The error about the file, not about its copy. */
function ofOriginal(thrown: unknown, folder: string, path: string): unknown {
  if (!(thrown instanceof ExporterError)) return thrown;
  const { reason, message, details } = thrown;
  return new ExporterError(reason, message.replaceAll(join(folder, 'state.db'), path), { details, cause: thrown });
}

function copyFiles(path: string, copy: string): void {
  try {
    copyFileSync(path, copy);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  } catch (thrown) {
    throw storeError(`Could not read state file "${path}"`, thrown);
  }
}
