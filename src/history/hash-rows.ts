import { hash, randomBytes } from 'node:crypto';

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
  #rows = 0;
  /** The last text of each column and its hash: many records share theirs. */
  readonly #last: { text: string; hash: number }[];

  constructor(columns: number) {
    this.#columns = columns;
    this.#last = Array.from({ length: columns }, () => ({ text: '', hash: 0 }));
  }

  /** The number of a new row. */
  add(texts: readonly string[]): number {
    const row = this.#rows;
    if (row % rowsInPiece === 0) this.#pieces.push(new Uint32Array(rowsInPiece * this.#columns));
    this.#rows += 1;
    this.write(this.at(row), texts);
    return row;
  }

  at(row: number): Uint32Array {
    const start = (row % rowsInPiece) * this.#columns;
    return this.#pieces[Math.floor(row / rowsInPiece)]?.subarray(start, start + this.#columns) ?? new Uint32Array();
  }

  write(to: Uint32Array, texts: readonly string[]): void {
    for (const [column, text] of texts.entries()) to[column] = this.#hashIn(column, text);
  }

  #hashIn(column: number, text: string): number {
    const last = this.#last[column];
    if (last?.text === text) return last.hash;
    const hashed = this.hashOf(text);
    this.#last[column] = { text, hash: hashed };
    return hashed;
  }

  hashOf(text: string): number {
    return text === '' ? 0 : Number.parseInt(hash('sha256', this.#key + text, 'hex').slice(0, 8), 16) || 1;
  }
}
