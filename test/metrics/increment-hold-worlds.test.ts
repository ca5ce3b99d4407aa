import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { SeriesName } from '../support/scraped.js';
import { a, b, curl, scrapedBy } from '../support/scrapers.js';

const scrapers = { a, b, curl };
type Who = keyof typeof scrapers;
type Step =
  | { do: 'count'; name: SeriesName; by: number; crash: boolean }
  | { do: 'create'; name: SeriesName }
  | { do: 'scrape'; who: Who; arrives: boolean }
  | { do: 'restart' };

const both = ['failed', 'success'] as const;
const anyName = fc.constantFrom(...both);
const steps = (who: readonly Who[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({
        do: fc.constant('count'),
        name: anyName,
        by: fc.integer({ min: 1, max: 3 }),
        crash: fc.boolean(),
      }),
      fc.record({ do: fc.constant('create'), name: anyName }),
      fc.record({ do: fc.constant('scrape'), who: fc.constantFrom(...who), arrives: fc.boolean() }),
      fc.record({ do: fc.constant('restart') }),
    ),
    { maxLength: 40 },
  );

/** What a Prometheus has of one series: `increase()` is the difference, without its extrapolation. */
type Watched = { readonly first: number; last: number };

/** Plays the steps over one store, process after process; `met`: who scrapes each process before anything happens. */
async function play(plan: readonly Step[], met: readonly Who[]) {
  const { exporter: first, restart } = await scrapedBy([]);
  const seen = new Map<string, Watched>();
  const total = { failed: 0, success: 0 };
  let exporter = first;
  const scrape = async (who: Who, arrives = true): Promise<void> => {
    const page = exporter.page(scrapers[who]);
    if (!arrives) return;
    await page.arrive();
    for (const name of both) {
      const value = page.value(name);
      if (value === undefined) continue;
      const watched = seen.get(`${who} ${name}`) ?? { first: value, last: value };
      // One that goes down is taken for a reset, and all of it counted again.
      expect(value).toBeGreaterThanOrEqual(watched.last);
      seen.set(`${who} ${name}`, { ...watched, last: value });
    }
  };
  const begin = async (): Promise<void> => {
    exporter = await restart();
    for (const who of met) await scrape(who);
  };
  const run = async (step: Step): Promise<void> => {
    if (step.do === 'scrape') return scrape(step.who, step.arrives);
    if (step.do === 'create') return exporter.initialDeltas(step.name);
    if (step.do === 'restart') return begin();
    total[step.name] += step.by;
    await exporter.count(step.name, step.by, step.crash ? 'crash' : undefined);
    if (step.crash) await begin();
  };
  await begin();
  for (const step of plan) await run(step);
  for (let round = 0; round < 4; round += 1) for (const who of [...met, 'a'] as const) await scrape(who);
  return { seen, total };
}

/** Every event is in the difference of the samples, and in it once. */
function expectAllSeen(who: Who, { seen, total }: Awaited<ReturnType<typeof play>>): void {
  for (const name of both)
    if (total[name] > 0) expect(seen.get(`${who} ${name}`)).toEqual({ first: 0, last: total[name] });
}

describe('Nothing counted twice, and the first failure alerts', () => {
  test('a scraper sees each event exactly once, whatever crashes, restarts and gets lost in between', async () => {
    await fc.assert(
      fc.asyncProperty(steps(['a']), async plan => {
        expectAllSeen('a', await play(plan, []));
      }),
      { numRuns: 300 },
    );
  });

  test('two scrapers at the same interval see each event exactly once, with other clients around', async () => {
    await fc.assert(
      fc.asyncProperty(steps(['a', 'b', 'curl']), async plan => {
        const played = await play(plan, ['a', 'b']);
        expectAllSeen('a', played);
        expectAllSeen('b', played);
      }),
      { numRuns: 300 },
    );
  });
});
