import { eventTime, type RestoreEvent } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Taken } from '../pipeline/ports.js';
import { restoreItemDuration } from './restore-families.js';
import { type Observations, observations, observe } from './sums.js';

/** What the events of one (organization, workload, type, status) add up to. */
export type Cell = Readonly<{
  organization: string;
  workload: Session['workload']['label'];
  type: RestoreEvent['type']['label'];
  status: RestoreEvent['status']['label'];
}> & {
  events: number;
  /** Undefined while no item has told its size. */
  bytes: number | undefined;
  durations: Observations | undefined;
  /** When the newest of them happened. */
  latest: Nanos;
};

/** Sorts events into cells. This is all that is done per event, so a batch costs one look-up for each. */
export function cellsOf(events: readonly Taken[]): Iterable<Cell> {
  const cells = new Map<string, Cell>();
  for (const { session, event } of events) {
    // The three closed words hold no blank, so no organization name can make two keys equal.
    const key = `${event.type.label} ${event.status.label} ${session.workload.label} ${session.organization}`;
    let cell = cells.get(key);
    if (cell === undefined) cells.set(key, (cell = emptyCell(session, event)));
    addEvent(cell, event);
  }
  return cells.values();
}

const emptyCell = (session: Session, event: RestoreEvent): Cell => ({
  organization: session.organization,
  workload: session.workload.label,
  type: event.type.label,
  status: event.status.label,
  events: 0,
  bytes: undefined,
  durations: undefined,
  latest: eventTime(event),
});

function addEvent(cell: Cell, event: RestoreEvent): void {
  cell.events += 1;
  const at = eventTime(event);
  if (at > cell.latest) cell.latest = at;
  if (hasSize(event)) cell.bytes = (cell.bytes ?? 0) + event.item.sizeBytes;
  if (event.duration === undefined || !isTimed(cell)) return;
  cell.durations ??= observations(restoreItemDuration);
  observe(cell.durations, event.duration);
}

type Sized = RestoreEvent & Readonly<{ item: Readonly<{ sizeBytes: number }> }>;

/** Only an item that went through counts, and only a size that can be one. */
const hasSize = (event: RestoreEvent): event is Sized =>
  (event.status.label === 'Success' || event.status.label === 'Warning') &&
  Number.isSafeInteger(event.item.sizeBytes) &&
  Number(event.item.sizeBytes) >= 0;

/** Whether the length of such events means something: `None` is a line of the session, a skipped item took no time. */
const isTimed = ({ type, status }: Cell): boolean =>
  type !== 'None' && (status === 'Success' || status === 'Warning' || status === 'Failed');
