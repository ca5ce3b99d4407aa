import { beforeEach, describe, expect, test } from '@jest/globals';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runCli } from '../../src/cli/program.js';
import type { CursorRow, Store } from '../../src/pipeline/ports.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { storedDeadLetters } from '../support/dead-letters.js';
import { inFolder } from '../support/folder.js';

let printed: string[] = [];
let errors: string[] = [];
beforeEach(() => {
  printed = [];
  errors = [];
});

/** Runs `state ...` for a folder; returns the exit code. */
async function state(folder: string, ...argv: readonly string[]): Promise<number> {
  const file = join(folder, 'vb365-exporter.yaml');
  const server = { name: 'hq', url: 'https://vb365.example.com:4443', username: 'u', password_file: '/none' };
  writeFileSync(file, JSON.stringify({ servers: [server], state: { path: pathIn(folder) } }));
  return runCli(['state', ...argv, '--config.file', file], {
    env: {},
    print: line => void printed.push(line),
    printError: line => void errors.push(line),
    stop: new AbortController().signal,
    outputClosed: new AbortController().signal,
    onReload: () => undefined,
    version: '0.0.0',
  });
}

const pathIn = (folder: string): string => join(folder, 'state.db');
const row = (session: string, over: Partial<CursorRow> = {}): CursorRow => ({
  sink: 'metrics',
  session,
  createdAt: 0n,
  done: false,
  cursor: '',
  ...over,
});
const series = (server: string, by = 1) =>
  ({ family: 'vb365_restore_events_total', labels: [server, 'canary.example.com'], kind: 'counter', by }) as const;

const refused = (event: string) => ({ sink: 'logs', session: 'canary', event, reason: 'refused', at: 0n }) as const;

/** The state of two servers, one of which was another installation before. */
async function filled(folder: string): Promise<Store> {
  const store = await sqliteStore({ path: pathIn(folder) });
  const other = { facts: { installationId: 'b' }, rows: [row('b1')], deadLetters: [refused('e1')] };
  await store.commit({ server: 'hq@b', since: { logs: 0n }, ...other });
  await store.commit({
    server: 'hq',
    since: { metrics: 1_764_043_200_000_000_000n },
    facts: { installationId: 'a', apiVersion: 'v8', changeToken: 'canary' },
    rows: [row('a1'), row('a2', { done: true }), row('a3', { done: true }), row('a1', { sink: 'logs' })],
    deltas: [series('hq'), series('hq-2')],
    deadLetters: [refused('e1'), refused('')],
  });
  await store.commit({ server: 'hq-2', rows: [row('c1')], deadLetters: [refused('e1')] });
  return store;
}

describe('state show', () => {
  test('prints the stored state of each server, and changes nothing', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      const before = readFileSync(pathIn(folder));
      expect(await state(folder, 'show')).toBe(0);
      const shown = printed.join('\n');
      expect(shown).toMatch(/^State file ".*state\.db": schema \d, \d+ bytes\n/);
      expect(shown).toContain(
        [
          'hq',
          '  installation: a',
          '  API version: v8',
          '  metrics: since 2025-11-25T04:00:00.0000000Z, sessions 1 pending, 2 done',
          '  logs: since never, sessions 1 pending, 0 done',
          '  traces: since never, sessions 0 pending, 0 done',
          '  series: 1',
          '  dead letters: 2',
        ].join('\n'),
      );
      expect(shown).toMatch(/\nhq, archived\n {2}installation: b\n(?: {2}.*\n)+ {2}dead letters: 1\n/);
      expect(shown).not.toContain('canary');
      expect(readFileSync(pathIn(folder)).equals(before)).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['state.db', 'vb365-exporter.yaml']);
    });
  });

  test('prints it as JSON', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      expect(await state(folder, 'show', '--json')).toBe(0);
      const { servers } = JSON.parse(printed.join('\n')) as { servers: readonly Record<string, unknown>[] };
      expect(servers.map(({ server, installationId, archived }) => [server, installationId, archived])).toEqual([
        ['hq', 'a', false],
        ['hq', 'b', true],
        ['hq-2', '', false],
      ]);
      expect(servers[0]).toMatchObject({
        apiVersion: 'v8',
        since: { metrics: '2025-11-25T04:00:00.0000000Z' },
        sessions: { metrics: { pending: 1, done: 2 }, logs: { pending: 1, done: 0 } },
        series: 1,
        deadLetters: 2,
      });
      expect(servers.map(({ deadLetters }) => deadLetters)).toEqual([2, 1, 1]);
      expect(printed.join('')).not.toContain('canary');
    });
  });

  test('reads a file with the first schema, and does not migrate it', async () => {
    await inFolder(async folder => {
      copyFileSync('test/fixtures/state/v1.sqlite', pathIn(folder));
      const before = readFileSync(pathIn(folder));
      expect(await state(folder, 'show')).toBe(0);
      expect(printed[0]).toContain('schema 1,');
      expect(printed.length).toBeGreaterThan(5);
      expect(readFileSync(pathIn(folder)).equals(before)).toBe(true);
    });
  });

  test('reports a malformed series in one line, with the way out', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      const database = new DatabaseSync(pathIn(folder));
      database.exec("UPDATE series SET key = 'canary' || key");
      database.close();
      expect(await state(folder, 'show')).toBe(1);
      expect(errors).toEqual([expect.stringMatching(/^(?!.*canary)Could not .*"vb365-exporter state quarantine".*$/)]);
    });
  });

  test('reports a missing file, and does not create it', async () => {
    await inFolder(async folder => {
      expect(await state(folder, 'show')).toBe(1);
      expect(errors).toEqual([`Could not open state file "${pathIn(folder)}": there is no such file`]);
      expect(existsSync(pathIn(folder))).toBe(false);
    });
  });
});

test.each([['show'], ['forget', '--server', 'hq'], ['quarantine']])(
  'state %s fails while the exporter runs, and changes nothing',
  async (...argv) => {
    await inFolder(async folder => {
      const store = await filled(folder);
      expect(await state(folder, ...argv)).toBe(1);
      expect(errors).toEqual([`Could not open state file "${pathIn(folder)}": it is in use by another process`]);
      expect(await store.pending('hq', 'metrics')).toHaveLength(1);
      await store.close();
    });
  },
);

describe('state forget', () => {
  test('deletes the state of a server, including archived state and counters, and nothing else', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      expect(await state(folder, 'forget', '--server', 'hq')).toBe(0);
      expect(printed).toEqual([
        'Deleted the state of server "hq": 5 cursors, 1 series and 9 other rows',
        'The server is still configured: at the next start it is new, and its counters start at 0',
      ]);
      const store = await sqliteStore({ path: pathIn(folder) });
      for (const server of ['hq', 'hq@b']) {
        expect(await store.state(server)).toEqual({ since: {}, facts: {} });
        expect(await store.pending(server, 'metrics')).toEqual([]);
        expect(storedDeadLetters(pathIn(folder), server)).toEqual([]);
      }
      expect(await store.pending('hq-2', 'metrics')).toHaveLength(1);
      expect(storedDeadLetters(pathIn(folder), 'hq-2')).toHaveLength(1);
      expect((await store.series()).map(({ labels }) => labels[0])).toEqual(['hq-2']);
      await store.close();
    });
  });

  test('reports a server without state', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      expect(await state(folder, 'forget', '--server', 'nobody')).toBe(1);
      expect(errors).toEqual(['Could not forget server "nobody": it has no stored state']);
      expect(await state(folder, 'forget')).toBe(2);
    });
  });
});

describe('state quarantine', () => {
  test('renames a damaged file and its WAL, and the exporter can start', async () => {
    await inFolder(async folder => {
      const path = pathIn(folder);
      writeFileSync(path, 'garbage '.repeat(1_000));
      writeFileSync(`${path}-wal`, 'more garbage '.repeat(1_000));
      await expect(sqliteStore({ path })).rejects.toMatchObject({
        message: expect.stringContaining('"vb365-exporter state quarantine"'),
      });
      expect(await state(folder, 'quarantine')).toBe(0);
      const names = readdirSync(folder).filter(name => name.startsWith('state'));
      expect(names.sort()).toEqual([
        expect.stringMatching(/^state\.db\.corrupt-\d{8}T\d{6}Z$/),
        expect.stringMatching(/^state\.db\.corrupt-\d{8}T\d{6}Z-wal$/),
      ]);
      expect(readFileSync(join(folder, names[0] ?? ''), 'utf8')).toBe('garbage '.repeat(1_000));
      expect(printed.at(-1)).toContain('counters start at 0');
      await (await sqliteStore({ path })).close();
    });
  });

  test('does not rename a valid file', async () => {
    await inFolder(async folder => {
      await (await filled(folder)).close();
      expect(await state(folder, 'quarantine')).toBe(1);
      expect(errors).toEqual([expect.stringContaining('it is not damaged')]);
      expect(existsSync(pathIn(folder))).toBe(true);
    });
  });
});
