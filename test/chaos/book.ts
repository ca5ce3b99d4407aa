import { type Entry, durationOf, type SimEvent, type World } from '../../src/simulator/world.js';
import { keyOf, type Samples } from '../support/samples.js';

/** What a server's history comes to, worked out from the history alone: nothing here is the exporter's own code. */
export type Book = Readonly<{
  /** Series, by key, and what each has to show. */
  samples: Samples;
  /** What has to arrive as a log record: its uid, for every event and every session that stopped. */
  uids: ReadonlySet<string>;
  events: number;
}>;

const workloadOf: Readonly<Record<string, string>> = {
  Vex: 'exchange',
  Veod: 'onedrive',
  Vesp: 'sharepoint',
  Vet: 'teams',
};
const types = ['None', 'View', 'Save', 'Export', 'Send', 'Restore'];
const finalStatuses = ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'];
const orOther = (words: readonly string[], word: string): string => (words.includes(word) ? word : 'other');

/** Seconds. Source: design, section 5. */
const itemBounds = [0.001, 0.01, 0.1, 0.5, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];
const sessionBounds = [1, 10, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400];

type Labels = Readonly<Record<string, string>>;
type Sums = Map<string, number>;
/** Sums of lengths in ticks of 100 ns, by the key of their `_sum` series. */
type Ticks = Map<string, bigint>;

/** The book of a server that was empty at first, and in which nothing happens any more. */
export function bookOf(server: string, world: World): Book {
  const sums: Sums = new Map();
  const ticks: Ticks = new Map();
  const uids = new Set<string>();
  const entries = [...world.book()].filter(({ event }) => event.status !== 'Running');
  for (const entry of entries) {
    uids.add(entry.event.id);
    addEvent(sums, ticks, { server, entry });
  }
  for (const session of world.sessions()) {
    uids.add(session.id);
    const workload = workloadOf[session.type] ?? 'other';
    const labels = { server, organization: session.organization, workload, result: session.result };
    add(sums, keyOf('vb365_restore_sessions_total', labels), 1);
    const length = (session.endedAt ?? session.createdAt) - session.createdAt;
    observe(sums, ticks, {
      family: 'vb365_restore_session_duration_seconds',
      labels: { server, workload },
      length,
      bounds: sessionBounds,
    });
    const events = world.events(session.id).slice();
    add(sums, keyOf('vb365_restore_events_abandoned_total', { server }), unanswered(events));
  }
  for (const [key, sum] of ticks) sums.set(key, Number(sum) / 1e7);
  sums.set(keyOf('vb365_event_corrections_total', { server }), 0);
  for (const sink of ['metrics', 'logs']) sums.set(keyOf('vb365_sink_delivered_total', { server, sink }), uids.size);
  return { samples: sums, uids, events: entries.length };
}

type Line = Readonly<{ server: string; entry: Entry }>;

function addEvent(sums: Sums, ticks: Ticks, { server, entry: { session, event } }: Line): void {
  const workload = workloadOf[session.type] ?? 'other';
  const place = { server, organization: session.organization, workload, event_type: orOther(types, event.type) };
  const status = orOther(finalStatuses, event.status);
  add(sums, keyOf('vb365_restore_events_total', { ...place, status }), 1);
  if (event.type !== 'None')
    add(sums, keyOf('vb365_restore_owner_events_total', { server, organization: session.organization }), 1);
  if (['Success', 'Warning'].includes(status))
    add(sums, keyOf('vb365_restore_item_bytes_total', place), event.itemSizeBytes);
  const length = durationOf(event);
  if (length === undefined || event.type === 'None' || !['Success', 'Warning', 'Failed'].includes(status)) return;
  const labels = { server, workload, event_type: place.event_type };
  observe(sums, ticks, { family: 'vb365_restore_item_duration_seconds', labels, length, bounds: itemBounds });
}

type Observation = Readonly<{ family: string; labels: Labels; length: bigint; bounds: readonly number[] }>;

function observe(sums: Sums, ticks: Ticks, { family, labels, length, bounds }: Observation): void {
  const sum = keyOf(`${family}_sum`, labels);
  ticks.set(sum, (ticks.get(sum) ?? 0n) + length / 100n);
  add(sums, keyOf(`${family}_count`, labels), 1);
  for (const bound of [...bounds, Infinity]) {
    const le = bound === Infinity ? '+Inf' : String(bound);
    add(sums, keyOf(`${family}_bucket`, { ...labels, le }), Number(length) <= bound * 1e9 ? 1 : 0);
  }
}

/** Orders between the lowest and the highest that came to nothing: never listed, or running for ever. */
function unanswered(events: readonly SimEvent[]): number {
  const orders = events.map(({ order }) => order);
  if (orders.length === 0) return 0;
  const all = Math.max(...orders) - Math.min(...orders) + 1;
  return all - events.filter(({ status }) => status !== 'Running').length;
}

function add(sums: Sums, key: string, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}
