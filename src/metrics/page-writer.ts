import type { Block, Format } from './exposition.js';

/**
 * Writes pages a slice at a time, so that nothing else waits long; yet each shows everything as it stood when it was
 * begun, as if it had been written at once.
 */
export interface PageWriter {
  /** To be called before a series of `block` changes: pages that have not come to the block yet write it now. */
  readonly changing: (block: Block) => void;
  /** All of `blocks`, in this order, as they stand at the call. */
  write(blocks: readonly Block[], format: Format): Promise<Buffer>;
}

/** A page that is being written. */
type Begun = Readonly<{
  format: Format;
  /** What is still to be written. */
  ahead: Set<Block>;
  /** What was written before its turn, because it was about to change. */
  early: Map<Block, string>;
}>;

/**
 * How many characters are written before others have a turn: some 600 lines, which take a third of a millisecond. Pieces of
 * 64 KB also stay in the cache of a core while they are put together: four times as much costs a quarter more.
 */
const sliceLength = 2 ** 16;

/** @param turn lets everything else that waits go on, and resolves after that. */
export function createPageWriter(turn: () => Promise<void>): PageWriter {
  const begun = new Set<Begun>();
  return {
    changing: block => {
      for (const { format, ahead, early } of begun) if (ahead.delete(block)) early.set(block, block.write(format));
    },
    write: async (blocks, format) => {
      const page: Begun = { format, ahead: new Set(blocks), early: new Map() };
      begun.add(page);
      try {
        return await writeSlices(blocks, page, turn);
      } finally {
        begun.delete(page);
      }
    },
  };
}

async function writeSlices(
  blocks: readonly Block[],
  { format, ahead, early }: Begun,
  turn: () => Promise<void>,
): Promise<Buffer> {
  const slices: Buffer[] = [];
  let slice = '';
  for (const block of blocks) {
    slice += ahead.delete(block) ? block.write(format) : (early.get(block) ?? '');
    early.delete(block);
    if (slice.length < sliceLength) continue;
    slices.push(Buffer.from(slice));
    slice = '';
    // oxlint-disable-next-line no-await-in-loop -- the wait is the point
    await turn();
  }
  return Buffer.concat([...slices, Buffer.from(slice)]);
}
