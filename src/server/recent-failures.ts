import { eventTime, type RestoreEvent } from '../model/event.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { Batch } from '../pipeline/ports.js';
import type { FailedEvent } from '../web/landing-page.js';

/** The latest events that failed, of all servers together. In memory only, and empty after a restart. */
export interface RecentFailures {
  /** Adds the failed events of a batch that has been counted. */
  note(server: string, batch: Pick<Batch, 'events'>): void;
  /** Latest first. */
  view(): readonly FailedEvent[];
}

type Failure = Readonly<{ shown: FailedEvent; at: Nanos }>;

/** Keeps the `most` latest by when they happened, so that a backfill does not push out newer ones. */
export function recentFailures(most: number): RecentFailures {
  let kept: readonly Failure[] = [];
  return {
    note: (server, { events }) => {
      const failed = events.filter(({ event }) => event.status.label === 'Failed');
      if (failed.length === 0) return;
      kept = [...kept, ...failed.map(({ event }) => failureOf(server, event))].sort(latestFirst).slice(0, most);
    },
    view: () => kept.map(({ shown }) => shown),
  };
}

/** Only the id, type and time of the event: no personal data. */
function failureOf(server: string, event: RestoreEvent): Failure {
  const at = eventTime(event);
  return { at, shown: { server, id: event.id, type: event.type.label, at: formatInstant(at) } };
}

const latestFirst = (a: Failure, b: Failure): number => (a.at === b.at ? 0 : a.at > b.at ? -1 : 1);
