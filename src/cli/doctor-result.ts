import { type ExporterError, toExporterError } from '../kernel/errors.js';

/** What is looked at, in this order. */
export const checkNames = [
  'dns',
  'tcp',
  'tls',
  'version',
  'login',
  'permissions',
  'clock',
  'paging',
  'feed',
  'installation',
  'otlp',
  'state',
  'listen',
] as const;
export type CheckName = (typeof checkNames)[number];

/** `warning`: the exporter copes, and somebody should know. `skipped`: not looked at, and why is said. */
export type Status = 'ok' | 'warning' | 'wrong' | 'skipped';

/** What one look has shown. Nothing in it comes from a body that a server sent, but for numbers and versions. */
export type CheckResult = Readonly<{
  status: Status;
  /** One sentence. */
  message: string;
  /** What to do. */
  advice?: string;
  /** SHA-256 of the server's own certificate, as `server_fingerprint` takes it. */
  fingerprint?: string;
}>;

export type Finding = CheckResult & Readonly<{ check: CheckName }>;

/** What was looked at as a whole: a server, or the exporter's own surroundings. */
export type CheckReport = Readonly<{ subject: string; findings: readonly Finding[] }>;

export const ok = (message: string): CheckResult => ({ status: 'ok', message });
export const warning = (message: string, advice: string): CheckResult => ({ status: 'warning', message, advice });
export const wrong = (message: string, advice: string): CheckResult => ({ status: 'wrong', message, advice });
export const skipped = (message: string): CheckResult => ({ status: 'skipped', message });

/** One thing to look at. A rejection is what is wrong. */
export type Check = Readonly<{
  name: CheckName;
  /** Not looked at when one of these is wrong, or was not looked at because of another. */
  needs: readonly CheckName[];
  look: () => CheckResult | Promise<CheckResult>;
  advise: (error: ExporterError) => string;
}>;

/** Makes the checks one after the other. Never rejects. */
export async function examine(checks: readonly Check[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const failed = new Map<CheckName, CheckName>();
  for (const check of checks) {
    const { name, needs } = check;
    const [cause] = needs.flatMap(need => failed.get(need) ?? []);
    const look = cause === undefined ? await looked(check) : skipped(`because "${cause}" is wrong`);
    if (cause !== undefined || look.status === 'wrong') failed.set(name, cause ?? name);
    findings.push({ check: name, ...look });
  }
  return findings;
}

async function looked({ look, advise }: Check): Promise<CheckResult> {
  try {
    return await look();
  } catch (thrown) {
    const error = toExporterError(thrown);
    return wrong(error.message, advise(error));
  }
}
