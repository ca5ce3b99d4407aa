import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { SessionFilter, SessionList } from '../../src/pipeline/ports.js';
import { seconds } from '../../src/model/time.js';
import { decodePage, type Page } from '../../src/source/page.js';
import { readSessionList } from '../../src/source/session-list.js';

type Row = Readonly<Record<string, unknown>>;

const row = (n: number, over: Row = {}): Row => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  creationTime: '2022-02-02T15:00:00Z',
  state: 'Stopped',
  name: String(n),
  ...over,
});

const rows = (...numbers: number[]): readonly Row[] => numbers.map(n => row(n));

const keep: SessionFilter = async page => page.filter(({ name }) => ['5', '8'].includes(name));

/** Sessions whose number says when they were created. */
const timed = (...numbers: number[]): readonly Row[] =>
  numbers.map(n => row(n, { creationTime: new Date(Date.UTC(2022, 0, 1, 0, n)).toISOString() }));

/** A server that shows `limit` rows at once of what `current` says when it is asked. */
const served = (limit: number, current: (request: number) => readonly Row[]): ((offset: number) => Promise<Page>) => {
  let request = 0;
  return async offset => {
    request += 1;
    const results = current(request).slice(offset, offset + limit);
    return decodePage({ offset, limit, results }, { operation: 'sessions', offset, limit });
  };
};

const bounds = { maxPages: 50, restarts: 3, ordered: true, now: () => seconds(4_000_000_000) };
const names = ({ sessions }: SessionList): readonly string[] => sessions.map(session => session.name).sort();

/** Endless pages of a thousand rows, and how many were read. */
const endless = (text: (n: number) => Row, pages = { read: 0 }) => ({
  pages,
  read: async (offset: number): Promise<Page> => {
    pages.read += 1;
    const results = Array.from({ length: 1000 }, (_, index) => row(offset + index, text(offset + index)));
    const links = { next: { href: 'next' } };
    return decodePage({ offset, limit: 1000, results, _links: links }, { operation: 'sessions', offset, limit: 1000 });
  },
});

describe('a session list', () => {
  test.each([1, 2, 3, 4, 5, 6, 100])('is read whole, %i rows at once', async limit => {
    expect(
      names(
        await readSessionList(
          served(limit, () => rows(1, 2, 3, 4, 5)),
          bounds,
        ),
      ),
    ).toEqual(['1', '2', '3', '4', '5']);
  });

  test('keeps the sessions that are wanted, however its rows move while it is read', async () => {
    for (const ordered of [true, false]) {
      const read = served(3, request => (request < 3 ? rows(1, 2, 3, 4, 5, 6, 7, 8) : rows(3, 4, 5, 6, 7, 8)));
      const list = await readSessionList(read, { ...bounds, ordered, isKept: keep });
      expect(names(list)).toEqual(['5', '8']);
    }
  });

  test('may be empty', async () => {
    expect(
      await readSessionList(
        served(3, () => []),
        bounds,
      ),
    ).toMatchObject({ sessions: [], rejects: [] });
  });

  test('has each session once when others begin during the read and move the rows down', async () => {
    const list = await readSessionList(
      served(3, request => (request === 1 ? rows(4, 3, 2, 1) : rows(6, 5, 4, 3, 2, 1))),
      bounds,
    );
    expect(names(list)).toEqual(['1', '2', '3', '4']);
  });

  test('goes back when a session was removed and the rows have moved up', async () => {
    const list = await readSessionList(
      served(3, request => (request === 1 ? rows(6, 5, 4, 3, 2, 1) : rows(6, 5, 3, 2, 1))),
      bounds,
    );
    expect(names(list)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('goes back when so many were removed that nothing is left at the place', async () => {
    const list = await readSessionList(
      served(3, request => (request === 1 ? rows(6, 5, 4, 3) : rows(6))),
      bounds,
    );
    expect(names(list)).toEqual(['4', '5', '6']);
  });

  test('of no certain order that shows something else each time is an error', async () => {
    const restless = served(3, request => timed(9, 8, 7, 6, 5, -request));
    await expect(readSessionList(restless, { ...bounds, ordered: false })).rejects.toMatchObject({
      reason: 'rejected',
    });
  });

  test('of too many pages is an error and never a shorter list', async () => {
    const long = served(2, () => rows(...Array.from({ length: 60 }, (_, n) => n)));
    await expect(readSessionList(long, bounds)).rejects.toMatchObject({
      reason: 'rejected',
      message: 'Could not list restore sessions: more than 50 pages',
    });
  });

  test('rejects single entries, each once', async () => {
    const bad = [row(1), { id: 'canary' }, row(2, { creationTime: 'canary' }), row(3), null];
    const list = await readSessionList(
      served(2, () => bad as readonly Row[]),
      bounds,
    );
    expect(names(list)).toEqual(['1', '2', '3']);
    expect(list.rejects).toEqual(['it has no readable "id"', 'it is not an object']);
  });

  test('misses no session that was there from the first page to the last, whatever comes and goes', async () => {
    const change = fc.record({ remove: fc.array(fc.nat(12), { maxLength: 4 }), add: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.nat(20),
        fc.array(change, { maxLength: 8 }),
        async (limit, size, changes) => {
          const first = Array.from({ length: size }, (_, n) => n);
          let now = first;
          let next = 1000;
          const list = await readSessionList(
            served(limit, request => {
              const step = changes[request - 2];
              if (step !== undefined) {
                const left = now.filter((_, at) => !step.remove.includes(at));
                now = [...Array.from({ length: step.add }, () => (next += 1)), ...left];
              }
              return rows(...now);
            }),
            { ...bounds, maxPages: 500, restarts: 20 },
          );
          const stayed = first.filter(n => now.includes(n)).map(String);
          expect(names(list)).toEqual(expect.arrayContaining(stayed));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each(['ascending', 'descending'] as const)(
    'of no certain order, %s, misses nothing that stayed, whatever is added, purged and moved during the read',
    async order => {
      const change = fc.record({ remove: fc.array(fc.nat(12), { maxLength: 3 }), add: fc.nat(2) });
      const jump = fc.record({ request: fc.integer({ min: 2, max: 8 }), from: fc.nat(20), to: fc.nat(20) });
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 2, max: 6 }),
          fc.nat(20),
          fc.array(change, { maxLength: 8 }),
          fc.option(jump),
          async (limit, size, changes, moved) => {
            const first = Array.from({ length: size }, (_, n) => n);
            let now = order === 'ascending' ? first : first.toReversed();
            let next = 1000;
            const page = served(limit, request => {
              const step = changes[request - 2];
              if (step !== undefined) {
                const added = Array.from({ length: step.add }, () => (next += 1));
                const left = now.filter((_, at) => !step.remove.includes(at));
                now = order === 'ascending' ? [...left, ...added] : [...added.toReversed(), ...left];
              }
              if (moved?.request === request && now.length > 0) {
                const [one = 0] = now.splice(moved.from % now.length, 1);
                now.splice(moved.to % (now.length + 1), 0, one);
              }
              return timed(...now);
            });
            const list = await readSessionList(page, { ...bounds, maxPages: 500, restarts: 30, ordered: false });
            const stayed = first.filter(n => now.includes(n)).map(String);
            expect(names(list)).toEqual(expect.arrayContaining(stayed));
          },
        ),
        { numRuns: 200 },
      );
    },
  );

  test('of more than 200,000 sessions is an error', async () => {
    const { read, pages } = endless(() => ({}));
    await expect(readSessionList(read, { ...bounds, maxPages: 1000 })).rejects.toMatchObject({
      reason: 'rejected',
      message: 'Could not list restore sessions: more than 200000',
    });
    expect(pages.read).toBe(201);
  });

  const large: readonly (readonly [string, (n: number) => Row])[] = [
    ['sessions', n => ({ details: 'd'.repeat(4096), reason: 'r'.repeat(4096), name: String(n) })],
    ['rows that are no sessions', n => ({ id: n, details: 'd'.repeat(8192) })],
  ];
  test.each(large)('of endless long %s is an error before it fills the memory', async (_, text) => {
    const { read, pages } = endless(text);
    await expect(readSessionList(read, { ...bounds, maxPages: 1000 })).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringMatching(
        /^Could not list restore sessions: their texts are longer than 9\d{6} characters$/,
      ),
    });
    expect(pages.read).toBe(2);
  });

  test('of no certain order and more than one page is read until nothing new appears', async () => {
    const list = await readSessionList(
      served(3, request => (request === 1 ? timed(6, 5, 4, 3, 2, 1) : timed(2, 6, 5, 4, 3, 1))),
      { ...bounds, ordered: false },
    );
    expect(names(list)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('is not read to its end when what is wanted stands before', async () => {
    let pages = 0;
    const read = served(3, () => ((pages += 1), timed(9, 8, 7, 6, 5, 4, 3, 2, 1)));
    const enoughFrom = BigInt(Date.UTC(2022, 0, 1, 0, 7)) * 1_000_000n;
    const list = await readSessionList(read, { ...bounds, ordered: false, enoughFrom });
    expect([names(list), list.whole, list.newestFirst, pages]).toEqual([['5', '6', '7', '8', '9'], false, true, 2]);
  });

  test('is read to its end when a row of it stands before a newer one', async () => {
    const read = served(3, () => timed(9, 7, 8, 6, 5, 4, 3, 2, 1));
    const enoughFrom = BigInt(Date.UTC(2022, 0, 1, 0, 7)) * 1_000_000n;
    const list = await readSessionList(read, { ...bounds, ordered: false, enoughFrom });
    expect([list.sessions.length, list.whole, list.newestFirst]).toEqual([9, true, false]);
  });
});
