import type { Block, Format } from './exposition.js';

/** Rows of a family, in the order in which they came. They are added, and change, but do not go. */
export interface Blocks<Row> {
  readonly all: readonly Block[];
  /** The block that a new row is in from now on. */
  add(row: Row): Block;
}

/** How many rows a block has. One that changes before its turn on a page is written whole, so that whoever changes it waits. */
const blockSize = 32;

/**
 * No rows yet.
 * @param write every line of a row, with its line break.
 * @param changing told of a block before it gets another row.
 */
export function blocksOf<Row>(
  write: (row: Row, format: Format) => string,
  changing: (block: Block) => void,
): Blocks<Row> {
  const all: Block[] = [];
  let last: Row[] = [];
  return {
    all,
    add: row => {
      let block = all.at(-1);
      if (block === undefined || last.length >= blockSize) {
        const rows: Row[] = (last = []);
        block = { write: format => rows.reduce((text, one) => text + write(one, format), '') };
        all.push(block);
      }
      changing(block);
      last.push(row);
      return block;
    },
  };
}
