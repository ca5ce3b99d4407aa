import { type Dispatcher, errors } from 'undici';
import type { Clock } from '../kernel/clock.js';

/** An answer with its whole body, decoded as UTF-8. */
export type Received = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** When the headers came, epoch ms. */
  receivedMs: number;
  body: string;
}>;

/**
 * Sends a request and collects its answer. `request()` and `body.text()` of undici put a stream in between, which costs a
 * tenth of the CPU time of catching up (ADR 53), and cannot end an answer that is too long after decompression.
 * @param maxBytes of the body, after decompression.
 * @throws what undici throws; `RequestAbortedError` at once when the signal aborts, even while the request still waits for
 * a connection; `ResponseExceededMaxSizeError` as soon as the body is too long.
 */
export async function receive(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, clock, maxBytes }: Readonly<{ signal: AbortSignal; clock: Clock; maxBytes: number }>,
): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const decoder = new TextDecoder();
  let head: Omit<Received, 'body'> = { status: 0, headers: {}, receivedMs: 0 };
  let body = '';
  let bytes = 0;
  let controller: Dispatcher.DispatchController | undefined;
  const abort = (): void => {
    const error = new errors.RequestAbortedError();
    controller?.abort(error);
    reject(error);
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  else
    dispatcher.dispatch(options, {
      onRequestStart: started => {
        controller = started;
        if (signal.aborted) abort();
      },
      // Answers before the final one (103) have no body, and are replaced by it.
      onResponseStart: (_, status, headers) => void (head = { status, headers, receivedMs: clock.now() }),
      onResponseData: (started, chunk) => {
        bytes += chunk.length;
        if (bytes > maxBytes) started.abort(new errors.ResponseExceededMaxSizeError());
        else body += decoder.decode(chunk, { stream: true });
      },
      onResponseEnd: () => resolve({ ...head, body: body + decoder.decode() }),
      onResponseError: (_, error) => reject(error),
    });
  return promise.finally(() => signal.removeEventListener('abort', abort));
}
