import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { organizations } from '../../src/simulator/cast.js';
import type { Entry, SimSession } from '../../src/simulator/world.js';
import { type BoardPanel, boards, type Target, targetsOf } from '../dashboards/boards.js';
import { type Archive, type Series, startArchive } from './support/archive.js';
import { asked, isInstant, stepOf, type TimeRange } from './support/as-grafana.js';
import { backfill } from './support/backfill.js';
import { type Counts, panelNamed, sums, tally } from './support/counts.js';
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

/** Nothing of this kind happened in that week; over http there is no certificate; and there is no week before. */
const quietPanels = [
  'VB365 / Fleet overview: Oldest open',
  'VB365 / Exporter health: Errors by reason',
  'VB365 / Exporter health: Unknown words',
  'VB365 / Exporter health: Odd answers',
  'VB365 / Exporter health: Missed by the feed',
  'VB365 / Exporter health: Given up or corrected',
  'VB365 / Exporter health: Events set aside by reason',
  'VB365 / Exporter health: Versions and times F',
  'VB365 / Organization: Items per day, against the week before B',
];

describe('every PromQL query, on a real Prometheus that has scraped for a simulated week', () => {
  test.each(queries)('$name', async ({ name, panel, target }) => {
    const silent = quietPanels.includes(name) || quietPanels.includes(`${name} ${target.refId}`);
    for (const range of [day, week]) {
      const found = await answers(panel, target, range);
      expect({ range, empty: found.length === 0 }).toEqual({ range, empty: silent });
    }
  });
});

/** What the simulators have written down, of a time range. */
const book = ({ from }: TimeRange): readonly (Entry & { server: string })[] =>
  [...worlds].flatMap(([server, world]) =>
    [...world.book()]
      .filter(({ event }) => event.type !== 'None' && Number(event.endedAt) / 1e9 > from)
      .map(entry => ({ ...entry, server })),
  );
const stopped = ({ from }: TimeRange): readonly (SimSession & { server: string })[] =>
  [...worlds].flatMap(([server, world]) =>
    world
      .sessions()
      .filter(({ endedAt }) => endedAt !== undefined && Number(endedAt) / 1e9 > from)
      .map(session => ({ ...session, server })),
  );

const came = ({ event }: Entry): boolean => event.status === 'Success' || event.status === 'Warning';
const failed = ({ event }: Entry): boolean => event.status === 'Failed';
const leftTheBackup = ({ event }: Entry): boolean => /^(?:Save|Export|Send)$/.test(event.type);
const everything = (): string => '';
const byPlace = ({ server, session }: Entry & { server: string }): string => `${server} ${session.organization}`;
const place = ['server', 'organization'];
const workloads: Readonly<Record<string, string>> = {
  Vex: 'exchange',
  Veod: 'onedrive',
  Vesp: 'sharepoint',
  Vet: 'teams',
};

type Check = Readonly<{
  panel: readonly [uid: string, title: string, refId?: string];
  by: readonly string[];
  book: (range: TimeRange) => Counts;
}>;

const checks: readonly Check[] = [
  { panel: ['vb365-fleet', 'Sessions ended'], by: [], book: range => tally(stopped(range), everything) },
  {
    panel: ['vb365-fleet', 'Sessions failed'],
    by: [],
    book: range =>
      tally(
        stopped(range).filter(({ result }) => result === 'Failed'),
        everything,
      ),
  },
  { panel: ['vb365-fleet', 'Items failed'], by: [], book: range => tally(book(range).filter(failed), everything) },
  {
    panel: ['vb365-fleet', 'Failed items by organization'],
    by: place,
    book: range => tally(book(range).filter(failed), byPlace),
  },
  {
    panel: ['vb365-fleet', 'Organizations', 'A'],
    by: place,
    book: range => tally(stopped(range), ({ server, organization }) => `${server} ${organization}`),
  },
  { panel: ['vb365-fleet', 'Organizations', 'C'], by: place, book: range => tally(book(range), byPlace) },
  {
    panel: ['vb365-fleet', 'Organizations', 'D'],
    by: place,
    book: range => tally(book(range).filter(failed), byPlace),
  },
  {
    panel: ['vb365-fleet', 'Organizations', 'E'],
    by: place,
    book: range => tally(book(range).filter(leftTheBackup), byPlace),
  },
  {
    panel: ['vb365-fleet', 'Time per item by what was done', 'A'],
    by: ['workload', 'event_type'],
    book: range =>
      tally(
        book(range).filter(one => came(one) || failed(one)),
        ({ session, event }) => `${String(workloads[session.type])} ${event.type}`,
      ),
  },
  {
    panel: ['vb365-organization', 'Items taken out'],
    by: [],
    book: range => tally(book(range).filter(leftTheBackup), everything),
  },
];

describe('Nothing lost, nothing counted twice: a panel says what the books of the servers say', () => {
  test('there is something to say', () => {
    expect(book(day).length).toBeGreaterThan(100);
    expect(book(day).filter(failed).length).toBeGreaterThan(3);
    expect(book(week).length).toBeGreaterThan(600);
  });

  test.each(checks)('$panel.1 $panel.2', async ({ panel, by, book: booked }) => {
    for (const range of [day, week]) {
      const found = await answers(...panelNamed(...panel), range);
      expect(sums(found, by)).toEqual(booked(range));
    }
  });

  test('a ranking has the ten highest of the book', async () => {
    for (const range of [day, week]) {
      const booked = tally(
        book(range).filter(failed),
        ({ session, event }) => `${String(workloads[session.type])} ${event.type}`,
      );
      const found = sums(await answers(...panelNamed('vb365-organization', 'Failed items by workload'), range), [
        'workload',
        'event_type',
      ]);
      const highest = Object.values(booked).toSorted((a, b) => b - a);
      expect(Object.values(found).toSorted((a, b) => b - a)).toEqual(highest.slice(0, 10));
      expect(booked).toMatchObject(found);
    }
  });
});

/** Series of a family that came into being in the range. */
async function births(selector: string, range: TimeRange): Promise<number> {
  const [now, then] = await Promise.all(
    [range.to, range.from].map(async at => (await archive.instant(`count(${selector})`, at))[0]?.values[0]?.[1] ?? 0),
  );
  return (now ?? 0) - (then ?? 0);
}

/**
 * `increase()` stretches what it saw to its whole range, so a series that is new in a bar may show one event too many:
 * with five minutes between scrapes more often than with half a minute. Nothing else may differ.
 */
describe('bars say what the books of the servers say, but for series that have just come into being', () => {
  const items = 'vb365_restore_events_total{event_type!="None"}';

  test.each([
    ['Items by status', 'status', ({ event }: Entry) => event.status],
    ['Items by what was done', 'event_type', ({ event }: Entry) => event.type],
  ] as const)('%s', async (title, label, by) => {
    for (const range of [day, week]) {
      const found = sums(await answers(...panelNamed('vb365-fleet', title), range), [label]);
      const booked = tally(book(range), by);
      expect(Object.keys(found).toSorted()).toEqual(Object.keys(booked).toSorted());
      for (const [kind, count] of Object.entries(booked)) {
        const born = await births(items.replace('}', `,${label}="${kind}"}`), range);
        expect(found[kind]).toBeGreaterThanOrEqual(count);
        expect(found[kind]).toBeLessThanOrEqual(count + born);
      }
      expect(found['Failed']).toBe(booked['Failed']);
    }
  });

  test('how long sessions were open: each is in one bucket of the heatmap', async () => {
    for (const range of [day, week]) {
      const found = await answers(...panelNamed('vb365-fleet', 'How long sessions were open'), range);
      const count = sums(found, ['le'])['+Inf'];
      const born = await births('vb365_restore_session_duration_seconds_count', range);
      expect(count).toBeGreaterThanOrEqual(stopped(range).length - born);
      expect(count).toBeLessThanOrEqual(stopped(range).length);
    }
  });

  test('sizes are right to a few percent', async () => {
    for (const range of [day, week]) {
      const sizes = tally(book(range).filter(came), everything, ({ event }) => event.itemSizeBytes)[''] ?? 0;
      for (const [uid, title] of [
        ['vb365-organization', 'Data'],
        ['vb365-fleet', 'Data by what was done'],
      ] as const) {
        const said = Object.values(sums(await answers(...panelNamed(uid, title), range), ['event_type']));
        const sum = said.reduce((all, one) => all + one, 0);
        expect(Math.abs(sum / sizes - 1)).toBeLessThan(0.1);
      }
    }
  });
});
