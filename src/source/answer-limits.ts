/** Why a received answer cannot be used. The message names neither the operation nor any content. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

/** Maximum size of an answer. */
export type AnswerLimits = Readonly<{
  /** After decompression. */
  bytes: number;
  /** JSON values, counted by their commas, colons and brackets. */
  values: number;
}>;

const kibi = 1024;
const mebi = 1024 * kibi;

/** Maximum length of any answer, whatever its page size. */
export const longestAnswerBytes = 16 * mebi;
/** Maximum length of all answers in flight together. */
const answersInFlightBytes = 32 * mebi;
/** Maximum nesting of arrays and objects. The API uses 6 levels. */
const deepestNesting = 32;

/**
 * The limits of an answer with that many rows: 1 MiB and 4 KiB for each row, 16 MiB at most; 1,000 values and 64 for each
 * row. Rows of the API take about 600 bytes and have 20 members.
 */
export const answerLimits = (rows: number): AnswerLimits => ({
  bytes: Math.min(longestAnswerBytes, mebi + 4 * kibi * rows),
  values: 1000 + 64 * rows,
});

export const tooLong = (bytes: number): UnusableAnswer =>
  new UnusableAnswer(`the answer is longer than ${String(bytes)} bytes`);

/** An answer in flight. */
interface AnswerShare {
  /** Adds received bytes. May abort this answer, or another one. */
  add(bytes: number): void;
  /** The answer is complete, or has failed. */
  release(): void;
}

/** The bytes of all answers in flight, over all servers. */
export interface AnswerBudget {
  /** @param abort ends the answer. */
  open(abort: (error: UnusableAnswer) => void): AnswerShare;
}

/** When the budget is exceeded, it aborts the longest answer, which is that of the server that sends too much. */
export function createAnswerBudget(maxBytes = answersInFlightBytes): AnswerBudget {
  const shares = new Map<object, { bytes: number; abort: (error: UnusableAnswer) => void }>();
  let total = 0;
  const release = (key: object): void => {
    total -= shares.get(key)?.bytes ?? 0;
    shares.delete(key);
  };
  const abortLongest = (): void => {
    const [longest] = [...shares].sort(([, a], [, b]) => b.bytes - a.bytes);
    if (longest === undefined) return;
    release(longest[0]);
    longest[1].abort(
      new UnusableAnswer(`all answers in flight are longer than ${String(maxBytes)} bytes, and this one most`),
    );
  };
  return {
    open: abort => {
      const key = {};
      shares.set(key, { bytes: 0, abort });
      return {
        add: bytes => {
          const share = shares.get(key);
          if (share === undefined) return;
          share.bytes += bytes;
          total += bytes;
          if (total > maxBytes) abortLongest();
        },
        release: () => release(key),
      };
    },
  };
}

const [quote, backslash] = [0x22, 0x5c];

/** A number for each byte outside strings. */
function perByte(numbers: Readonly<Record<string, number>>): Int8Array {
  const table = new Int8Array(256);
  for (const [character, number] of Object.entries(numbers)) table[character.charCodeAt(0)] = number;
  return table;
}
const valuesAt = perByte({ ',': 1, ':': 1, '[': 1, '{': 1 });
const levelsAt = perByte({ '[': 1, '{': 1, ']': -1, '}': -1 });

/**
 * Examines an answer while it arrives: its JSON must not be parsed if it is nested too deeply or holds too many values. Any
 * other text passes, JSON or not. Runs over every byte of every page (ADR 58).
 */
export class JsonMeter {
  readonly #maxValues: number;
  #depth = 0;
  #values = 0;
  #inString = false;
  /** Bytes of the next chunk that are already read: 1 after a backslash at the end of a chunk. */
  #ahead = 0;

  constructor({ values }: Pick<AnswerLimits, 'values'>) {
    this.#maxValues = values;
  }

  /** Why the answer must not be parsed; undefined while nothing is wrong with it. */
  add(chunk: Uint8Array): UnusableAnswer | undefined {
    let [at, depth, values, inString] = [this.#ahead, this.#depth, this.#values, this.#inString];
    let deepest = depth;
    while (at < chunk.length) {
      if (inString) {
        at = endOfString(chunk, at);
        if (at >= chunk.length) break;
      }
      const code = chunk[at] ?? 0;
      at += 1;
      if (code === quote) {
        inString = !inString;
        continue;
      }
      values += valuesAt[code] ?? 0;
      depth += levelsAt[code] ?? 0;
      if (depth > deepest) deepest = depth;
    }
    [this.#ahead, this.#depth, this.#values, this.#inString] = [at - chunk.length, depth, values, inString];
    return this.#fault(deepest);
  }

  #fault(deepest: number): UnusableAnswer | undefined {
    if (deepest > deepestNesting)
      return new UnusableAnswer(`the answer is nested deeper than ${String(deepestNesting)} levels`);
    if (this.#values > this.#maxValues)
      return new UnusableAnswer(`the answer holds more than ${String(this.#maxValues)} JSON values`);
    return undefined;
  }
}

/** Where the next quote that is not escaped stands; beyond the chunk if it has none. */
function endOfString(chunk: Uint8Array, start: number): number {
  let at = start;
  while (at < chunk.length) {
    const code = chunk[at];
    if (code === quote) return at;
    at += code === backslash ? 2 : 1;
  }
  return at;
}
