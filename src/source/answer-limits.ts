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

/** Each pair of brackets differs in the bit 0x20 only: `[` from `{`, and `]` from `}`. */
const [quote, comma, colon, opening, closing, bracketBit] = [0x22, 0x2c, 0x3a, 0x7b, 0x7d, 0x20];

/**
 * Why a JSON text must not be parsed: it is nested too deeply or holds too many values. Undefined for any other text, JSON
 * or not. Stops at the first limit that is exceeded. Every page passes through here, so strings are skipped natively (ADR 58).
 */
export function jsonFault(text: string, { values: maxValues }: AnswerLimits): UnusableAnswer | undefined {
  let [depth, values] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at);
    else if (code === comma || code === colon) values += 1;
    else if ((code | bracketBit) === closing) depth -= 1;
    else if ((code | bracketBit) === opening) {
      values += 1;
      depth += 1;
      if (depth > deepestNesting)
        return new UnusableAnswer(`the answer is nested deeper than ${String(deepestNesting)} levels`);
    }
    if (values > maxValues) return new UnusableAnswer(`the answer holds more than ${String(maxValues)} JSON values`);
  }
  return undefined;
}

/** Where the string that begins at `start` ends; the end of the text if it does not. */
function stringEnd(text: string, start: number): number {
  let end = start;
  do end = text.indexOf('"', end + 1);
  while (end !== -1 && isEscaped(text, end));
  return end === -1 ? text.length : end;
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === '\\') first -= 1;
  return (at - first) % 2 === 1;
}
