/** Why an answer that came cannot be used, without its operation and without what it holds. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

/** What an answer may hold at most. */
export type AnswerLimits = Readonly<{
  /** After decompression. */
  bytes: number;
  /** JSON values, counted by their commas, colons and brackets. */
  values: number;
}>;

const kibi = 1024;
const mebi = 1024 * kibi;

/** No answer is longer, whatever its page size. */
export const longestAnswerBytes = 16 * mebi;
/** All answers in flight together. */
export const answersInFlightBytes = 48 * mebi;
/** Arrays and objects within one another. The API nests 6 deep. */
export const deepestNesting = 32;

/**
 * The limits of an answer with that many rows: 1 MiB and 8 KiB for each row, 16 MiB at most; 1,000 values and 64 for each
 * row. Rows of the API take about 600 bytes and have 20 members.
 */
export const answerLimits = (rows: number): AnswerLimits => ({
  bytes: Math.min(longestAnswerBytes, mebi + 8 * kibi * rows),
  values: 1000 + 64 * rows,
});

export const tooLong = (bytes: number): UnusableAnswer =>
  new UnusableAnswer(`the answer is longer than ${String(bytes)} bytes`);

/** An answer in flight. */
export interface AnswerShare {
  /** Adds bytes that have come. May abort this answer, or another one. */
  add(bytes: number): void;
  /** The answer is complete, or has failed. */
  release(): void;
}

/** The bytes of all answers in flight, over all servers. */
export interface AnswerBudget {
  /** @param abort ends the answer. */
  open(abort: (error: UnusableAnswer) => void): AnswerShare;
}

/** A budget that, when it is spent, aborts the longest answer: the one of the server that sends too much. */
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

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openArray, openObject, closeArray, closeObject] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Counts what a JSON text holds while its bytes come, so that a hostile one is never parsed. Another text passes: the
 * parser refuses it. The returned function says which limit is passed.
 */
export function jsonGuard({ values: maxValues }: AnswerLimits): (chunk: Uint8Array) => UnusableAnswer | undefined {
  let [depth, values] = [0, 0];
  let [inString, escaped] = [false, false];
  let isJson: boolean | undefined;

  let deepest = 0;
  const count = (byte: number): void => {
    if (byte === quote) inString = true;
    else if (byte === comma || byte === colon) values += 1;
    else if (byte === openArray || byte === openObject) {
      depth += 1;
      values += 1;
      deepest = Math.max(deepest, depth);
    } else if (byte === closeArray || byte === closeObject) depth -= 1;
  };
  const pass = (byte: number): void => {
    if (escaped) escaped = false;
    else if (byte === backslash) escaped = true;
    else if (byte === quote) inString = false;
  };

  return chunk => {
    isJson ??= startsJson(chunk);
    if (isJson === false) return undefined;
    for (const byte of chunk) {
      if (inString) pass(byte);
      else count(byte);
    }
    if (deepest > deepestNesting)
      return new UnusableAnswer(`the answer is nested deeper than ${String(deepestNesting)} levels`);
    if (values > maxValues) return new UnusableAnswer(`the answer holds more than ${String(maxValues)} JSON values`);
    return undefined;
  };
}

/** Undefined while only blanks, or a byte order mark, have come. */
function startsJson(chunk: Uint8Array): boolean | undefined {
  const first = chunk.find(byte => byte > 0x20 && byte < 0x80);
  return first === undefined ? undefined : first === openArray || first === openObject;
}
