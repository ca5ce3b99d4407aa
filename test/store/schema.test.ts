import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { forget, inspect } from '../../src/store/inspect.js';
import { preflight } from '../../src/store/preflight.js';
import { quarantine } from '../../src/store/quarantine.js';
import { migrations, schemaVersion } from '../../src/store/schema.js';
import { sqliteStore } from '../../src/store/sqlite.js';

const fixtures = 'test/fixtures/state';
const root = mkdtempSync(join(tmpdir(), 'schema-'));
let path = '';
let files = 0;

beforeEach(() => {
  path = join(root, `${String((files += 1))}.db`);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

test('a migration that has landed keeps its text: files of it exist', () => {
  const hashes = migrations.map(step => createHash('sha256').update(String(step)).digest('hex').slice(0, 16));
  // Add a line for a new migration; never change one.
  expect(hashes).toEqual(['19dd53fd1402834d', '6c52381e93c1d57b', 'e04ee477f36fc3ba']);
});

describe('a state file that an earlier commit wrote', () => {
  test.each(readdirSync(fixtures).filter(name => name.startsWith('v2-')))(
    '%s opens and its counters go on',
    async name => {
      copyFileSync(join(fixtures, name), path);
      expect(preflight(path).file?.schema).toBe(2);
      const notices: unknown[] = [];
      const store = await sqliteStore({ path, notice: (...line) => void notices.push(line) });
      expect(notices).toEqual([['Migrated the state file to a newer schema', { from: 2, to: schemaVersion }]]);
      const labels = ['hq', 'contoso', 'exchange', 'Restore', 'Failed'];
      const family = 'vb365_restore_events_total';
      const deadLetter = { sink: 'logs', session: 's1', event: 'e1', reason: 'refused', at: 1n } as const;
      await store.commit({
        server: 'hq',
        deltas: [{ family, labels, kind: 'counter', by: 1, held: 1 }],
        deadLetters: [deadLetter],
      });
      const series = await store.series();
      expect(series.find(one => one.family === family)).toMatchObject({ value: 4n, held: 1n });
      expect(series).toHaveLength(3);
      expect((await store.state('hq')).facts).toEqual({ installationId: 'b1e1', changeToken: 'token' });
      expect(await store.pending('hq', 'logs')).toMatchObject([{ session: 's1', done: false }]);
      await store.close();
    },
  );
});

const spoil = async (sql: string): Promise<void> => {
  await (await sqliteStore({ path })).close();
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
};

const wayOut = 'move it away with "vb365-exporter state quarantine" to start with a new one';
const series = (key: string, kind = 'counter', value = '1'): string =>
  `INSERT INTO series (key, kind, value) VALUES ('${key}', '${kind}', '${value}')`;

describe('a file whose schema or content is not what its version says', () => {
  test.each([
    ['lacks a table', 'DROP TABLE set_aside', 'its schema lacks "set_aside.server"; restore a backup of it'],
    ['lacks a column', 'ALTER TABLE series DROP COLUMN held', 'its schema lacks "series.held"; restore a backup of it'],
    [
      'has a column of another type',
      'DROP TABLE since; CREATE TABLE since (server TEXT, sink TEXT, at TEXT, PRIMARY KEY (server, sink))',
      'its schema lacks "since.at"; restore a backup of it',
    ],
    [
      'has another key',
      'DROP TABLE fact; CREATE TABLE fact (server TEXT, name TEXT, value TEXT)',
      'lacks "fact.server"',
    ],
    [
      'cannot be migrated',
      'PRAGMA user_version = 1',
      'its schema is not what its version says; restore a backup of it',
    ],
    ['has no version', 'PRAGMA user_version = 0', 'its schema version is 0; restore a backup of it'],
    ['has a negative version', 'PRAGMA user_version = -1', 'its schema version is -1; restore a backup of it'],
    ['is of a newer version', 'PRAGMA user_version = 99', 'this program supports up to 3; run a newer version'],
    ['is of another program', 'PRAGMA application_id = 1', 'it is a database of another program; correct "state.path"'],
    ['has a series with a malformed key', series('canary'), 'it is damaged; restore a backup of it'],
    ['has a series whose key is no list', series('{}'), 'it is damaged; restore a backup of it'],
    ['has a series of an unknown kind', series('["a"]', 'canary'), 'it is damaged; restore a backup of it'],
    ['has a series without a number', series('["a"]', 'counter', ''), 'it is damaged; restore a backup of it'],
  ])('and that %s: every command says so in one line, with the way out that works', async (_, sql, how) => {
    await spoil(sql);
    const wrong = {
      reason: 'store',
      message: expect.stringMatching(/^Could not (?:open|use) state file "[^\n]*" [^\n]*$/),
    };
    const failures = [
      await sqliteStore({ path }).catch((thrown: unknown) => thrown),
      ...[preflight, inspect, (file: string) => forget(file, 'hq')].map(thrownBy),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject(wrong);
      expect(String(failure)).toContain(how);
      expect(String(failure)).toContain(wayOut);
      expect(String(failure)).not.toContain('canary');
    }
    expect(quarantine(path, 'now')).toEqual([`${path}.corrupt-now`]);
    await (await sqliteStore({ path })).close();
  });

  test('but has statistics of SQLite, opens', async () => {
    await spoil('ANALYZE');
    await (await sqliteStore({ path })).close();
  });
});

const thrownBy = (use: (file: string) => unknown): unknown => {
  try {
    return use(path);
  } catch (thrown) {
    return thrown;
  }
};
