import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { organizations } from '../../src/simulator/cast.js';
import { generatedOwners } from '../../src/simulator/owners.js';
import { type Entry, type SimSession, World } from '../../src/simulator/world.js';
import {
  type Board,
  type BoardPanel,
  boards,
  type Target,
  targetsOf,
  victoriaLogsBoards,
} from '../dashboards/boards.js';
import { officeHours } from '../support/office-hours.js';
import { asked, type Choices, isInstant, stepOf, type TimeRange } from './support/as-grafana.js';
import type { Series } from './support/archive.js';
import { type Counts, panelNamed, sums, tally } from './support/counts.js';
import { type LogArchive, lokiArchive, victoriaLogsArchive } from './support/log-archives.js';
import type { Line } from '../support/loki-receiver.js';
import { replayed } from './support/replay.js';

const daySeconds = 86_400;
/** A Saturday, early: the week before had a weekend, and nothing happens when the range begins and ends. */
const to = Date.parse('2026-03-14T02:00:00Z') / 1000;
const week: TimeRange = { from: to - 7 * daySeconds, to, scrape: 60 };

/** A log store, the build of the dashboards for it, and what it calls an attribute. */
type Store = Readonly<{
  name: string;
  source: string;
  boards: readonly Board[];
  start: (folder: string) => Promise<LogArchive>;
  field: (attribute: string) => string;
}>;

const stores: readonly Store[] = [
  {
    name: 'LogsQL on a real VictoriaLogs',
    source: 'victoriametrics-logs-datasource',
    boards: victoriaLogsBoards,
    start: victoriaLogsArchive,
    field: attribute => attribute,
  },
  {
    name: 'LogQL, as the evaluator of the tests understands it',
    source: 'loki',
    boards,
    start: lokiArchive,
    field: attribute => attribute.replaceAll('.', '_'),
  },
];

const worlds = new Map([
  ['hq', worldOf(1, 5)],
  ['branch', worldOf(2, 1)],
]);

/** Eight days in the life of a server; the first is older than what is asked for. */
function worldOf(seed: number, sessionsPerHour: number): World {
  const world = new World(seed);
  for (const owner of generatedOwners(seed)) world.addOwner(owner);
  const fromMs = (week.from - daySeconds) * 1000;
  officeHours({ seed, organizations, fromMs, untilMs: to * 1000, sessionsPerHour }).advance(world, to * 1000);
  return world;
}

const endOf = ({ event }: Entry): Date => new Date(Number((event.endedAt ?? event.startedAt) / 1_000_000n));
/** Everything that ended, what is said of sessions included. */
const said: readonly Entry[] = [...worlds.values()].flatMap(world =>
  [...world.book()].filter(entry => endOf(entry).getTime() / 1000 > week.from),
);
const book = said.filter(({ event }) => event.type !== 'None');
const stopped: readonly SimSession[] = [...worlds.values()].flatMap(world =>
  world.sessions().filter(({ endedAt = 0n }) => Number(endedAt) / 1e9 > week.from),
);
const failed = ({ event }: Entry): boolean => event.status === 'Failed';
const failures = [
  ...book.filter(failed).map(({ event }) => event.id),
  ...stopped.filter(({ result }) => result === 'Failed').map(({ id }) => id),
];
const seconds = ({ createdAt, endedAt = 0n }: SimSession): number => Number(endedAt - createdAt) / 1e9;
const lengths = stopped.map(seconds).toSorted((a, b) => a - b);
const takenOut = ({ event }: Entry): boolean => /^(?:Save|Export|Send)$/.test(event.type);
const isOutside = (end: Date): boolean => end.getUTCHours() < 7 || end.getUTCHours() >= 19 || end.getUTCDay() % 6 === 0;
const outside = (entry: Entry): boolean => isOutside(endOf(entry));
const all = (): string => '';
const who = ({ session }: Entry): string => session.initiatedBy.toLowerCase();
const why = ({ session }: Entry): string => session.reason;
const withReason = book.filter(({ session }) => session.reason !== '');
const sum = (entries: readonly Entry[]): Counts => tally(entries, all, ({ event }) => event.itemSizeBytes);

/** The ten highest; those of the tenth place may be others. */
const top = (ofEach: Counts): readonly number[] =>
  Object.values(ofEach)
    .toSorted((a, b) => b - a)
    .slice(0, 10);

type Place = readonly [uid: string, title: string];
const ofOrganization = (title: string): Place => ['vb365-organization', title];
const ofFleet = (title: string): Place => ['vb365-fleet', title];
const ofSession = (title: string): Place => ['vb365-session', title];

const ownerOf = ({ event }: Entry) =>
  [...worlds.values()].flatMap(world => world.owner('user', event.touched.userId) ?? [])[0];
const nameOfOwner = (entry: Entry): string => ownerOf(entry)?.name ?? '';
/** An initiator without an address is not comparable, and a shared mailbox is nobody's own. */
const ofOthers = (entry: Entry): boolean =>
  entry.session.initiatedBy.includes('@') &&
  ownerOf(entry)?.accountType === 'User' &&
  ownerOf(entry)?.email !== entry.session.initiatedBy;

const idsOf = (wanted: (entry: Entry) => boolean): readonly string[] =>
  book
    .filter(wanted)
    .map(({ event }) => event.id)
    .toSorted();

describe.each(stores)('$name', ({ source, boards: built, start, field }) => {
  let folder = '';
  let archive: LogArchive;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vb365-log-dashboards-'));
    archive = await start(folder);
    await replayed({ worlds, folder, fromMs: week.from * 1000, to: archive.url, protocol: archive.protocol });
    await archive.flush();
  }, 300_000);

  afterAll(async () => {
    await archive.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const numbers = async (panel: BoardPanel, target: Target, choices: Choices = {}): Promise<readonly Series[]> => {
    const step = stepOf(panel, week);
    const query = asked(target, panel, week, choices);
    if (isInstant(target)) return archive.instant(query, { start: week.from, end: to });
    return archive.range(query, { start: Math.ceil(week.from / step) * step, end: to, step });
  };

  const uidsOf = (found: readonly Line[]): readonly string[] =>
    found.map(({ labels }) => labels[field('log.record.uid')] ?? '').toSorted();

  const lines = async (panel: BoardPanel, target: Target, choices: Choices = {}): Promise<readonly Line[]> =>
    archive.lines(asked(target, panel, week, choices), { start: week.from, end: to, limit: 10_000 });

  /** The records that a panel lists, in its order: those of its first query come first. */
  const listed = async (panel: BoardPanel, choices: Choices = {}): Promise<readonly Line[]> => {
    const found = await Promise.all((panel.targets ?? []).map(async target => lines(panel, target, choices)));
    return found.flat();
  };

  const queries = built.flatMap(board =>
    targetsOf(board, source).map(({ panel, target }) => ({ name: `${board.title}: ${panel.title}`, panel, target })),
  );

  test.each(queries)('$name finds something', async ({ panel, target }) => {
    const found = target.maxLines === undefined ? await numbers(panel, target) : await lines(panel, target);
    expect(found.length).toBeGreaterThan(0);
  });

  /** The queries that were compared with the book. */
  const compared = new Set<string>();
  const panel = ([uid, title]: Place): readonly [BoardPanel, Target] => {
    compared.add(`${uid}: ${title}`);
    return panelNamed(uid, title, 'A', built);
  };

  describe('a panel says what the books of the servers say', () => {
    test('there is something to say', () => {
      expect(book.filter(failed).length).toBeGreaterThan(3);
      expect(book.filter(outside).length).toBeGreaterThan(3);
      expect(stopped.length).toBeGreaterThan(30);
    });

    test.each<readonly [Place, readonly string[], Counts]>([
      [ofOrganization('People'), [], { '': new Set(stopped.map(one => one.initiatedBy.toLowerCase())).size }],
      [ofOrganization('Items outside office hours'), [], tally(book.filter(outside), all)],
      [ofOrganization('Longest session'), [], { '': lengths.at(-1) ?? 0 }],
      [ofSession('Longest session'), [], { '': lengths.at(-1) ?? 0 }],
      [ofSession('Sessions'), [], tally(stopped, all)],
      [
        ofSession('Failed sessions'),
        [],
        tally(
          stopped.filter(({ result }) => result === 'Failed'),
          all,
        ),
      ],
      [ofSession('Items'), [], tally(book, all)],
      [ofSession('Failed items'), [], tally(book.filter(failed), all)],
      [ofSession('Data'), [], sum(book)],
      [ofSession('Items over time'), [field('veeam.restore.event.status')], tally(book, ({ event }) => event.status)],
    ])('%s', async (place, by, booked) => {
      expect(sums(await numbers(...panel(place)), by)).toEqual(booked);
    });

    test('the median session is in the middle of the book', async () => {
      const found = sums(await numbers(...panel(ofOrganization('Median session'))), [])[''];
      const middle = lengths.slice(Math.floor(lengths.length / 2) - 1, Math.floor(lengths.length / 2) + 1);
      expect(found).toBeGreaterThanOrEqual(middle[0] ?? 0);
      expect(found).toBeLessThanOrEqual(middle.at(-1) ?? 0);
    });

    const takers = tally(book.filter(takenOut), who);

    test.each<readonly [Place, string, Counts]>([
      [ofOrganization('Who'), 'initiator', tally(book, who)],
      [
        ofOrganization('Client host'),
        field('veeam.restore.session.client.host'),
        tally(book, ({ session }) => session.clientHost),
      ],
      [
        ofOrganization('Whose data others opened'),
        field('veeam.restore.owner.name'),
        tally(book.filter(ofOthers), nameOfOwner),
      ],
      [ofOrganization('Who exported data'), 'initiator', takers],
      [ofFleet('Who exported data'), 'initiator', takers],
      [
        ofFleet('Why data was exported'),
        field('veeam.restore.session.reason'),
        tally(withReason.filter(takenOut), why),
      ],
      [ofOrganization('Why'), field('veeam.restore.session.reason'), tally(withReason, why)],
    ])('%s', async (place, label, booked) => {
      const found = sums(await numbers(...panel(place)), [label]);
      expect(booked).toMatchObject(found);
      expect(top(found)).toEqual(top(booked));
    });

    test.each<readonly [Place, readonly string[]]>([
      [ofOrganization('Sessions'), stopped.map(({ id }) => id)],
      [ofSession('Sessions: who, from where, why'), stopped.map(({ id }) => id)],
      [ofSession('Items: what, whose, from where, where to'), book.map(({ event }) => event.id)],
      [ofFleet('Latest exports: by whom, whose, where to, why'), book.filter(takenOut).map(({ event }) => event.id)],
      ...[ofFleet, ofOrganization].map(of => [of('Latest failures'), failures] as const),
      [ofSession('Log records'), [...said.map(({ event }) => event.id), ...stopped.map(({ id }) => id)]],
    ])('%s lists each record of the book, once', async (place, ids) => {
      const [one] = panel(place);
      expect(uidsOf(await listed(one))).toEqual(ids.toSorted());
    });
  });

  test.each([ofSession('Items: what, whose, from where, where to'), ofSession('Sessions: who, from where, why')])(
    '%s: %s lists what failed first',
    async (...place) => {
      const [one] = panelNamed(...place, 'A', built);
      const isFailed = (await listed(one)).map(({ labels }) => labels[field('severity_text')] === 'ERROR');
      const count = isFailed.filter(Boolean).length;
      expect(count).toBeGreaterThan(0);
      expect(isFailed.slice(count)).toEqual(isFailed.slice(count).map(() => false));
      expect(isFailed.length).toBeGreaterThan(count);
    },
  );

  test('each panel with log records was compared with the book', () => {
    const everyPanel = built.flatMap(board =>
      targetsOf(board, source).map(({ panel: { title } }) => `${board.uid}: ${title}`),
    );
    expect(everyPanel.filter(one => !compared.has(one))).toEqual([]);
  });

  describe('the fields of the session explorer', () => {
    const items = ofSession('Items: what, whose, from where, where to');
    const uids = async (choices: Choices): Promise<readonly string[]> =>
      uidsOf(await listed(panelNamed(...items, 'A', built)[0], choices));

    test('a session is narrowed down to by its id', async () => {
      const [session] = stopped;
      const wanted = idsOf(entry => entry.session.id === session?.id);
      expect(wanted.length).toBeGreaterThan(0);
      expect(await uids({ session: String(session?.id) })).toEqual(wanted);
    });

    test.each([
      [
        'a part of the name of who did it',
        { initiator: 'HELPDESK' },
        ({ session }: Entry) => session.initiatedBy.includes('helpdesk'),
      ],
      [
        'a part of an item or a place',
        { search: 'budget' },
        ({ event }: Entry) => [event.itemName, event.source, event.target].some(text => /budget/i.test(text)),
      ],
      [
        'a part of the address of an owner',
        { search: 'ALEX.WILBER@' },
        (entry: Entry) => ownerOf(entry)?.email?.startsWith('alex.wilber@') === true,
      ],
      ['a status', { status: 'Failed|Warning' }, ({ event }: Entry) => /^(?:Failed|Warning)$/.test(event.status)],
      [
        'an organization',
        { organization: 'contoso.onmicrosoft.com' },
        ({ session }: Entry) => session.organization === 'contoso.onmicrosoft.com',
      ],
    ])('items are found by %s', async (_, choices, wanted) => {
      expect(idsOf(wanted).length).toBeGreaterThan(0);
      expect(await uids(choices)).toEqual(idsOf(wanted));
    });
  });
});
