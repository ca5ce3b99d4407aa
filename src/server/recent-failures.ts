import { eventTime } from '../model/event.js';
import { formatInstant } from '../model/time.js';
import type { Batch } from '../pipeline/ports.js';
import type { FailedEvent } from '../web/landing-page.js';

/**
 * The latest events that failed, of all servers together: by when they happened, so that a backfill does not push out
 * newer ones. In memory only, and empty after a restart.
 */
export class RecentFailures {
  readonly #most: number;
  #kept: readonly FailedEvent[] = [];

  constructor(most = 20) {
    this.#most = most;
  }

  /** Adds the failed events of a batch that has been counted: only id, type and time, no personal data. */
  note(server: string, { events }: Pick<Batch, 'events'>): void {
    const failed = events
      .filter(({ event }) => event.status.label === 'Failed')
      .map(({ event }) => ({ server, id: event.id, type: event.type.label, at: formatInstant(eventTime(event)) }));
    if (failed.length === 0) return;
    // ISO 8601 with a fixed number of digits sorts as text.
    this.#kept = [...this.#kept, ...failed].sort((a, b) => b.at.localeCompare(a.at)).slice(0, this.#most);
  }

  /** Latest first. */
  view(): readonly FailedEvent[] {
    return this.#kept;
  }
}
