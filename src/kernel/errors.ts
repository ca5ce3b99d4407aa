/** Every way a turn can fail. Bounded on purpose: each value is a `reason` label on a counter. */
export const reasons = [
  'aborted',
  'auth',
  'bug',
  'config',
  'decode',
  'network',
  'rejected',
  'server',
  'store',
  'throttled',
  'timeout',
] as const;
export type Reason = (typeof reasons)[number];

type Details = Readonly<Record<string, string | number | boolean>>;

/** A failure with a bounded reason for machines and details for people. Neither message nor details hold a secret. */
export class ExporterError extends Error {
  override readonly name = 'ExporterError';
  readonly reason: Reason;
  readonly details: Details;
  /** How long the other side asked us to wait, in milliseconds, when it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { details?: Details; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Makes any thrown value an `ExporterError`; what we did not foresee is a `bug`. */
export function toExporterError(thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return new ExporterError('aborted', thrown.message, { cause: thrown });
  return new ExporterError('bug', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
