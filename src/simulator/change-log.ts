/** One change. `events`: only events of the session changed, which a silent server does not report. */
export type LoggedChange = Readonly<{
  place: number;
  kind: 'session' | 'events' | 'deleted';
  id: string;
  eTag: number;
}>;

/** How many changes are kept; a quirk makes the server forget earlier. */
const kept = 100_000;

/** The changes of a world in order. Places count from 1. */
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

  /** Calls the listener at every change until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
