import type { Session } from '../model/session.js';

/** What a session looked like when it was last seen. */
export type SessionSnapshot = Readonly<{
  eTag: string;
  open: boolean;
  /** Every sink that wants the session has been given this state of it to read. */
  read: boolean;
}>;

/** About 3 MB. */
const kept = 20_000;
const recentlyKept = 500;

/**
 * The last 20,000 sessions seen; the one seen longest ago is forgotten first. Immutable, and cheap to change: versions
 * share the large map and copy only the small one of recent changes, which is merged when it has grown past 500.
 */
export class SessionSnapshots {
  readonly #settled: ReadonlyMap<string, SessionSnapshot>;
  readonly #recent: ReadonlyMap<string, SessionSnapshot | undefined>;

  constructor(
    settled: ReadonlyMap<string, SessionSnapshot> = new Map(),
    recent: ReadonlyMap<string, SessionSnapshot | undefined> = new Map(),
  ) {
    this.#settled = settled;
    this.#recent = recent;
  }

  get(id: string): SessionSnapshot | undefined {
    return this.#recent.has(id) ? this.#recent.get(id) : this.#settled.get(id);
  }

  /** These snapshots with others added or replaced, by session id; undefined forgets a session. */
  with(changes: ReadonlyMap<string, SessionSnapshot | undefined>): SessionSnapshots {
    if (changes.size === 0) return this;
    const recent = new Map(this.#recent);
    for (const [id, snapshot] of changes) {
      recent.delete(id);
      recent.set(id, snapshot);
    }
    return recent.size <= recentlyKept
      ? new SessionSnapshots(this.#settled, recent)
      : new SessionSnapshots(merged(this.#settled, recent));
  }

  /** Whether a session looks as it did when it was last seen. */
  match({ id, eTag = '', open }: Session): boolean {
    const last = this.get(id);
    return last !== undefined && last.eTag === eTag && last.open === open;
  }
}

function merged(
  settled: ReadonlyMap<string, SessionSnapshot>,
  recent: ReadonlyMap<string, SessionSnapshot | undefined>,
): ReadonlyMap<string, SessionSnapshot> {
  const all = new Map(settled);
  for (const [id, snapshot] of recent) {
    all.delete(id);
    if (snapshot !== undefined) all.set(id, snapshot);
  }
  for (const id of all.keys()) {
    if (all.size <= kept) break;
    all.delete(id);
  }
  return all;
}
