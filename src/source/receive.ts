import { type Dispatcher, errors } from 'undici';
import type { Clock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';

/** What is kept of the text of an answer when another piece of it has come. */
export type Keep = (text: string, piece: string) => string;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** An answer, read to its end. */
export type Received = Readonly<{
  status: number;
  headers: Headers;
  /** Our clock when the headers came, epoch ms. */
  receivedMs: number;
  body: string;
}>;

type Terms = Readonly<{
  /** Of this request alone. */
  signal: AbortSignal;
  clock: Pick<Clock, 'now'>;
  /** Decides about the body of a 200. All of it is kept where there is none. */
  keep?: Keep | undefined;
}>;

const everything: Keep = (text, piece) => text + piece;

/** In bytes. Texts of 128 kB and more lie outside of where new objects are, and cost a call to the system each. */
const pieceSize = 16_384;

/**
 * Sends a request and reads its answer as text, piece by piece. `request` and `body.text()` of the library put a stream
 * in between and all bytes together first: a seventh more CPU time for an answer of 25 events, and nearly half more for
 * one of 5 MB (`bench/catch-up.ts`, lean floor).
 * @throws what the library says, at once when the signal aborts, and {ExporterError} for what `keep` throws.
 */
export async function receive(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, clock, keep = everything }: Terms,
): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const decoder = new TextDecoder();
  let head: Omit<Received, 'body'> = { status: 0, headers: {}, receivedMs: 0 };
  let body = '';
  const add = (piece: string): void => {
    try {
      body = (head.status === 200 ? keep : everything)(body, piece);
    } catch (thrown) {
      // It is no failure of the network, for which whatever comes out of the library would be taken.
      throw toExporterError(thrown);
    }
  };
  const whenStopped = (act: () => void): void =>
    signal.aborted ? act() : signal.addEventListener('abort', act, { once: true });
  whenStopped(() => reject(new errors.RequestAbortedError()));
  dispatcher.dispatch(options, {
    onRequestStart: controller => whenStopped(() => controller.abort(new errors.RequestAbortedError())),
    // Answers before the final one (103) have no body, and are replaced by it.
    onResponseStart: (_, status, headers) => void (head = { status, headers, receivedMs: clock.now() }),
    onResponseData: (_, bytes) => {
      for (let from = 0; from < bytes.length; from += pieceSize)
        add(decoder.decode(bytes.subarray(from, from + pieceSize), { stream: true }));
    },
    onResponseEnd: () => {
      add(decoder.decode());
      resolve({ ...head, body });
    },
    onResponseError: (_, error) => reject(error),
  });
  return promise;
}
