import type { PostgresqlConfig } from '../../config/postgresql.js';
import type { CursorRow, ServerState } from '../../pipeline/ports.js';
import type { StoredDeadLetter } from '../encoding.js';
import type { StateReader } from '../read.js';
import { longMs, requireSchema } from './admin.js';
import { inPostgresql } from './examine.js';
import { versionOf } from './schema.js';
import { PostgresqlTables } from './tables.js';

/** Reads a state that may be in use. Undefined where there is none yet. @throws {ExporterError} `store`. */
export const readPostgresql = async <T>(
  config: PostgresqlConfig,
  use: (reader: Pick<PostgresqlTables, 'state' | 'series'>) => Promise<T>,
): Promise<T | undefined> =>
  inPostgresql(
    config,
    'read',
    async query => {
      if ((await versionOf(query)) === 0) return undefined;
      await requireSchema(query);
      return use(new PostgresqlTables(query));
    },
    longMs,
  );

/** What the state says about sessions, by server, in memory; empty for any other. Replicas can run. @throws {ExporterError} `store`. */
export const readSessions = async (
  config: PostgresqlConfig,
  sessions: ReadonlyMap<string, readonly string[]>,
): Promise<Omit<StateReader, 'series'>> =>
  inPostgresql(
    config,
    'read',
    async query => {
      await requireSchema(query);
      const tables = new PostgresqlTables(query);
      const states = new Map<string, ServerState>();
      const letters = new Map<string, readonly StoredDeadLetter[]>();
      const rows = new Map<string, ReadonlyMap<string, readonly CursorRow[]>>();
      for (const [server, ids] of sessions) {
        states.set(server, await tables.state(server));
        letters.set(server, await tables.deadLetters(server));
        rows.set(
          server,
          Map.groupBy(await tables.rows(server, ids), ({ session }) => session),
        );
      }
      return {
        state: server => states.get(server) ?? { since: {}, facts: {} },
        rows: (server, ids) => ids.flatMap(id => rows.get(server)?.get(id) ?? []),
        deadLetters: server => letters.get(server) ?? [],
      };
    },
    longMs,
  );
