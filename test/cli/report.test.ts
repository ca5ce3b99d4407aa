import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { milliseconds } from '../../src/model/time.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import type { SimEvent, World } from '../../src/simulator/world.js';
import { onPastStage } from '../support/past.js';

type Parsed = Readonly<{
  rows: readonly Readonly<Record<string, unknown>>[];
  totals: readonly Readonly<{ by: string; value: string; items: number; sessions: number }>[];
  overdue: readonly Readonly<Record<string, unknown>>[];
}>;

const parsed = (printed: readonly string[]): Parsed => JSON.parse(printed.join('\n')) as Parsed;

const isRestored = ({ status }: SimEvent): boolean => status === 'Success' || status === 'Warning';
const iso = (at: bigint): string => new Date(Number(at / 1_000_000n)).toISOString();

/** The book as rows of items, without what the exporter derives. */
const bookOfItems = (world: World, version: number) =>
  [...world.book()]
    .filter(({ event }) => event.type !== 'None')
    .map(({ session, event }) => ({
      organization: session.organization,
      session_id: session.id,
      event_id: event.id,
      time: iso(event.endedAt ?? event.startedAt),
      initiator: session.initiatedBy,
      ...(version >= 6 && session.reason !== '' ? { reason: session.reason } : {}),
      type: event.type,
      status: event.status,
      ...(version > 2 ? { item_name: event.itemName, source: event.source, size_bytes: event.itemSizeBytes } : {}),
    }))
    .toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));

/** The book as rows of sessions. */
const bookOfSessions = (world: World, version: number) =>
  world
    .sessions()
    .map(session => {
      const items = world
        .events(session.id)
        .slice()
        .filter(({ type }) => type !== 'None');
      return {
        organization: session.organization,
        session_id: session.id,
        started: iso(session.createdAt),
        ended: iso(session.endedAt ?? 0n),
        initiator: session.initiatedBy,
        result: session.result,
        items: items.length,
        restored: items.filter(isRestored).length,
        failed: items.filter(({ status }) => status === 'Failed').length,
        ...(version === 8 ? { expected_items: items.length, expected_restored: items.filter(isRestored).length } : {}),
      };
    })
    .toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1));

const byId = (rows: Parsed['rows'], id: string) => rows.toSorted((a, b) => (String(a[id]) < String(b[id]) ? -1 : 1));

const json = ['report', '--format', 'json'] as const;

describe('report', () => {
  test.each(simulatedVersions)('equals the book row for row, over v%i', async version => {
    await onPastStage({ versions: [version] }, {}, async ({ run, simulator: { world } }) => {
      const items = parsed((await run([...json, '--items'])).printed);
      const expectedItems = bookOfItems(world, version);
      expect(items.rows).toHaveLength(expectedItems.length);
      for (const [index, row] of byId(items.rows, 'event_id').entries())
        expect(row).toMatchObject(expectedItems[index] ?? {});
      const sessions = parsed((await run(json)).printed);
      const expected = bookOfSessions(world, version);
      expect(sessions.rows).toHaveLength(expected.length);
      for (const [index, row] of byId(sessions.rows, 'session_id').entries())
        expect(row).toMatchObject(expected[index] ?? {});
      for (const by of ['organization', 'initiator', 'result']) {
        const sums = sessions.totals.filter(total => total.by === by);
        expect(sums.reduce((sum, { items: count }) => sum + count, 0)).toBe(expectedItems.length);
        expect(sums.reduce((sum, { sessions: count }) => sum + count, 0)).toBe(expected.length);
      }
    });
  });

  test('csv has the same rows, and its other tables by name', async () => {
    await onPastStage({}, {}, async ({ run, simulator: { world } }) => {
      const { printed } = await run(['report', '--items']);
      const ids = [...world.book()].filter(({ event }) => event.type !== 'None').map(({ event }) => event.id);
      expect(printed).toHaveLength(ids.length + 1);
      for (const id of ids) expect(printed.filter(line => line.includes(id))).toHaveLength(1);
      expect((await run(['report', '--table', 'totals'])).printed[0]).toBe(
        'by,value,sessions,items,restored,failed,other,bytes',
      );
      expect((await run(['report', '--table', 'overdue'])).printed[0]).toMatch(
        /^server,organization,workload,last_success/,
      );
    });
  });

  test('lists organizations and workloads without a successful restore', async () => {
    const days = 86_400_000_000_000n;
    const now = milliseconds(systemClock.now());
    await onPastStage(
      { history: { sessions: 1, eventsEach: 1, days: 1 } },
      {},
      async ({ run, simulator: { world } }) => {
        const restore = (organization: string, age: bigint, status: string, type = 'Restore'): void => {
          const { id } = world.addSession({ createdAt: now - age * days, organization });
          world.appendEvent(id, { startedAt: now - age * days, type, status });
          world.stopSession(id, { endedAt: now - age * days });
        };
        restore('fresh.example.com', 2n, 'Success');
        restore('old.example.com', 20n, 'Success');
        restore('older.example.com', 90n, 'Success');
        restore('failing.example.com', 1n, 'Failed');
        restore('looking.example.com', 1n, 'Success', 'View');
        const { overdue } = parsed((await run([...json, '--restored-within', '7d'])).printed);
        const found = overdue.filter(({ organization }) => String(organization).endsWith('.example.com'));
        expect(found.map(({ organization, workload, last_success: last }) => [organization, workload, last])).toEqual([
          ['failing.example.com', 'exchange', undefined],
          ['looking.example.com', 'exchange', undefined],
          ['old.example.com', 'exchange', iso(now - 20n * days)],
          ['older.example.com', 'exchange', undefined],
        ]);
      },
    );
  });

  test('lists organizations that nobody has ever restored', async () => {
    await onPastStage({ versions: [8], history: { sessions: 1, eventsEach: 3, days: 1 } }, {}, async stage => {
      const { run, simulator } = stage;
      const [restored] = [...simulator.world.book()].map(({ session }) => session.organization);
      const overdue = await run(['report', '--table', 'overdue']);
      const never = ['contoso', 'fabrikam', 'northwind']
        .map(name => `${name}.onmicrosoft.com`)
        .filter(name => name !== restored)
        .map(name => `hq,${name},,,`);
      expect(overdue.printed.filter(line => line.endsWith(',,,'))).toEqual(never);
      expect(overdue.errors).toEqual([]);
    });
  });

  test.each([
    ['keep', ['CONTOSO', '@']],
    ['drop', []],
    ['hash', []],
  ])('personal data: %s', async (treatment, visible) => {
    const logs = { personal_data: { person: treatment, item: treatment, path: treatment, client: treatment } };
    const settings = { logs, personal_data: { hash_key_file: 'key' } };
    await onPastStage({}, settings, async ({ run, simulator: { world } }) => {
      const output = [...(await run([...json, '--items'])).printed, ...(await run(json)).printed].join('\n');
      const secrets = [...world.book()].flatMap(({ session, event }) => [
        session.initiatedBy,
        event.itemName,
        event.source,
      ]);
      const shown = new Set(secrets.filter(secret => secret.length > 6 && output.includes(JSON.stringify(secret))));
      if (treatment === 'keep') expect(shown.size).toBeGreaterThan(10);
      else expect([...shown]).toEqual([]);
      for (const text of visible) expect(output).toContain(text);
    });
  });

  test('a file is private and complete, or not there', async () => {
    await onPastStage({}, {}, async ({ run, folder, simulator }) => {
      const out = join(folder, 'r.html');
      expect(await run(['report', '--format', 'html', '--out', out])).toMatchObject({
        code: 0,
        printed: [],
        errors: [],
      });
      expect(statSync(out).mode & 0o777).toBe(0o600);
      expect(readFileSync(out, 'utf8')).toMatch(/^<!DOCTYPE html>[^]*<\/html>\n$/);
      const stop = new AbortController();
      simulator.intercept(({ route, ordinal }, { proceed }) => {
        if (route.endsWith('/Events') && ordinal > 50) stop.abort();
        proceed();
      });
      const other = join(folder, 'other.csv');
      expect(await run(['report', '--out', other], { stop: stop.signal })).toEqual({
        code: 1,
        printed: [],
        errors: ['Could not finish: interrupted'],
      });
      expect(readdirSync(folder).filter(name => name.startsWith('other'))).toEqual([]);
      expect(existsSync(join(folder, 'state.db'))).toBe(false);
    });
  });

  test('a file that is replaced loses neither its link, nor what lies beside it, nor its privacy', async () => {
    await onPastStage({}, {}, async ({ run, folder }) => {
      const [real, beside, link] = ['real.csv', 'real.csv.unfinished', 'r.csv'].map(name => join(folder, name));
      for (const path of [real, beside]) writeFileSync(String(path), 'mine', { mode: 0o644 });
      symlinkSync('real.csv', String(link));
      writeFileSync(`${String(link)}.unfinished`, 'mine');
      expect(await run(['report', '--out', String(link)])).toMatchObject({ code: 0, errors: [] });
      expect([readlinkSync(String(link)), statSync(String(real)).mode & 0o777]).toEqual(['real.csv', 0o600]);
      expect(readFileSync(String(real), 'utf8')).toMatch(/^server,/);
      for (const path of [beside, `${String(link)}.unfinished`])
        expect(readFileSync(String(path), 'utf8')).toBe('mine');
      expect(readdirSync(folder).filter(name => name.endsWith('.unfinished'))).toHaveLength(2);
      symlinkSync('circle', join(folder, 'circle'));
      expect((await run(['report', '--out', join(folder, 'circle')])).errors.join()).toMatch(/lead in a circle$/);
    });
  });

  test('ends well when its reader has gone, and shows progress only on a terminal', async () => {
    await onPastStage({}, {}, async ({ run, simulator }) => {
      const gone = new AbortController();
      simulator.intercept(({ route }, { proceed }) => {
        if (route.endsWith('/Events')) gone.abort();
        proceed();
      });
      expect(await run(['report'], { outputClosed: gone.signal })).toMatchObject({ code: 0, errors: [] });
      simulator.intercept(undefined);
      const shown: string[] = [];
      await run(['report'], { progress: text => void shown.push(text) });
      expect(shown[0]).toBe('hq: 0 of 40 sessions, 0 events, 0 events/s');
      expect(shown.at(-1)).toBe('');
    });
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['an unknown server', ['--server', 'x'], 2, /--server x: is not configured; configured: hq/],
    ['no request at a time', ['--concurrency', '0'], 2, /Must be at least 1/],
    ['too many requests at a time', ['--concurrency', '33'], 2, /Must be at most 32/],
    ['no time', ['--from', 'yesterday'], 2, /Must be a date such as 2026-01-31/],
    [
      'an empty window',
      ['--from', '2d', '--to', '3d'],
      2,
      /^Could not read an empty window: it begins at .* and ends at/,
    ],
    [
      'a long wait',
      ['--restored-within', '40d'],
      2,
      /^Could not use "--restored-within": it is longer than the window/,
    ],
    ['no wait', ['--restored-within', '0s'], 2, /Must be at least 1s/],
    [
      'a table of json',
      ['--format', 'json', '--table', 'totals'],
      2,
      /^Could not use "--table": json holds every table/,
    ],
    ['a full disk', ['--out', '/dev/full'], 1, /^Could not write "\/dev\/full": no space left on the device$/],
    ['no directory', ['--out', '/none/r.csv'], 1, /^Could not write "\/none\/r.csv": no such file or directory/],
  ])('%s is one line', async (_what, flags, code, message) => {
    await onPastStage({}, {}, async ({ run }) => {
      const ran = await run(['report', ...flags]);
      expect([ran.code, ran.printed]).toEqual([code, []]);
      expect(ran.errors.join('\n')).toMatch(message);
    });
  });

  test('a server that is down is named', async () => {
    await onPastStage({}, {}, async ({ run, simulator }) => {
      await simulator.close();
      const { code, errors } = await run(['report']);
      expect([code, errors.join()]).toEqual([
        1,
        expect.stringMatching(/^Could not read the history of server "hq": could not connect to "127.0.0.1/),
      ]);
    });
  });
});
