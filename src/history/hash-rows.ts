import { hash, randomBytes } from 'node:crypto';

/** Texts whose hashes are remembered: many records share theirs. */
const maxKnown = 4_096;
/** How many rows have one array: small arrays take three times the memory. */
const rowsInPiece = 4_096;

/**
 * Rows of 32-bit hashes, one for each column, 0 for an empty text. Each object has its own random key: nobody can choose two
 * texts with the same hash, and two texts share one by chance once in four billion times.
 */
export class HashRows {
  readonly #key = randomBytes(16).toString('hex');
  readonly #columns: number;
  readonly #pieces: Uint32Array[] = [];
  readonly #known = new Map<string, number>();
  rows = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** The number of a new row. */
  add(texts: readonly string[]): number {
    const row = this.rows;
    if (row % rowsInPiece === 0) this.#pieces.push(new Uint32Array(rowsInPiece * this.#columns));
    this.rows += 1;
    this.write(this.at(row), texts);
    return row;
  }

  at(row: number): Uint32Array {
    const start = (row % rowsInPiece) * this.#columns;
    return this.#pieces[Math.floor(row / rowsInPiece)]?.subarray(start, start + this.#columns) ?? new Uint32Array();
  }

  write(to: Uint32Array, texts: readonly string[]): void {
    for (const [column, text] of texts.entries()) to[column] = this.hashOf(text);
  }

  hashOf(text: string): number {
    if (text === '') return 0;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const hashed = Number.parseInt(hash('sha256', this.#key + text, 'hex').slice(0, 8), 16) || 1;
    if (this.#known.size === maxKnown) this.#known.clear();
    this.#known.set(text, hashed);
    return hashed;
  }
}
