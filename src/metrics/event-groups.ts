import { eventTime, type RestoreEvent } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { restoreItemDuration } from './restore-families.js';
import type { BucketExamples } from './exemplars.js';
import { type OrganizationLabel, unlimited } from './organizations.js';
import { type Observations, observations, observe } from './delta-builder.js';

/** The sums over the events of one (organization, workload, type, status). */
export type EventGroup = Readonly<{
  organization: string;
  workload: Session['workload']['label'];
  type: RestoreEvent['type']['label'];
  status: RestoreEvent['status']['label'];
}> & {
  events: number;
  /** Undefined while no item has a size. */
  bytes: number | undefined;
  durations: Observations | undefined;
  /** The newest event of each bucket of `durations`. */
  readonly examples: BucketExamples;
  newest: TakenEvent;
  /** When the newest of them happened. */
  latest: Nanos;
};

/** Groups events. This is all the work per event: one look-up. */
export function groupEvents(
  events: readonly TakenEvent[],
  labelOf: OrganizationLabel = unlimited,
): Iterable<EventGroup> {
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

const emptyGroup = (organization: string, taken: TakenEvent): EventGroup => ({
  organization,
  workload: taken.session.workload.label,
  type: taken.event.type.label,
  status: taken.event.status.label,
  events: 0,
  bytes: undefined,
  durations: undefined,
  examples: [],
  newest: taken,
  latest: eventTime(taken.event),
});

function addEvent(group: EventGroup, taken: TakenEvent): void {
  const { event } = taken;
  group.events += 1;
  const at = eventTime(event);
  if (at > group.latest) [group.latest, group.newest] = [at, taken];
  if (hasSize(event)) group.bytes = (group.bytes ?? 0) + event.item.sizeBytes;
  if (event.duration === undefined || !isTimed(group)) return;
  group.durations ??= observations(restoreItemDuration);
  const bucket = observe(group.durations, event.duration);
  const example = group.examples[bucket];
  if (example === undefined || at > eventTime(example.event)) group.examples[bucket] = taken;
}

type Sized = RestoreEvent & Readonly<{ item: Readonly<{ sizeBytes: number }> }>;

/** Whether the size of the item counts: it was restored, and the size is a whole number. */
export const hasSize = (event: RestoreEvent): event is Sized =>
  (event.status.label === 'Success' || event.status.label === 'Warning') &&
  Number.isSafeInteger(event.item.sizeBytes) &&
  Number(event.item.sizeBytes) >= 0;

/** Whether durations of such events count: `None` is a line of the session, and a skipped item took no time. */
const isTimed = ({ type, status }: EventGroup): boolean =>
  type !== 'None' && (status === 'Success' || status === 'Warning' || status === 'Failed');
