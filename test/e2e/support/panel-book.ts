import type { Entry, SimSession } from '../../../src/simulator/world.js';
import { type Counts, tally } from './counts.js';
import type { Worlds } from './simulated-time.js';

type OfServer = Readonly<{ server: string }>;

/** What the simulators have written down from a moment on. */
export type Book = Readonly<{
  /** Items in their final status, by their end; nothing that is only said of a session. */
  items: readonly (Entry & OfServer)[];
  /** Everything that ended, what is said of sessions included. */
  events: readonly (Entry & OfServer)[];
  /** Sessions that stopped. */
  stopped: readonly (SimSession & OfServer)[];
}>;

export function bookOf(worlds: Worlds, fromSeconds: number): Book {
  const events = [...worlds].flatMap(([server, world]) =>
    [...world.book()].filter(one => endOf(one) > fromSeconds).map(entry => ({ ...entry, server })),
  );
  const stopped = sessionsOf(worlds).filter(({ endedAt = 0n }) => secondsOf(endedAt) > fromSeconds);
  return { events, items: events.filter(({ event }) => event.type !== 'None'), stopped };
}

const secondsOf = (nanos: bigint): number => Number(nanos) / 1e9;
export const endOf = ({ event }: Entry): number => secondsOf(event.endedAt ?? event.startedAt);

/** All sessions, open ones included. */
export const sessionsOf = (worlds: Worlds): readonly (SimSession & OfServer)[] =>
  [...worlds].flatMap(([server, world]) => world.sessions().map(session => ({ ...session, server })));

export const isOpen =
  (atSeconds: number) =>
  ({ createdAt, endedAt }: SimSession): boolean =>
    secondsOf(createdAt) <= atSeconds && (endedAt === undefined || secondsOf(endedAt) > atSeconds);

/** The most that were open in each place at any of these times, added up. */
export function mostOpen(sessions: readonly (SimSession & OfServer)[], times: readonly number[]): number {
  const highest = new Map<string, number>();
  for (const at of times)
    for (const [where, count] of Object.entries(tally(sessions.filter(isOpen(at)), placeOf)))
      highest.set(where, Math.max(highest.get(where) ?? 0, count));
  return [...highest.values()].reduce((sum, count) => sum + count, 0);
}

export const came = ({ event }: Entry): boolean => event.status === 'Success' || event.status === 'Warning';
export const failed = ({ event }: Entry): boolean => event.status === 'Failed';
const sessionFailed = ({ result }: SimSession): boolean => result === 'Failed';
const leftTheBackup = ({ event }: Entry): boolean => /^(?:Save|Export|Send)$/.test(event.type);
export const workloadOf = ({ type }: SimSession): string => String(workloads[type]);
const workloads: Readonly<Record<string, string>> = {
  Vex: 'exchange',
  Veod: 'onedrive',
  Vesp: 'sharepoint',
  Vet: 'teams',
};

export const everything = (): string => '';
export const byPlace = ({ server, session }: Entry & OfServer): string => `${server} ${session.organization}`;
const placeOf = ({ server, organization }: SimSession & OfServer): string => `${server} ${organization}`;
export const byKind = ({ session, event }: Entry): string => `${workloadOf(session)} ${event.type}`;
export const place = ['server', 'organization'];

/** A query that counts, the labels of its series, and what the book says. */
export type Check = Readonly<{
  panel: readonly [uid: string, title: string, refId?: string];
  by: readonly string[];
  book: (book: Book) => Counts;
}>;

/** Numbers that the fleet and the organization both begin with. */
const headlines = (uid: string): readonly Check[] => [
  { panel: [uid, 'Sessions ended'], by: [], book: ({ stopped }) => tally(stopped, everything) },
  { panel: [uid, 'Sessions failed'], by: [], book: ({ stopped }) => tally(stopped.filter(sessionFailed), everything) },
  { panel: [uid, 'Items failed'], by: [], book: ({ items }) => tally(items.filter(failed), everything) },
];

const inTable = (refId: string, book: Check['book']): Check => ({
  panel: ['vb365-fleet', 'Organizations', refId],
  by: place,
  book,
});

export const checks: readonly Check[] = [
  ...['vb365-fleet', 'vb365-organization'].flatMap(headlines),
  {
    panel: ['vb365-fleet', 'Failed items by organization'],
    by: place,
    book: ({ items }) => tally(items.filter(failed), byPlace),
  },
  inTable('A', ({ stopped }) => tally(stopped, placeOf)),
  inTable('B', ({ stopped }) => tally(stopped.filter(sessionFailed), placeOf)),
  inTable('C', ({ items }) => tally(items, byPlace)),
  inTable('D', ({ items }) => tally(items.filter(failed), byPlace)),
  inTable('E', ({ items }) => tally(items.filter(leftTheBackup), byPlace)),
  {
    panel: ['vb365-fleet', 'Item duration by operation', 'A'],
    by: ['workload', 'event_type'],
    book: ({ items }) =>
      tally(
        items.filter(one => came(one) || failed(one)),
        byKind,
      ),
  },
  {
    panel: ['vb365-organization', 'Items exported'],
    by: [],
    book: ({ items }) => tally(items.filter(leftTheBackup), everything),
  },
  ...['Servers down', 'Skipped events', 'State errors'].map((title): Check => ({
    panel: ['vb365-exporter', title],
    by: [],
    book: () => ({}),
  })),
  { panel: ['vb365-fleet', 'Servers down'], by: [], book: () => ({}) },
];

/** Whole numbers that no book has, or that are 0 in a week in which nothing goes wrong: why they are not compared. */
export const notInTheBook: Readonly<Record<string, string>> = {
  'vb365-fleet: Firing alerts A': 'Alerts are of Prometheus; their rules have their own tests',
  'vb365-organization: Items by relation A': 'This version names no owners; `test/owners.test.ts` compares the counts',
  'vb365-exporter: Polls A': 'The exporter decides when it looks',
  'vb365-exporter: Read errors by reason A': 'Nothing failed',
  'vb365-exporter: Delivery errors by reason A': 'Nothing failed',
  'vb365-exporter: Logins by response A': 'The exporter decides when it logs in',
  'vb365-exporter: Backlog A': 'The exporter decides what is due',
  'vb365-exporter: Skipped events by reason A': 'No event is malformed',
  'vb365-exporter: Unknown values A': 'Every word is known',
  'vb365-exporter: API anomalies A': 'Nothing is odd',
  'vb365-exporter: Missed by the change feed A': 'This version has no feed',
  'vb365-exporter: Abandoned, corrected, overflow A': 'Every event became final',
  'vb365-exporter: Abandoned, corrected, overflow B': 'No status changed',
  'vb365-exporter: Abandoned, corrected, overflow C': 'There are few organizations',
  'vb365-exporter: Samples per scrape A': 'How much is said, not what happened',
};

/** Nothing of this kind happened in that week; over http there is no certificate; there is no kubelet, and no week before. */
export const quietPanels = [
  'VB365 / Fleet overview: Oldest open',
  'VB365 / Exporter health: Read errors by reason',
  'VB365 / Exporter health: Delivery errors by reason',
  'VB365 / Exporter health: Unknown values',
  'VB365 / Exporter health: API anomalies',
  'VB365 / Exporter health: Missed by the change feed',
  'VB365 / Exporter health: Abandoned, corrected, overflow',
  'VB365 / Exporter health: Skipped events by reason',
  'VB365 / Exporter health: Server details F',
  'VB365 / Exporter health: State volume usage',
  'VB365 / Organization: Items per day, compared with the previous week B',
];
