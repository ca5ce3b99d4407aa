import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Store } from '../../src/pipeline/ports.js';
import { preflight } from '../../src/store/preflight.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { kill, linesOf, storeChild } from '../support/store-child.js';
import { counter, row } from './conformance.js';

let root: string;
let folder: string;
let path: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'store-failures-'));
  chmodSync(root, 0o755);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  folder = join(root, String((count += 1)));
  mkdirSync(folder);
  path = join(folder, 'state.db');
});

const commit = async (store: Store, sessions = 1): Promise<void> =>
  store.commit({
    server: 'hq',
    rows: Array.from({ length: sessions }, (_, n) => row({ session: `s${String(n)}` })),
    deltas: [counter(1)],
  });

/** A file with some pages of content, closed. */
async function filled(): Promise<void> {
  const store = await sqliteStore({ path });
  await commit(store, 2_000);
  await store.close();
}

/** A file whose last commits are in its write-ahead log, as a kill leaves them. */
async function killed(): Promise<void> {
  const child = storeChild(
    path,
    `await store.commit({ server: 'hq', deltas: [${JSON.stringify(counter(1))}] });
     say('committed');
     setInterval(() => undefined, 1_000);`,
  );
  await linesOf(child, line => line === 'committed');
  await kill(child);
}

const bytes = (): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name)).toString('base64')]));

const overwrite = (file: string, at: number, length: number): void => {
  const content = readFileSync(file);
  content.fill('garbage ', at, Math.min(at + length, content.length));
  writeFileSync(file, content);
};

describe('a damaged state file is refused with advice and not changed', () => {
  test.each<[string, string, () => Promise<void>, () => void]>([
    ['its header is garbage', 'it is not a state file, or it is damaged', filled, () => overwrite(path, 0, 100)],
    ['the middle of a page is garbage', 'it is damaged', filled, () => overwrite(path, 4096 * 20 + 2, 600)],
    ['it is cut short', 'it is damaged', filled, () => truncateSync(path, 4096 * 10)],
    ['it is empty', 'it is empty', filled, () => truncateSync(path, 0)],
    ['its log is garbage', 'its "-wal" file is damaged', killed, () => overwrite(`${path}-wal`, 0, 8_000)],
    ['it is gone, but not its log', 'it is missing, but its "-wal" file exists', killed, () => rmSync(path)],
  ])('%s', async (_, why, make, damage) => {
    await make();
    damage();
    const before = bytes();
    await expect(sqliteStore({ path })).rejects.toMatchObject({
      reason: 'store',
      message: expect.stringMatching(
        new RegExp(
          `^Could not (open|use|create) state file ".*": ${why}; restore a backup of it, or move it away with`,
        ),
      ),
    });
    expect(bytes()).toEqual(before);
  });

  test('a number that does not parse is damage, and the message does not contain it', async () => {
    await filled();
    const database = new DatabaseSync(path);
    database.exec("UPDATE series SET value = 'canary'");
    database.close();
    const failure = await sqliteStore({ path }).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ reason: 'store', message: expect.stringContaining('it is damaged') });
    expect(String(failure)).not.toContain('canary');
  });

  test('also by a check without a lock, while commits are in its log', async () => {
    await filled();
    await killed();
    expect(preflight(path).file).toBeDefined();
    overwrite(path, 4096 * 20 + 2, 600);
    const before = bytes();
    expect(() => preflight(path)).toThrow('it is damaged; restore a backup of it, or move it away');
    expect(bytes()).toEqual(before);
  });

  test('a log that a power cut left without a header is ignored', async () => {
    await filled();
    writeFileSync(`${path}-wal`, Buffer.alloc(4_096));
    const store = await sqliteStore({ path });
    expect(await store.series()).toMatchObject([{ value: 1n }]);
    await store.close();
  });

  test('a kill while the file is created leaves nothing that would be refused', async () => {
    for (const left of [Buffer.alloc(0), readFileSync('test/fixtures/state/v1.sqlite')]) {
      rmSync(path, { force: true });
      writeFileSync(`${path}.new`, left);
      await (await sqliteStore({ path })).close();
      expect(readdirSync(folder)).toEqual(['state.db']);
    }
  });
});

const all = (file: string, table: string): readonly unknown[] => {
  const database = new DatabaseSync(file, { readBigInts: true });
  const rows = database.prepare(`SELECT * FROM ${table}`).all();
  database.close();
  return rows;
};

describe('a state file of the first schema', () => {
  const fixture = 'test/fixtures/state/v1.sqlite';
  const tables = ['session', 'since', 'series'];
  beforeEach(() => {
    copyFileSync(fixture, path);
  });

  test('is migrated with every row and counter', async () => {
    copyFileSync(fixture, `${path}.before`);
    const before = tables.map(table => all(`${path}.before`, table));
    expect(before.every(rows => rows.length > 0)).toBe(true);
    const said: string[] = [];
    const store = await sqliteStore({ path, notice: line => void said.push(line) });
    expect(said).toEqual(['Migrated the state file to a newer schema']);
    expect(await store.series()).toHaveLength(before[2]?.length ?? 0);
    await store.close();
    expect(tables.map(table => all(path, table))).toMatchObject(before);
    await (await sqliteStore({ path, notice: line => void said.push(line) })).close();
    expect(said).toHaveLength(1);
  });

  test('keeps its schema when the migration fails', async () => {
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE fact (mine)');
    database.close();
    const message = expect.stringContaining('its schema is not what its version says; restore a backup of it');
    await expect(sqliteStore({ path })).rejects.toMatchObject({ reason: 'store', message });
    expect(all(path, 'pragma_user_version')).toEqual([{ user_version: 1n }]);
    expect(all(path, 'series').length).toBeGreaterThan(0);
  });
});

describe('a state file that is moved away while it is in use', () => {
  let store: Store;
  beforeEach(async () => {
    store = await sqliteStore({ path });
    await commit(store);
  });
  const away = async (): Promise<void> => {
    const gone = { reason: 'store', message: expect.stringContaining('was deleted, replaced or cut short') };
    await expect(commit(store)).rejects.toMatchObject(gone);
    await expect(store.rows('hq', ['s0'])).rejects.toMatchObject(gone);
    await expect(commit(store)).rejects.toMatchObject(gone);
  };

  test.each<[string, () => void]>([
    ['deleted', () => rmSync(path)],
    ['replaced', () => (renameSync(path, `${path}.old`), copyFileSync(`${path}.old`, path))],
    ['cut short', () => truncateSync(path, 0)],
    ['left without its log', () => rmSync(`${path}-wal`)],
  ])('%s: the next commit and every one after it fail', async (_, take) => {
    take();
    await away();
    await store.close().catch(() => undefined);
  });

  test('put back unchanged, takes the next commit', async () => {
    renameSync(path, `${path}.old`);
    await away();
    renameSync(`${path}.old`, path);
    await commit(store);
    await store.close();
    const again = await sqliteStore({ path });
    expect(await again.series()).toMatchObject([{ value: 2n }]);
    await again.close();
  });
});

/** Permissions do not apply to root, so the child becomes another user. */
const asNobody = process.getuid?.() === 0 ? 'process.setegid(65534); process.seteuid(65534);' : '';

const tried = async (): Promise<readonly string[]> =>
  linesOf(
    storeChild(path, "await store.commit({ server: 'hq', since: { logs: 1n } }); say('written');", {
      before: asNobody,
    }),
    () => false,
  );

describe('a state file without write permission', () => {
  test('is refused when its mode is read-only', async () => {
    await filled();
    chmodSync(path, 0o444);
    expect(await tried()).toEqual([
      `Could not open state file "${path}": permission denied; let the user that runs vb365-exporter write to it and to its directory`,
    ]);
  });
  test('is refused when its directory is read-only', async () => {
    chmodSync(folder, 0o555);
    expect(await tried()).toEqual([expect.stringMatching(/^Could not create state file ".*": permission denied; let/)]);
    expect(existsSync(path)).toBe(false);
    chmodSync(folder, 0o755);
  });
  test('is refused when its log cannot be created next to it', async () => {
    await filled();
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    expect(await tried()).toEqual([
      expect.stringMatching(/^Could not open state file ".*": it is read-only; let the user/),
    ]);
    chmodSync(folder, 0o755);
  });
  test('is refused below a path that is not a directory', async () => {
    writeFileSync(path, '');
    await expect(sqliteStore({ path: join(path, 'state.db') })).rejects.toMatchObject({
      message: expect.stringContaining('a part of its path is not a directory'),
    });
  });
});

/** A file system of 1 MB where the kernel allows one, else a limit on file size, which fails writes as well. */
const hasOwnDisk = spawnSync('unshare', ['-rm', 'true']).status === 0;
const smallDisk = hasOwnDisk
  ? {
      within: (disk: string) => [
        'unshare',
        '-rm',
        'sh',
        '-c',
        `mount -t tmpfs -o size=1m tmpfs ${disk} && exec "$0" "$@"`,
      ],
      occupy: "fs.writeFileSync(disk + '/filler', Buffer.alloc(600_000));",
      free: "fs.rmSync(disk + '/filler');",
      why: 'the disk is full; free space on it',
    }
  : {
      within: () => ['sh', '-c', 'ulimit -S -f 400 && exec "$0" "$@"'],
      occupy: '',
      free: "spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);",
      why: 'the disk could not read or write it',
    };

test(`a full disk (${hasOwnDisk ? 'a real one' : 'a limit on file size'}): the commit fails as a whole, and succeeds once there is room`, async () => {
  const child = storeChild(
    path,
    `const row = n => ({ sink: 'logs', session: 's' + n, createdAt: 0n, done: false, cursor: 'x'.repeat(2_000) });
     const change = n => ({ server: 'hq', rows: [row(n)], deltas: [${JSON.stringify(counter(1))}] });
     let n = 0;
     try { for (; n < 10_000; n += 1) await store.commit(change(n)); } catch (error) { say(error.message); }
     const held = async () => String((await store.pending('hq', 'logs')).length) + ' ' + String((await store.series())[0].value);
     say(await held() === n + ' ' + n);
     ${smallDisk.free}
     await store.commit(change(n));
     say(await held() === (n + 1) + ' ' + (n + 1));
     await store.close();`,
    { within: smallDisk.within(folder), before: `const disk = ${JSON.stringify(folder)}; ${smallDisk.occupy}` },
  );
  expect(await linesOf(child, () => false)).toEqual([
    `Could not write state file "${path}": ${smallDisk.why}`,
    'true',
    'true',
  ]);
});
