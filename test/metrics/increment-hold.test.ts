import { describe, expect, test } from '@jest/globals';
import type { Scraper } from '../../src/metrics/scrapers.js';
import type { SeriesDelta } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { type Exporter, startExporter } from '../support/scraped.js';
import { a, b, curl, scrapedBy } from '../support/scrapers.js';
import { drivenClock } from '../support/simulator.js';

/** What so many scrapes of the failures show, one after the other. */
async function failures(exporter: Exporter, ...by: readonly Scraper[]): Promise<readonly (number | undefined)[]> {
  const shown: (number | undefined)[] = [];
  for (const scraper of by) shown.push((await exporter.scrape(scraper)).failed);
  return shown;
}

describe('The first failure alerts', () => {
  test('a series that its own first event makes is seen at 0, then at 1', async () => {
    const { exporter } = await scrapedBy();
    await exporter.count('failed');
    expect(await failures(exporter, a, a, a)).toEqual([0, 1, 1]);
  });

  test('a series created at 0 and not scraped yet is seen at 0 first', async () => {
    const { exporter } = await scrapedBy();
    await exporter.initialDeltas('failed');
    await exporter.count('failed');
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });

  test('a series that was scraped shows its first event at once', async () => {
    const { exporter } = await scrapedBy();
    await exporter.initialDeltas('failed');
    await exporter.scrape(a);
    await exporter.count('failed');
    expect(await failures(exporter, a)).toEqual([1]);
  });

  test('several increments of a held series are seen together, each once', async () => {
    const { exporter } = await scrapedBy();
    await exporter.count('failed');
    await exporter.count('failed', 2);
    expect(await failures(exporter, a, a)).toEqual([0, 3]);
    await exporter.count('failed');
    expect(await failures(exporter, a)).toEqual([4]);
  });

  test('each series is seen on its own: that its sibling was scraped does not help', async () => {
    const { exporter } = await scrapedBy();
    await exporter.initialDeltas('failed');
    await exporter.scrape(a);
    await exporter.count('success', 5);
    await exporter.count('failed');
    expect(await exporter.scrape(a)).toEqual({ failed: 1, success: 0 });
    expect(await exporter.scrape(a)).toEqual({ failed: 1, success: 5 });
  });

  test('a new process lets nobody take it for seen before a scraper has come back', async () => {
    const { exporter } = await scrapedBy([]);
    await exporter.count('failed');
    expect(await failures(exporter, a, b, a, b)).toEqual([0, 0, 0, 1]);
  });

  test('a crash between commit and scrape changes nothing', async () => {
    const { exporter, restart } = await scrapedBy();
    await exporter.count('failed', 1, 'crash');
    expect(await failures(await restart(), a, a, a)).toEqual([0, 0, 1]);
  });

  test('a crash between commit and scrape changes nothing for the second of two scrapers either', async () => {
    const { exporter, restart } = await scrapedBy([a, b]);
    await exporter.count('failed', 1, 'crash');
    expect(await failures(await restart(), a, b, a, b, a)).toEqual([0, 0, 0, 1, 1]);
  });

  test('a crash between the release and the next scrape changes nothing', async () => {
    const { exporter, restart } = await scrapedBy();
    await exporter.count('failed');
    expect(await failures(exporter, a)).toEqual([0]);
    expect(await failures(await restart(), a)).toEqual([1]);
  });

  test('events caught up after a restart are seen as an increase over what was served before', async () => {
    const { exporter, restart } = await scrapedBy();
    await exporter.initialDeltas('failed');
    await exporter.scrape(a);
    await exporter.count('failed', 5);
    expect(await failures(exporter, a)).toEqual([5]);
    const next = await restart();
    await next.count('failed', 2);
    expect(await failures(next, a, a, a)).toEqual([5, 5, 7]);
  });

  test('two scrapers with different phases both see it at 0', async () => {
    const { clock, exporter } = await scrapedBy([a, b]);
    await exporter.count('failed');
    clock.advance(30_000);
    expect(await failures(exporter, a)).toEqual([0]);
    clock.advance(15_000);
    expect(await failures(exporter, a, b, a, b)).toEqual([0, 0, 1, 1]);
  });

  test('an increment between the first two scrapes of a new series waits for the second', async () => {
    const { exporter } = await scrapedBy([a, b]);
    await exporter.initialDeltas('failed');
    await exporter.scrape(a);
    await exporter.count('failed');
    expect(await failures(exporter, a, b, b)).toEqual([0, 0, 1]);
  });

  test('a scrape interval of two minutes is waited for', async () => {
    const { clock, exporter } = await scrapedBy([a, b]);
    await exporter.count('failed');
    for (let seconds = 15; seconds < 120; seconds += 15) {
      clock.advance(15_000);
      expect(await failures(exporter, b)).toEqual([0]);
    }
    clock.advance(15_000);
    expect(await failures(exporter, a, b)).toEqual([0, 1]);
    clock.advance(120_000);
    expect(await failures(exporter, a)).toEqual([1]);
  });

  test('a scraper that has gone is waited for no longer than 5 minutes', async () => {
    const { clock, exporter } = await scrapedBy([a, b]);
    await exporter.count('failed');
    clock.advance(300_000);
    expect(await failures(exporter, a, a)).toEqual([0, 0]);
    clock.advance(1);
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });

  test('a client that does not scrape does not count while Prometheus does', async () => {
    const { exporter } = await scrapedBy();
    await exporter.count('failed');
    expect(await failures(exporter, curl, curl, curl, a, a)).toEqual([0, 0, 0, 0, 1]);
  });

  test('without a scraper, any other client counts', async () => {
    const { exporter } = await scrapedBy([curl]);
    await exporter.count('failed');
    expect(await failures(exporter, curl, curl)).toEqual([0, 1]);
  });

  test('a page that did not arrive was not seen', async () => {
    const { exporter } = await scrapedBy();
    await exporter.count('failed');
    for (let lost = 0; lost < 3; lost += 1) expect(exporter.page(a).value('failed')).toBe(0);
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });

  test('a page that was made before the series is no scrape of it, however late it arrives', async () => {
    const { exporter } = await scrapedBy();
    const early = exporter.page(a);
    await exporter.count('failed');
    await early.arrive();
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });

  test('two scrapes at once release it once', async () => {
    const { exporter, store } = await scrapedBy();
    await exporter.count('failed', 3);
    const pages = [exporter.page(a), exporter.page(a)];
    await Promise.all(pages.map(async page => page.arrive()));
    expect(await failures(exporter, a, a)).toEqual([3, 3]);
    expect(await store.series()).toEqual([expect.not.objectContaining({ held: expect.anything() })]);
  });

  test('there is no time limit: what nobody scrapes waits', async () => {
    const { clock, exporter } = await scrapedBy();
    await exporter.count('failed');
    clock.advance(30 * 86_400_000);
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });

  test('what could not be stored as seen stays held, and is tried again at the next scrape', async () => {
    const store = memoryStore();
    let broken = false;
    const commit: typeof store.commit = async change => {
      if (broken) throw new Error('disk full');
      return store.commit(change);
    };
    const { exporter } = await scrapedBy([a], { store: { ...store, commit } });
    await exporter.count('failed');
    broken = true;
    expect(await failures(exporter, a, a)).toEqual([0, 0]);
    broken = false;
    expect(await failures(exporter, a, a)).toEqual([0, 1]);
  });
});

describe('switched off', () => {
  test('nothing is held, and what was held before is released at the start', async () => {
    const { clock, store, exporter } = await scrapedBy();
    await exporter.count('failed', 2);
    const next = await startExporter({ clock, store, hold: false });
    expect(await failures(next, a)).toEqual([2]);
    await next.count('failed');
    expect(await failures(next, a)).toEqual([3]);
    expect(await store.series()).toEqual([expect.not.objectContaining({ held: expect.anything() })]);
  });
});

const moved = async () => {
  const { exporter, restart } = await scrapedBy([a], { movable: true });
  await exporter.initialDeltas('failed');
  expect(await failures(exporter, a, a)).toEqual([0, 0]);
  return { exporter, next: restart };
};

const isRelease = (delta: SeriesDelta): boolean => delta.kind === 'counter' && (delta.held ?? 0) < 0;

describe('A replica continues the series of another one', () => {
  test('an increment is shown by the next page, as ever', async () => {
    const { exporter } = await moved();
    await exporter.count('failed', 2);
    expect(await failures(exporter, a)).toEqual([2]);
    await exporter.count('failed');
    expect(await failures(exporter, a, a)).toEqual([3, 3]);
  });

  test('what no page has shown is seen as an increase on the next replica', async () => {
    const { exporter, next } = await moved();
    await exporter.count('failed', 2);
    expect(await failures(exporter, a)).toEqual([2]);
    await exporter.count('failed');
    await exporter.incrementHold.release(); // as at a stop
    expect(await failures(await next(), a, a, a)).toEqual([2, 2, 3]);
  });

  test('what a page has shown does not go back on the next replica', async () => {
    const { exporter, next } = await moved();
    await exporter.count('failed', 2);
    expect(await failures(exporter, a)).toEqual([2]);
    expect(await failures(await next(), a, a, a)).toEqual([2, 2, 2]);
  });

  test('no series is removed between the release of its increments and the page that shows them', async () => {
    const { exporter } = await moved();
    const [made, order]: [PromiseWithResolvers<void>, string[]] = [Promise.withResolvers(), []];
    const page = exporter.incrementHold.page(async () => {
      await made.promise;
      order.push('page');
    });
    const removed = exporter.incrementHold.pause(() => void order.push('removed'));
    await Promise.race([removed, new Promise(setImmediate)]);
    made.resolve();
    await Promise.all([page, removed]);
    expect(order).toEqual(['page', 'removed']);
  });

  test('a page does not wait for a store that does not answer, and shows what was released before', async () => {
    const store = memoryStore();
    let isStuck = false;
    const exporter = await startExporter({
      clock: drivenClock(),
      movable: true,
      store: {
        ...store,
        commit: async change =>
          isStuck && change.deltas?.some(isRelease) === true ? new Promise(() => undefined) : store.commit(change),
      },
    });
    await exporter.initialDeltas('failed');
    expect(await failures(exporter, a, a)).toEqual([0, 0]);
    isStuck = true;
    await exporter.count('failed');
    expect(await failures(exporter, a)).toEqual([0]);
  });
});
