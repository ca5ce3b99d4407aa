import { type Dispatcher, errors } from 'undici';
import type { Clock } from '../kernel/clock.js';
import { type AnswerBudget, type AnswerLimits, JsonMeter, tooLong, UnusableAnswer } from './answer-limits.js';

/** An answer with its whole body, decoded as UTF-8. */
export type Received = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** When the headers came, epoch ms. */
  receivedMs: number;
  body: string;
}>;

type ReceiveOptions = Readonly<{
  signal: AbortSignal;
  clock: Clock;
  limits: AnswerLimits;
  budget: AnswerBudget;
  /** Called when the headers have come. */
  onHeaders: () => void;
}>;

/**
 * Sends a request and collects its answer. `request()` and `body.text()` of undici put a stream in between, which costs a
 * tenth of the CPU time of catching up (ADR 53), and cannot end an answer that is too long after decompression.
 * @throws what undici throws; `RequestAbortedError` at once when the signal aborts, even while the request still waits for
 * a connection; `UnusableAnswer` as soon as the answer passes a limit, before it is parsed.
 */
export async function receive(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, clock, limits, budget, onHeaders }: ReceiveOptions,
): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const body = bodyReader(limits);
  let head: Omit<Received, 'body'> = { status: 0, headers: {}, receivedMs: 0 };
  let controller: Dispatcher.DispatchController | undefined;
  let provisional = 0;
  const fail = (error: Error): void => {
    controller?.abort(error);
    reject(error);
  };
  const abort = (): void => fail(new errors.RequestAbortedError());
  const share = budget.open(fail);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  else
    dispatcher.dispatch(options, {
      onRequestStart: started => {
        controller = started;
        if (signal.aborted) abort();
      },
      onResponseStart: (_, status, headers) => {
        onHeaders();
        if (status < 200) {
          provisional += 1;
          if (provisional > maxProvisional)
            fail(new UnusableAnswer(`more than ${String(maxProvisional)} answers came before it`));
          return;
        }
        head = { status, headers, receivedMs: clock.now() };
        const coding = unknownCoding(headers['content-encoding']);
        if (coding !== undefined) fail(coding);
      },
      onResponseData: (_, chunk) => {
        share.add(chunk.length);
        const fault = body.add(chunk);
        if (fault !== undefined) fail(fault);
      },
      onResponseEnd: () => resolve({ ...head, body: body.text() }),
      onResponseError: (_, error) => reject(error),
    });
  return promise.finally(() => {
    share.release();
    signal.removeEventListener('abort', abort);
  });
}

function bodyReader(limits: AnswerLimits) {
  const decoder = new TextDecoder();
  const meter = new JsonMeter(limits);
  let body = '';
  let [bytes, chunks] = [0, 0];
  return {
    /** Why the body is not usable, as soon as it passes a limit. */
    add: (chunk: Uint8Array): UnusableAnswer | undefined => {
      bytes += chunk.length;
      chunks += 1;
      if (bytes > limits.bytes) return tooLong(limits.bytes);
      if (chunks > manyChunks && bytes < chunks * smallChunkBytes)
        return new UnusableAnswer(`the answer comes in chunks of less than ${String(smallChunkBytes)} bytes`);
      body += decoder.decode(chunk, { stream: true });
      return meter.add(chunk);
    },
    text: () => body + decoder.decode(),
  };
}

/** More chunks than this, of so few bytes on average, would block the event loop and take many times their length. */
const [manyChunks, smallChunkBytes] = [1_000, 64];

/** Answers such as 103 before the final one; without end they would block the event loop. */
const maxProvisional = 100;

/** undici removes the header of a coding that it has decoded. */
function unknownCoding(header: string | string[] | undefined): UnusableAnswer | undefined {
  const coding = [header ?? ''].flat().join(', ').toLowerCase();
  if (coding === '' || coding === 'identity') return undefined;
  const named = /^[a-z0-9, -]{1,40}$/.test(coding) ? ` "${coding}"` : '';
  return new UnusableAnswer(`the answer has the content coding${named}, which was not asked for`);
}
