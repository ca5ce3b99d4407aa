import type { Session } from '../model/session.js';

/** A session as it was last seen. `read`: every sink that needs this state has been given it to read. */
type SessionSnapshot = Readonly<{ eTag: string; open: boolean; read: boolean }>;

/** Snapshots by session id, in the order in which they were seen; undefined for a session that was forgotten. */
type SnapshotLayer = ReadonlyMap<string, SessionSnapshot | undefined>;

/** About 3 MB. */
const kept = 20_000;
const recentlyKept = 500;

/**
 * The last 20,000 sessions seen; evicts the one seen longest ago. Immutable, and cheap to change: versions
 * share the large layer and copy only the small one of recent changes, which is merged when it has grown past 500.
 */
export class SessionSnapshots {
  readonly #base: SnapshotLayer;
  readonly #recent: SnapshotLayer;

  constructor(base: SnapshotLayer = new Map(), recent: SnapshotLayer = new Map()) {
    this.#base = base;
    this.#recent = recent;
  }

  get(id: string): SessionSnapshot | undefined {
    return this.#recent.has(id) ? this.#recent.get(id) : this.#base.get(id);
  }

  /** Whether a session looks as it did when it was last seen. */
  match({ id, eTag = '', open }: Session): boolean {
    const last = this.get(id);
    return last !== undefined && last.eTag === eTag && last.open === open;
  }

  /** Remembers sessions as they are now. Those that are `done` are not given to every sink to read. */
  seen(sessions: readonly Session[], done: ReadonlySet<string>): SessionSnapshots {
    const changes = sessions.map(session => {
      const { id, eTag = '', open } = session;
      const read = !done.has(id) || (this.match(session) && this.get(id)?.read === true);
      return [id, { eTag, open, read }] as const;
    });
    return this.with(new Map(changes));
  }

  /** These snapshots with others added or replaced; undefined forgets a session. */
  with(changes: SnapshotLayer): SessionSnapshots {
    if (changes.size === 0) return this;
    const recent = merged(this.#recent, changes);
    if (recent.size <= recentlyKept) return new SessionSnapshots(this.#base, recent);
    const all = [...merged(this.#base, recent)].filter(([, snapshot]) => snapshot !== undefined);
    return new SessionSnapshots(new Map(all.slice(-kept)));
  }
}

const merged = (older: SnapshotLayer, newer: SnapshotLayer): SnapshotLayer =>
  new Map([...[...older].filter(([id]) => !newer.has(id)), ...newer]);
