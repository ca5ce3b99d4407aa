import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { organizations } from '../../src/simulator/cast.js';
import type { Entry } from '../../src/simulator/world.js';
import { type BoardPanel, boards, type Target, targetsOf } from '../dashboards/boards.js';
import { type Archive, type Series, startArchive } from './support/archive.js';
import { asked, isInstant, stepOf, type TimeRange } from './support/as-grafana.js';
import { backfill } from './support/backfill.js';
import { panelNamed, sums, tally } from './support/counts.js';
import {
  type Book,
  bookOf,
  byKind,
  byPlace,
  came,
  checks,
  endOf,
  everything,
  failed,
  isOpen,
  mostOpen,
  notInTheBook,
  place,
  quietPanels,
  sessionsOf,
  workloadOf,
} from './support/panel-book.js';
import { simulatedTime, type Worlds } from './support/simulated-time.js';

const scrape = 300;
const daySeconds = 86_400;
/** A Saturday, early: the day before was a working day, and nothing happens when the ranges begin and end. */
const to = Date.parse('2026-03-14T02:00:00Z') / 1000;
const day: TimeRange = { from: to - daySeconds, to, scrape };
const week: TimeRange = { from: to - 7 * daySeconds, to, scrape };
/** Scrapes never come when Grafana's points are. */
const phaseSeconds = 7;

let folder = '';
let archive: Archive;
let worlds: Worlds;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vb365-dashboards-'));
  const samples = backfill(join(folder, 'samples'));
  worlds = await simulatedTime({
    folder,
    fromMs: (week.from + phaseSeconds) * 1000,
    untilMs: to * 1000,
    stepMs: scrape * 1000,
    servers: [
      { name: 'hq', play: { seed: 1, organizations, sessionsPerHour: 5 } },
      { name: 'branch', play: { seed: 2, organizations, sessionsPerHour: 1 } },
    ],
    scraped: samples.scraped,
  });
  await samples.write(join(folder, 'tsdb'));
  archive = await startArchive(folder);
}, 900_000);

afterAll(async () => {
  await archive.stop();
  rmSync(folder, { recursive: true, force: true });
});

const queries = boards.flatMap(board =>
  targetsOf(board, 'prometheus').map(({ panel, target }) => ({
    name: `${board.title}: ${panel.title}`,
    panel,
    target,
  })),
);

const answers = async (panel: BoardPanel, target: Target, range: TimeRange): Promise<readonly Series[]> => {
  const step = stepOf(panel, range);
  const query = asked(target, panel, range);
  return isInstant(target)
    ? archive.instant(query, range.to)
    : archive.range(query, { start: Math.ceil(range.from / step) * step, end: range.to, step });
};

describe('every PromQL query, on a real Prometheus that has scraped for a simulated week', () => {
  test.each(queries)('$name', async ({ name, panel, target }) => {
    const silent = quietPanels.includes(name) || quietPanels.includes(`${name} ${target.refId}`);
    for (const range of [day, week]) {
      const found = await answers(panel, target, range);
      expect({ range, empty: found.length === 0 }).toEqual({ range, empty: silent });
    }
  });
});

const book = ({ from }: TimeRange): Book => bookOf(worlds, from);

/** The queries that were compared with the book. */
const compared = new Set<string>();
const panel = (uid: string, title: string, refId = 'A'): readonly [BoardPanel, Target] => {
  compared.add(`${uid}: ${title} ${refId}`);
  return panelNamed(uid, title, refId);
};

describe('Nothing lost, nothing counted twice: a panel says what the books of the servers say', () => {
  test('there is something to say', () => {
    expect(book(day).items.length).toBeGreaterThan(100);
    expect(book(day).items.filter(failed).length).toBeGreaterThan(3);
    expect(book(week).items.length).toBeGreaterThan(600);
  });

  test.each(checks)('$panel.0: $panel.1 $panel.2', async ({ panel: place_, by, book: booked }) => {
    for (const range of [day, week]) {
      const found = await answers(...panel(...place_), range);
      expect(sums(found, by)).toEqual(booked(book(range)));
    }
  });

  test('a ranking has the ten highest of the book', async () => {
    for (const range of [day, week]) {
      const booked = tally(book(range).items.filter(failed), byKind);
      const found = sums(await answers(...panel('vb365-organization', 'Failed items by workload'), range), [
        'workload',
        'event_type',
      ]);
      const highest = Object.values(booked).toSorted((a, b) => b - a);
      expect(Object.values(found).toSorted((a, b) => b - a)).toEqual(highest.slice(0, 10));
      expect(booked).toMatchObject(found);
    }
  });

  test.each(['vb365-fleet', 'vb365-organization'])('%s: the ratio is that of the sessions', async uid => {
    for (const range of [day, week]) {
      const { stopped } = book(range);
      const failures = stopped.filter(({ result }) => result === 'Failed');
      const ratio = sums(await answers(...panel(uid, 'Session success'), range), [])[''];
      expect(ratio).toBeCloseTo(1 - failures.length / stopped.length, 9);
    }
  });

  test('when an item failed last', async () => {
    const { items } = book(week);
    const last = Object.fromEntries(
      items
        .filter(failed)
        .toSorted((a, b) => endOf(a) - endOf(b))
        .map(one => [byPlace(one), one] as const),
    );
    const found = sums(await answers(...panel('vb365-fleet', 'Organizations', 'G'), day), place);
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(last).toSorted());
    for (const [where, entry] of Object.entries(last)) expect(found[where]).toBeCloseTo(endOf(entry) * 1000, -1);
    const latest = sums(await answers(...panel('vb365-organization', 'Last failure'), day), [])[''];
    expect(latest).toBeCloseTo(Math.max(...Object.values(last).map(endOf)) * 1000, -1);
  });

  test('items of a day, and of the day a week before', async () => {
    const [these, before] = ['A', 'B'].map(refId =>
      panel('vb365-organization', 'Items per day, compared with the previous week', refId),
    );
    if (these === undefined || before === undefined) throw new Error('The panel has no two queries');
    const [series] = await answers(...these, day);
    expect(series?.values.at(-1)?.[1]).toBe(book(day).items.length);
    expect(before[1].expr).toBe(these[1].expr?.replace('[1d]', '[1d] offset 1w'));
  });
});

const open = (at: number) => sessionsOf(worlds).filter(isOpen(at));

/** A scrape of the working day at which three sessions are open, and one on each server. */
const atWork = (): number => {
  const scrapes = Array.from({ length: 12 * 8 }, (_, index) => day.from + 8 * 3600 + phaseSeconds + index * scrape);
  const busy = scrapes.find(
    at => new Set(open(at).map(({ server }) => server)).size === worlds.size && open(at).length > 2,
  );
  if (busy === undefined) throw new Error('There is no time at which three sessions are open on both');
  return busy;
};

describe('what is open', () => {
  test.each(['vb365-fleet', 'vb365-organization'])('%s: now, on a working day', async uid => {
    const at = atWork();
    const found = await answers(...panel(uid, 'Open now'), { ...day, to: at });
    expect(sums(found, [])).toEqual(tally(open(at), everything));
  });

  test('for how long', async () => {
    const at = atWork();
    const found = await answers(...panel('vb365-fleet', 'Oldest open'), { ...day, to: at });
    const oldest = Math.min(...open(at).map(({ createdAt }) => Number(createdAt) / 1e9));
    expect(sums(found, [])['']).toBeCloseTo(at - oldest, 0);
  });

  test('a band is as dark as the most sessions at once of its time, whatever its width', async () => {
    const scrapes = Array.from({ length: (to - week.from) / scrape }, (_, n) => week.from + phaseSeconds + n * scrape);
    for (const range of [day, week]) {
      const [drawn, target] = panel('vb365-organization', 'Open sessions');
      const windowSeconds = Math.max(stepOf(drawn, range) + scrape, 4 * scrape);
      const found = await answers(drawn, target, range);
      expect(found.length).toBe(4);
      for (const { labels, values } of found) {
        const ofWorkload = sessionsOf(worlds).filter(session => workloadOf(session) === labels['workload']);
        const within = (at: number) => scrapes.filter(one => one > at - windowSeconds && one <= at);
        expect(values).toEqual(values.map(([at]) => [at, mostOpen(ofWorkload, within(at))]));
      }
    }
  });
});

/** How many series of a family are new in the range. */
async function newSeries(selector: string, range: TimeRange): Promise<number> {
  const [now, then] = await Promise.all(
    [range.to, range.from].map(async at => (await archive.instant(`count(${selector})`, at))[0]?.values[0]?.[1] ?? 0),
  );
  return (now ?? 0) - (then ?? 0);
}

/**
 * `increase()` stretches what it saw to its whole range, so a series that is new in a bar may show one event too many:
 * with five minutes between scrapes more often than with half a minute. Nothing else may differ.
 */
describe('bars show what the books of the servers say, except for series that are new', () => {
  const items = 'vb365_restore_events_total{event_type!="None"}';

  const kinds = [
    ['Items by status', 'status', ({ event }: Entry) => event.status],
    ['Items by operation', 'event_type', ({ event }: Entry) => event.type],
  ] as const;
  const bars = ['vb365-fleet', 'vb365-organization'].flatMap(uid => kinds.map(kind => [uid, ...kind] as const));

  test.each(bars)('%s: %s', async (uid, title, label, by) => {
    for (const range of [day, week]) {
      const found = sums(await answers(...panel(uid, title), range), [label]);
      const booked = tally(book(range).items, by);
      expect(Object.keys(found).toSorted()).toEqual(Object.keys(booked).toSorted());
      for (const [kind, count] of Object.entries(booked)) {
        const added = await newSeries(items.replace('}', `,${label}="${kind}"}`), range);
        expect(found[kind]).toBeGreaterThanOrEqual(count);
        expect(found[kind]).toBeLessThanOrEqual(count + added);
      }
      expect(found['Failed']).toBe(booked['Failed']);
    }
  });

  test('how long sessions were open: each is in one bucket of the heatmap', async () => {
    for (const range of [day, week]) {
      const found = await answers(...panel('vb365-fleet', 'Session duration'), range);
      const count = sums(found, ['le'])['+Inf'];
      const added = await newSeries('vb365_restore_session_duration_seconds_count', range);
      expect(count).toBeGreaterThanOrEqual(book(range).stopped.length - added);
      expect(count).toBeLessThanOrEqual(book(range).stopped.length);
    }
  });

  test('sizes are right to a few percent', async () => {
    for (const range of [day, week]) {
      const sizes = tally(book(range).items.filter(came), everything, ({ event }) => event.itemSizeBytes)[''] ?? 0;
      for (const [uid, title, refId] of [
        ['vb365-organization', 'Data', 'A'],
        ['vb365-organization', 'Data by operation', 'A'],
        ['vb365-fleet', 'Data by operation', 'A'],
        ['vb365-fleet', 'Organizations', 'F'],
      ] as const) {
        const found = await answers(...panel(uid, title, refId), range);
        const said = Object.values(sums(found, ['event_type', ...place]));
        const sum = said.reduce((all, one) => all + one, 0);
        expect(Math.abs(sum / sizes - 1)).toBeLessThan(0.1);
      }
    }
  });
});

describe('deliveries', () => {
  test('are all that ended, sessions and what is said of them included, each at the first try', async () => {
    for (const range of [day, week]) {
      const { events, stopped } = book(range);
      const found = sums(await answers(...panel('vb365-exporter', 'Deliveries'), range), ['outcome']);
      expect(found).toEqual({ delivered: events.length + stopped.length });
    }
  });
});

/** Whole numbers: what counts things, and what is shown as such. */
const countsOf = boards.flatMap(board =>
  targetsOf(board, 'prometheus')
    .filter(
      ({ panel: { fieldConfig }, expr }) =>
        expr.includes('round(increase(') || ['short', 'locale'].includes(fieldConfig?.defaults.unit ?? ''),
    )
    .map(({ panel: { title }, target }) => `${board.uid}: ${title} ${target.refId}`),
);

test('each count was compared with the book, or it is said why not', () => {
  expect(countsOf.filter(one => !compared.has(one) && notInTheBook[one] === undefined)).toEqual([]);
  expect(Object.keys(notInTheBook).filter(one => !countsOf.includes(one) || compared.has(one))).toEqual([]);
});
