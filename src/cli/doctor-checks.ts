import { type ExporterError, toExporterError } from '../kernel/errors.js';

/** The outcome of a check. It contains nothing of a response body except numbers, versions and the answer of a receiver. */
export type CheckOutcome = Readonly<{
  /** `warning`: the exporter works, but the operator should know. `skipped`: not checked; the message says why. */
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** One sentence. */
  message: string;
  /** What the operator can do. */
  advice?: string;
  /** SHA-256 of the server certificate, in the format of `server_fingerprint`. */
  fingerprint?: string | undefined;
}>;

export type CheckResult = CheckOutcome & Readonly<{ check: string }>;

/** The results for a server, or for the exporter itself. */
export type CheckReport = Readonly<{ subject: string; results: readonly CheckResult[] }>;

export const ok = (message: string): CheckOutcome => ({ status: 'ok', message });
export const warning = (message: string, advice: string): CheckOutcome => ({ status: 'warning', message, advice });
export const failed = (message: string, advice: string): CheckOutcome => ({ status: 'failed', message, advice });
export const skipped = (message: string): CheckOutcome => ({ status: 'skipped', message });

/** A check; it fails when `run` throws. */
export type Check = Readonly<{
  /** See docs/DOCTOR.md. */
  name: string;
  /** Skipped when one of these failed, or was skipped because of another. */
  needs?: readonly string[];
  run: () => CheckOutcome | Promise<CheckOutcome>;
  advise: (error: ExporterError) => string;
}>;

/** What to do about a proxy that fails. `key`: the one of the configuration that sets it. */
export const proxyAdvice = (key: string): string =>
  `check that the proxy runs and allows the connection; "${key}", HTTPS_PROXY, HTTP_PROXY and NO_PROXY select it`;

/** A check whose failure may be one of the proxy of the server. */
export const behindProxy = (check: Check): Check => ({
  ...check,
  advise: error => (error.details['proxy'] === true ? proxyAdvice('proxy_url') : check.advise(error)),
});

/** Runs checks one after the other. Never rejects. */
export async function runChecks(checks: readonly Check[]): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const causes = new Map<string, string>();
  for (const check of checks) {
    const [cause] = (check.needs ?? []).flatMap(need => causes.get(need) ?? []);
    const outcome = cause === undefined ? await outcomeOf(check) : skipped(`because "${cause}" failed`);
    if (cause !== undefined || outcome.status === 'failed') causes.set(check.name, cause ?? check.name);
    results.push({ check: check.name, ...outcome });
  }
  return results;
}

async function outcomeOf({ run, advise }: Check): Promise<CheckOutcome> {
  try {
    return await run();
  } catch (thrown) {
    const error = toExporterError(thrown);
    return failed(error.message, advise(error));
  }
}
