/** What a command has of the process it runs in; `main.ts` makes it, so that commands can be tried without one. */
export type Terminal = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to standard output. */
  print: (line: string) => void;
  /** Writes a line to standard error. */
  complain: (line: string) => void;
  /** Aborts when the process is asked to stop. */
  stop: AbortSignal;
  /** Has `listener` called each time the process is asked to read its configuration anew. Without one, that ends it. */
  onReload: (listener: () => void) => void;
  version: string;
}>;

/** What a process says when it ends. Source: design, section 6. */
export const exitCodes = { stopped: 0, cannotRun: 1, usage: 2, cutOff: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
