import { eventTime, type RestoreEvent } from '../model/event.js';
import type { OwnerRelation } from '../model/owner.js';
import type { Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type restoreEvents, restoreItemDuration } from './restore-families.js';
import type { BucketExamples } from './exemplars.js';
import type { LabelsOf } from './family.js';
import type { OrganizationLabel } from './organizations.js';
import { type Observations, observations, observe } from './delta-builder.js';

/** The sums over the events of one (organization, workload, type, status). */
export type EventGroup = {
  readonly labels: Omit<LabelsOf<typeof restoreEvents>, 'server'>;
  events: number;
  /** Undefined while no item has a size. */
  bytes: number | undefined;
  durations: Observations | undefined;
  /** The newest event of each bucket of `durations`. */
  readonly examples: BucketExamples;
  newest: TakenEvent;
  /** Events by whether the initiator owns the data. */
  readonly relations: Record<OwnerRelation, number>;
};

/** Groups events. This is all the work per event: one look-up. */
export function groupEvents(events: readonly TakenEvent[], labelOf: OrganizationLabel): Iterable<EventGroup> {
  const groups = new Map<string, EventGroup>();
  for (const taken of events) {
    const { session, event } = taken;
    const organization = labelOf(session.organization);
    // The three closed words hold no blank, so no organization name can make two keys equal.
    const key = `${event.type.label} ${event.status.label} ${session.workload.label} ${organization}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = emptyGroup(organization, taken)));
    addEvent(group, taken);
  }
  return groups.values();
}

function emptyGroup(organization: string, newest: TakenEvent): EventGroup {
  const { type, status } = newest.event;
  const { workload } = newest.session;
  const labels = { organization, workload: workload.label, event_type: type.label, status: status.label };
  const relations = { self: 0, other: 0, unknown: 0 };
  return { labels, events: 0, bytes: undefined, durations: undefined, examples: [], newest, relations };
}

function addEvent(group: EventGroup, taken: TakenEvent): void {
  const { event } = taken;
  group.events += 1;
  group.relations[taken.ownership?.relation ?? 'unknown'] += 1;
  const at = eventTime(event);
  if (at > eventTime(group.newest.event)) group.newest = taken;
  const bytes = countedBytes(event);
  if (bytes !== undefined) group.bytes = (group.bytes ?? 0) + bytes;
  if (event.duration !== undefined && isTimed(event)) addDuration(group, taken, event.duration);
}

function addDuration(group: EventGroup, taken: TakenEvent, duration: Nanos): void {
  group.durations ??= observations(restoreItemDuration);
  const bucket = observe(group.durations, duration);
  const example = group.examples[bucket];
  if (example === undefined || eventTime(taken.event) > eventTime(example.event)) group.examples[bucket] = taken;
}

/** The size of an item that was restored; undefined when it is no whole number. */
export function countedBytes({ status: { label }, item: { sizeBytes = -1 } }: RestoreEvent): number | undefined {
  const isCounted = (label === 'Success' || label === 'Warning') && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
  return isCounted ? sizeBytes : undefined;
}

/** Whether durations of such events count: `None` is a line of the session, and a skipped item took no time. */
const isTimed = ({ type, status: { label } }: RestoreEvent): boolean =>
  type.label !== 'None' && (label === 'Success' || label === 'Warning' || label === 'Failed');
