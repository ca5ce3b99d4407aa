import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { preflight } from '../../src/store/preflight.js';
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

describe('a file whose schema is not what its version says', () => {
  test.each([
    ['a table', 'DROP TABLE set_aside', 'set_aside.server'],
    ['a column', 'ALTER TABLE series DROP COLUMN held', 'series.held'],
  ])('lacks %s: start and doctor say so in one line, with the way out', async (_, sql, part) => {
    await spoil(sql);
    const message = `Could not use state file "${path}": its schema lacks "${part}"; restore a backup of it, or move it away with "vb365-exporter state quarantine" to start with a new one`;
    await expect(sqliteStore({ path })).rejects.toMatchObject({ reason: 'store', message });
    expect(() => preflight(path)).toThrow(message);
  });
});
