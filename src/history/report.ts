import { normalAccount } from '../model/personal-data.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos, toSeconds } from '../model/time.js';
import { type Attributes, attributesOf, merged } from '../otlp/attribute.js';
import { ofSession } from '../otlp/attributes.js';
import { eventAttributes, type Origin, sessionAttributes } from '../otlp/log-record.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { eventTime } from '../model/event.js';

/** A cell; undefined: not known, or left out as personal data. */
type Cell = string | number | undefined;
/** Cells by column. */
export type Row = Readonly<Record<string, Cell>>;

/** The server's own count of the items of a session; undefined where it has none. */
type ServerCount = Readonly<{ total: number; restored: number }> | undefined;

export const sessionColumns = [
  'server',
  'organization',
  'workload',
  'session_id',
  'session_name',
  'started',
  'ended',
  'duration_seconds',
  'initiator',
  'client_host',
  'owners',
  'scope',
  'reason',
  'types',
  'targets',
  'result',
  'details',
  'expected_items',
  'expected_restored',
  'items',
  'restored',
  'failed',
  'other',
  'unfinished',
  'bytes',
] as const;

export const itemColumns = [
  'server',
  'organization',
  'workload',
  'session_id',
  'event_id',
  'time',
  'initiator',
  'owner_kind',
  'owner',
  'owner_relation',
  'reason',
  'type',
  'item_name',
  'item_type',
  'size_bytes',
  'source',
  'target',
  'status',
  'failure',
  'duration_seconds',
] as const;

/** Columns for which a sheet of paper has no room. */
const unprinted: ReadonlySet<string> = new Set([
  'ended',
  'session_name',
  'client_host',
  'scope',
  'details',
  'other',
  'event_id',
  'owner_kind',
  'duration_seconds',
]);

export const printed = (columns: readonly string[]): readonly string[] =>
  columns.filter(column => !unprinted.has(column));

/** UTC, milliseconds: what spreadsheets read. Years before 1970 and after 9999 have no time. */
export const timeText = (at: Nanos): string => new Date(Number(at / milliseconds(1))).toISOString();

const textOf = (attributes: Attributes, name: string): string | undefined => {
  const value = attributes[name];
  return value === undefined ? undefined : String(value);
};

const numberOf = (attributes: Attributes, name: string): number | undefined => {
  const value = attributes[name];
  return typeof value === 'number' ? value : undefined;
};

/** How an owner is shown: by address, name or id, whichever is known first. */
const ownerOf = (attributes: Attributes): string | undefined =>
  ['email', 'name', 'id']
    .map(part => textOf(attributes, `veeam.restore.owner.${part}`))
    .find(text => text !== undefined);

const shared = (server: string, session: Session, attributes: Attributes): Row => ({
  server,
  organization: session.organization,
  workload: session.workload.label,
  session_id: session.id,
  initiator: textOf(attributes, 'veeam.restore.session.initiator'),
  reason: textOf(attributes, 'veeam.restore.session.reason'),
});

/** The row of an item. Personal data is treated as in log records. */
export function itemRow(server: string, taken: TakenEvent, origin: Origin): Row {
  const attributes = merged(eventAttributes(taken, origin));
  const text = (name: string): string | undefined => textOf(attributes, `veeam.restore.${name}`);
  return {
    ...shared(server, taken.session, attributes),
    event_id: taken.event.id,
    time: timeText(eventTime(taken.event)),
    owner_kind: text('owner.kind'),
    owner: ownerOf(attributes),
    owner_relation: text('owner.relation'),
    type: text('event.type'),
    item_name: text('item.name'),
    item_type: text('item.type'),
    size_bytes: numberOf(attributes, 'veeam.restore.item.size'),
    source: text('source'),
    target: text('target'),
    status: text('event.status'),
    failure: textOf(attributes, 'error.message') ?? text('reason'),
    duration_seconds: numberOf(attributes, 'veeam.restore.event.duration'),
  };
}

/** An event about an item; the others are lines of the session itself. */
export const isItem = ({ event }: TakenEvent): boolean => event.type.label !== 'None';

/** What a part of the items came to. */
type ItemCounts = { items: number; restored: number; failed: number; other: number; bytes: number };

const noCounts = (): ItemCounts => ({ items: 0, restored: 0, failed: 0, other: 0, bytes: 0 });

function addCounts(to: ItemCounts, more: Readonly<ItemCounts>): void {
  to.items += more.items;
  to.restored += more.restored;
  to.failed += more.failed;
  to.other += more.other;
  to.bytes += more.bytes;
}

/** Restored: with status Success or Warning. */
function countsOf({ event }: TakenEvent): ItemCounts {
  const { label } = event.status;
  const restored = label === 'Success' || label === 'Warning';
  const { sizeBytes = 0 } = event.item;
  return {
    items: 1,
    restored: Number(restored),
    failed: Number(label === 'Failed'),
    other: Number(!restored && label !== 'Failed'),
    bytes: restored && Number.isSafeInteger(sizeBytes) ? sizeBytes : 0,
  };
}

/** Distinct texts in the order in which they came, the first few of them by name. */
class Names {
  readonly #seen = new Set<string>();

  add(text: string | undefined): void {
    if (text !== undefined) this.#seen.add(text);
  }

  toString(): string {
    const few = [...this.#seen].slice(0, 3).join('; ');
    return this.#seen.size > 3 ? `${few} and ${String(this.#seen.size - 3)} more` : few;
  }
}

type SessionFacts = Readonly<{ origin: Origin; expected: ServerCount; unfinished: number }>;

/** The row of a session, put together part by part. */
export class SessionSummary {
  readonly counts = noCounts();
  readonly #owners = new Names();
  readonly #targets = new Names();
  readonly #types = new Names();

  add(taken: TakenEvent, origin: Origin): void {
    if (!isItem(taken)) return;
    addCounts(this.counts, countsOf(taken));
    const attributes = merged(eventAttributes(taken, origin));
    this.#owners.add(ownerOf(attributes));
    this.#targets.add(textOf(attributes, 'veeam.restore.target'));
    this.#types.add(textOf(attributes, 'veeam.restore.event.type'));
  }

  /** `unfinished`: items that are not final. */
  row(server: string, session: Session, { origin, expected, unfinished }: SessionFacts): Row {
    const ofIt = session.open
      ? attributesOf(ofSession, session, origin.redact)
      : merged(sessionAttributes(session, origin));
    const text = (name: string): string | undefined => textOf(ofIt, `veeam.restore.session.${name}`);
    const endedAt = session.open ? undefined : session.endedAt;
    return {
      ...shared(server, session, ofIt),
      session_name: text('name'),
      started: timeText(session.createdAt),
      ended: endedAt === undefined ? undefined : timeText(endedAt),
      duration_seconds: endedAt === undefined ? undefined : toSeconds(endedAt - session.createdAt),
      client_host: text('client.host'),
      owners: String(this.#owners),
      scope: text('scope'),
      types: String(this.#types),
      targets: String(this.#targets),
      result: text('result') ?? 'open',
      details: textOf(ofIt, 'error.message'),
      expected_items: expected?.total,
      expected_restored: expected?.restored,
      ...this.counts,
      unfinished,
    };
  }
}

/** A sum over the rows of a report. */
type Total = Readonly<{ by: string; value: string; sessions: number } & ItemCounts>;

/** Sums by server, organization, initiator and result. */
export class Totals {
  readonly #sums = new Map<string, { by: string; value: string; sessions: number } & ItemCounts>();

  /** `row` is that of a session. */
  add(row: Row, counts: Readonly<ItemCounts>): void {
    for (const by of ['organization', 'initiator', 'result']) {
      const value = normalAccount(String(row[by] ?? ''));
      const key = `${by} ${value}`;
      const sum = this.#sums.get(key) ?? { by, value, sessions: 0, ...noCounts() };
      this.#sums.set(key, sum);
      sum.sessions += 1;
      addCounts(sum, counts);
    }
  }

  rows(): readonly Total[] {
    const orders = ['organization', 'initiator', 'result'];
    return [...this.#sums.values()].toSorted(
      (a, b) => orders.indexOf(a.by) - orders.indexOf(b.by) || b.sessions - a.sessions || (a.value < b.value ? -1 : 1),
    );
  }
}

export const totalColumns = ['by', 'value', 'sessions', 'items', 'restored', 'failed', 'other', 'bytes'] as const;
