/** Why a poll or a delivery failed. Closed: each value is a `reason` label. */
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

/** A failure with a closed reason for machines and details for people. Neither message nor details hold a secret. */
export class ExporterError extends Error {
  override readonly name = 'ExporterError';
  readonly reason: Reason;
  readonly details: Details;
  /** How long the server or receiver asked us to wait, in ms. */
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

/** Converts any thrown value to an `ExporterError`; an unforeseen one is a `bug`. */
export function toExporterError(thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  // `instanceof` fails for errors of Node itself, which belong to another realm under a test runner.
  const { name, message } = Error.isError(thrown) ? thrown : { name: '', message: String(thrown) };
  return new ExporterError(name === 'AbortError' ? 'aborted' : 'bug', message, { cause: thrown });
}
