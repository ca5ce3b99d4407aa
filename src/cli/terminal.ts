/** What a command uses of its process. `main.ts` makes it; tests make their own. */
export type Terminal = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to standard output. */
  print: (line: string) => void;
  /** Resolves when the reader of standard output has caught up, or has gone; absent when it is never behind. */
  drained?: () => Promise<void>;
  /** Writes a line to standard error. */
  printError: (line: string) => void;
  /** Standard input; absent when there is none. */
  input?: () => AsyncIterable<Uint8Array>;
  /** Replaces the line that shows progress, `''` to remove it; absent when standard error is no terminal. */
  progress?: (text: string) => void;
  /** Aborts with the error when standard output cannot be written any more, or nobody reads it: its lines are dropped. */
  outputClosed: AbortSignal;
  /** Aborts when the process should stop. */
  stop: AbortSignal;
  /** Calls `listener` for each request to reload the configuration. Without a listener, that request ends the process. */
  onReload: (listener: () => void) => void;
  version: string;
}>;

/** `cannotRun` is also a failed check; `cutOff`: the shutdown deadline was exceeded. */
export const exitCodes = { stopped: 0, cannotRun: 1, usage: 2, cutOff: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Resolves when `signal` aborts; at once when it already has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
}
