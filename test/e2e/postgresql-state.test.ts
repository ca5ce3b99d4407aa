import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from '../../src/cli/doctor-checks.js';
import { stateCheck } from '../../src/cli/doctor-local.js';
import { runCli } from '../../src/cli/program.js';
import type { Config } from '../../src/config/parse.js';
import type { Store } from '../../src/pipeline/ports.js';
import { openPool } from '../../src/store/postgresql/connect.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { contentsOf, counter, row } from '../store/conformance.js';
import { readableSqliteStore } from '../support/dead-letters.js';
import { inFolder } from '../support/folder.js';
import { leasedStore, readablePostgresqlStore } from '../support/postgresql-store.js';
import { password, type Postgresql, startPostgresql, stateIn, urlOf } from './support/postgresql.js';

let database: Postgresql;
let name: string;
let said: string[] = [];

beforeAll(async () => {
  database = await startPostgresql();
});
afterAll(async () => database.remove());
beforeEach(async () => {
  name = await database.createDatabase();
  said = [];
});

/** Runs `state ...` with the state in PostgreSQL. */
async function state(folder: string, ...argv: readonly string[]): Promise<number> {
  const file = join(folder, 'vb365-exporter.yaml');
  const server = { name: 'hq', url: 'https://vb365.example.com:4443', username: 'u', password_file: '/none' };
  const postgresql = { url: urlOf(database.port, name) };
  writeFileSync(file, JSON.stringify({ servers: [server], state: { postgresql } }));
  const code = await runCli(['state', ...argv, '--config.file', file], {
    env: {},
    print: line => void said.push(line),
    printError: line => void said.push(line),
    stop: new AbortController().signal,
    outputClosed: new AbortController().signal,
    onReload: () => undefined,
    version: '0.0.0',
  });
  expect(said.join('\n')).not.toContain(password);
  return code;
}

const pool = async () => openPool(stateIn(database.port, name));
const letter = { sink: 'logs', session: 's1', event: 'e1', reason: 'refused', at: 5n } as const;

const of = (server: string) => [
  { ...counter(7), labels: [server, 'é "'], held: 3 },
  { family: 'h', labels: [server], kind: 'histogram', counts: [1, 0, 2], sumTicks: 2n ** 70n } as const,
  { family: 'l', labels: [server], kind: 'latest', at: -5n } as const,
];

/** What every kind of row holds, of two servers and an archive. */
async function fill(store: Store): Promise<void> {
  for (const server of ['hq', 'branch'])
    await store.commit({
      server,
      since: { metrics: 1_700_000_000_123_456_789n, logs: -1n },
      facts: { installationId: `i-${server}`, apiVersion: 'v8', changeToken: 't' },
      rows: [row(), row({ session: 's2', done: true }), row({ sink: 'logs', cursor: "'; ✓" })],
      deltas: of(server),
      deadLetters: [letter],
    });
  await store.commit({ server: 'hq', moves: [{ from: 'branch', to: 'hq@old' }] });
}

const everything = async (store: Parameters<typeof contentsOf>[0]): Promise<unknown> =>
  contentsOf(store, ['hq', 'branch', 'hq@old'], ['s1', 's2']);

describe('state copy', () => {
  test('moves everything to PostgreSQL, and back to a file', async () => {
    await inFolder(async folder => {
      const [path, back] = [join(folder, 'state.db'), join(folder, 'back.db')];
      const file = await readableSqliteStore(path);
      await fill(file);
      const before = await everything(file);
      await file.close();
      expect(await state(folder, 'copy', '--from', `sqlite:${path}`, '--to', 'postgresql:')).toBe(0);
      expect(said[0]).toBe('Copied 6 cursors, 6 series and 12 other rows');
      const copied = await readablePostgresqlStore(await pool());
      expect(await everything(copied)).toEqual(before);
      await copied.close();
      expect(await state(folder, 'copy', '--from', urlOf(database.port, name), '--to', `sqlite:${back}`)).toBe(0);
      const again = await readableSqliteStore(back);
      expect(await everything(again)).toEqual(before);
      await again.close();
    });
  });

  test('copies more rows than fit in one statement', async () => {
    await inFolder(async folder => {
      const [path, back] = [join(folder, 'state.db'), join(folder, 'back.db')];
      const file = await sqliteStore({ path });
      await file.commit({ server: 'hq', rows: Array.from({ length: 12_345 }, (_, n) => row({ session: String(n) })) });
      await file.close();
      expect(await state(folder, 'copy', '--from', `sqlite:${path}`, '--to', 'postgresql:')).toBe(0);
      expect(await state(folder, 'copy', '--from', 'postgresql:', '--to', `sqlite:${back}`)).toBe(0);
      const again = await sqliteStore({ path: back });
      expect(await again.pending('hq', 'metrics')).toHaveLength(12_345);
      await again.close();
    });
  });

  test('refuses what would overwrite a state, or copy one in use, and leaves nothing behind', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      const toDatabase = ['copy', '--from', `sqlite:${path}`, '--to', 'postgresql:'];
      expect(await state(folder, ...toDatabase)).toBe(1);
      expect(said.splice(0)).toEqual([`Could not copy state file "${path}": there is no such file`]);
      const file = await sqliteStore({ path });
      await fill(file);
      expect(await state(folder, ...toDatabase)).toBe(1);
      expect(said.splice(0)).toEqual([`Could not open state file "${path}": it is in use by another process`]);
      await file.close();
      const running = await leasedStore(await pool());
      await running.commit({ server: 'hq', rows: [row()] });
      const toFile = ['copy', '--from', 'postgresql:', '--to', `sqlite:${join(folder, 'new.db')}`];
      for (const argv of [toDatabase, toFile]) {
        expect(await state(folder, ...argv)).toBe(1);
        expect(said.splice(0)).toEqual([expect.stringContaining('replica "one" reads server "hq"; stop it')]);
      }
      expect(existsSync(join(folder, 'new.db'))).toBe(false);
      await running.leases.leave();
      await running.close();
      expect(await state(folder, ...toDatabase)).toBe(1);
      expect(said.splice(0)).toEqual([expect.stringContaining('it holds one already')]);
      expect(await state(folder, 'copy', '--from', 'postgresql:', '--to', `sqlite:${path}`)).toBe(1);
      expect(said.splice(0)).toEqual([`Could not copy to state file "${path}": it exists already`]);
      expect(await state(folder, 'copy', '--from', 'postgresql:', '--to', 'postgresql:')).toBe(2);
    });
  });
});

describe('state show and state forget', () => {
  test('work on PostgreSQL as on a file', async () => {
    await inFolder(async folder => {
      const store = await leasedStore(await pool());
      await fill(store);
      expect(await state(folder, 'show')).toBe(0);
      const shown = said.splice(0).join('\n');
      expect(shown).toMatch(/^State in PostgreSQL: schema 1, \d+ bytes\n/);
      expect(shown).toContain(
        'hq\n  installation: i-hq\n  API version: v8\n  metrics: since 2023-11-14T22:13:20.1234567Z, sessions 1 pending, 1 done',
      );
      expect(shown).toContain('hq, archived\n  installation: i-branch');
      expect(await state(folder, 'forget', '--server', 'hq')).toBe(1);
      expect(said.splice(0)).toEqual([expect.stringContaining('replica "one" reads server "hq"')]);
      await store.leases.leave();
      expect(await state(folder, 'forget', '--server', 'hq')).toBe(0);
      expect(said.splice(0)[0]).toBe('Deleted the state of server "hq": 6 cursors, 3 series and 12 other rows');
      expect(await store.state('hq')).toEqual({ since: {}, facts: {} });
      expect((await store.series()).map(({ labels }) => labels[0])).toEqual(['branch', 'branch', 'branch']);
      await store.close();
    });
  });

  test('say that there is no state yet', async () => {
    await inFolder(async folder => {
      expect(await state(folder, 'show')).toBe(1);
      expect(said).toEqual(['Could not use the state in PostgreSQL: it holds no state yet; start the exporter once']);
      expect(await state(folder, 'quarantine')).toBe(2);
    });
  });
});

const why = (reason: string) => ({ status: 'failed', message: expect.stringContaining(reason) });

const check = async (over: Parameters<typeof stateIn>[2] = {}) => {
  const postgresql = stateIn(database.port, name, over);
  const [found] = await runChecks([stateCheck({ state: { path: '', postgresql } } as Config)]);
  expect(JSON.stringify(found)).not.toContain(password);
  return found;
};

describe('the check of doctor', () => {
  test('has version, tables and the difference between the clocks, and changes nothing', async () => {
    const [first, again] = [await check(), await check()];
    const untouched = /^PostgreSQL \d+\.\d+.*: no tables yet, they can be created; its clock differs by \d+ ms$/;
    for (const found of [first, again])
      expect(found).toMatchObject({ status: 'ok', message: expect.stringMatching(untouched) });
    await (await leasedStore(await pool())).close();
    expect(await check()).toMatchObject({ status: 'ok', message: expect.stringContaining(': schema 1; its clock') });
  });

  test('fails with the reason', async () => {
    expect(await check({ port: 1 })).toMatchObject(why('connection refused'));
    expect(await check({ database: 'template1' })).toMatchObject(why('let the user create the schema'));
    await (await leasedStore(await pool())).close();
    await database.sql('UPDATE vb365_exporter.schema_version SET version = 99', name);
    expect(await check()).toMatchObject(why('99'));
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect(await check()).toMatchObject(why('it is read-only'));
  });
});
