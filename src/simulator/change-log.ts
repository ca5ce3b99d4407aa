/** Something that has changed. `events`: only the events of a session did, which a silent server does not tell. */
export type LoggedChange = Readonly<{ place: number; kind: 'session' | 'events' | 'deleted'; id: string; eTag: number }>;

/** How many changes are kept; a server that is to forget earlier is told so by a quirk. */
const kept = 100_000;

/** What has changed in a world, in order. Places count from 1. */
export class ChangeLog {
  #changes: LoggedChange[] = [];
  #last = 0;
  readonly #listeners = new Set<() => void>();

  add(kind: LoggedChange['kind'], id: string, eTag: number): void {
    this.#last += 1;
    this.#changes.push({ place: this.#last, kind, id, eTag });
    if (this.#changes.length > 2 * kept) this.#changes = this.#changes.slice(-kept);
    for (const listener of this.#listeners) listener();
  }

  /** The place of the newest change; 0 when there is none yet. */
  get last(): number {
    return this.#last;
  }

  /** Changes behind a place, oldest first. */
  after(place: number): readonly LoggedChange[] {
    const missing = this.#last - this.#changes.length;
    return this.#changes.slice(Math.max(0, place - missing));
  }

  /** Calls back at every change, until what is returned is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
