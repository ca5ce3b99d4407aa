/** Above this number (about 2 MB), all are dropped. One delivery has fewer suspects (`pipeline/suspect-batches.ts`). */
const maxRecords = 20_000;

/**
 * Remembers which records a receiver refused one by one, and whether it has accepted a request since. Only then is the
 * record poison: a receiver, or a proxy in front of it, may refuse everything for a while. Holds ids only and starts
 * empty, which costs a few requests after a restart.
 */
export class RefusedRecords {
  readonly #firstRefused = new Map<string, number>();
  #accepted = 0;

  /** How many requests the receiver has accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  has(id: string): boolean {
    return this.#firstRefused.has(id);
  }

  /** Whether the receiver has accepted another request since it first refused this record. */
  isPoison(id: string): boolean {
    return (this.#firstRefused.get(id) ?? this.#accepted) < this.#accepted;
  }

  /** @param since value of `accepted` when the first request with this record was sent. */
  add(id: string, since: number): void {
    if (this.#firstRefused.size >= maxRecords) this.#firstRefused.clear();
    if (!this.#firstRefused.has(id)) this.#firstRefused.set(id, since);
  }

  countAccepted(): void {
    this.#accepted += 1;
  }

  delete(ids: readonly string[]): void {
    for (const id of ids) this.#firstRefused.delete(id);
  }
}
