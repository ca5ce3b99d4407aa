import { describe, expect, test } from '@jest/globals';
import { parseInstant } from '../../src/model/time.js';
import { adaptivePages } from '../../src/source/page.js';
import { ExporterError } from '../../src/kernel/errors.js';
import { Secret } from '../../src/kernel/secret.js';
import { simulate } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { atMs, drivenClock } from '../support/simulator.js';
import { bench, never } from '../support/source-rig.js';

const { begin } = bench();
const hour = 3_600_000;
const minutes = (n: number): string => new Date(Date.UTC(2024, 0, 1, 0, n)).toISOString();
const row = (n: number) => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  creationTime: minutes(n),
  state: 'Stopped',
});
const from = parseInstant(minutes(98))?.at;

/** A server of v3 that shows 100 sessions, ten at once, in its own order. */
const listing = (order: () => readonly number[]) => async () =>
  begin(
    ({ url }) => {
      const offset = Number(new URL(url, 'http://x').searchParams.get('offset'));
      return {
        json: {
          offset,
          limit: 10,
          results: order()
            .slice(offset, offset + 10)
            .map(row),
        },
      };
    },
    { apiVersion: 'v3', sessionLimit: 10 },
  );

const newest = Array.from({ length: 100 }, (_, n) => 100 - n);
const oldest = newest.toReversed();

describe('the list of v2 to v5', () => {
  test('is read from its beginning only as far as needed, and whole every hour', async () => {
    const { source, reads, clock } = await listing(() => newest)();
    await source.sessions(undefined, never);
    const full = reads().length;
    expect(full).toBeGreaterThan(10);
    await source.sessions(from, never);
    expect(reads().length).toBe(full + 1);
    clock.move(hour);
    await source.sessions(from, never);
    expect(reads().length).toBe(full + 1 + full);
    await source.sessions(from, never);
    expect(reads().length).toBe(full + 2 + full);
  });

  test('is read whole each time while it is not newest first', async () => {
    const { source, reads } = await listing(() => oldest)();
    await source.sessions(undefined, never);
    const full = reads().length;
    const { sessions } = await source.sessions(from, never);
    expect([reads().length, sessions.length]).toEqual([2 * full, 100]);
  });

  test('is read whole as soon as it is not newest first any more', async () => {
    let order: readonly number[] = newest;
    const { source, reads } = await listing(() => order)();
    await source.sessions(undefined, never);
    order = [99, 100, ...newest.slice(2)];
    const full = reads().length / 2;
    expect((await source.sessions(from, never)).sessions).toHaveLength(100);
    await source.sessions(from, never);
    expect(reads().length).toBeGreaterThan(4 * full);
  });
});

describe('a list that moves', () => {
  test.each(['v3', 'v6', 'v7', 'v8'] as const)(
    'of %s has every session that stayed, while others begin and are purged between its pages',
    async apiVersion => {
      const world = new World();
      for (let n = 0; n < 60; n += 1) world.addSession({ createdAt: atMs(n), endedAt: atMs(n) });
      const quirks = { maxLimit: 10, arrivalsPerPage: 1, purgesPerPage: 1 };
      const simulator = await simulate({ clock: drivenClock(), world, quirks });
      const before = new Set(world.sessions().map(({ id }) => id));
      const one = await begin(() => ({}), {
        apiVersion,
        baseUrl: new URL(simulator.url),
        credentials: { kind: 'password', username: 'simulator', secret: async () => new Secret('simulator') },
        tokens: () => ({}),
      });
      const listed = new Set((await one.source.sessions(undefined, never)).sessions.map(({ id }) => id));
      const stayed = world.sessions().filter(({ id }) => before.has(id));
      await simulator.close();
      expect(stayed.length).toBeGreaterThan(10);
      expect(stayed.filter(({ id }) => !listed.has(id))).toEqual([]);
    },
  );
});

type Pages = ReturnType<typeof adaptivePages>;

/** Reads a full page, or an empty one, in `tookMs`. Returns the limit that it was asked with. */
const takes = async (pages: Pages, tookMs: number, full: boolean): Promise<number> => {
  let asked = 0;
  await pages(async limit => {
    asked = limit;
    return { page: { rows: Array.from({ length: full ? limit : 0 }) }, tookMs };
  });
  return asked;
};

const limitOf = async (pages: Pages): Promise<number> => takes(pages, 5_000, true);

describe('the size of a page', () => {
  const timeout = new ExporterError('timeout', 'Could not list restore sessions: no answer');

  const timesOut = async (pages: Pages): Promise<void> => {
    const read = pages(async () => {
      throw timeout;
    });
    await expect(read).rejects.toBe(timeout);
  };

  test('is halved by a timeout and by a slow answer, to 1,000 at least', async () => {
    const pages = adaptivePages(10_000);
    await timesOut(pages);
    expect(await takes(pages, 10_001, true)).toBe(5_000);
    expect(await limitOf(pages)).toBe(2_500);
    for (let n = 0; n < 5; n += 1) await timesOut(pages);
    expect(await limitOf(pages)).toBe(1_000);
  });

  test('grows back slowly with full pages that come fast, and not with others', async () => {
    const pages = adaptivePages(10_000);
    await timesOut(pages);
    await takes(pages, 100, false);
    await takes(pages, 5_000, true);
    const failed = new ExporterError('network', 'Could not connect');
    await expect(pages(async () => Promise.reject(failed))).rejects.toBe(failed);
    expect(await takes(pages, 100, true)).toBe(5_000);
    expect(await limitOf(pages)).toBe(5_500);
    for (let n = 0; n < 20; n += 1) await takes(pages, 100, true);
    expect(await limitOf(pages)).toBe(10_000);
  });

  test('is never changed where less than 1,000 was asked for', async () => {
    const pages = adaptivePages(30);
    await timesOut(pages);
    expect(await limitOf(pages)).toBe(30);
  });
});
