import type { Config, ServerConfig } from '../config/parse.js';
import { type Clock, type Random, systemClock, systemRandom } from '../kernel/clock.js';
import { createSemaphore, type Semaphore } from '../kernel/semaphore.js';
import { credentialsOf, trustOf } from '../server/source.js';
import { examineApi } from '../source/examine.js';
import { type ListenAddress, parseListenAddress } from '../web/listen.js';
import { apiChecks } from './doctor-api.js';
import { behindProxy, type CheckReport, type CheckResult, failed, runChecks } from './doctor-checks.js';
import { listenCheck, otlpCheck, stateCheck } from './doctor-local.js';
import { networkChecks } from './doctor-network.js';
import { healthProblem } from './healthcheck.js';
import { readConfig } from './read-config.js';
import { examineFiles, exporterFiles, fileAdvice, type ReferencedFile, serverFiles } from './referenced-files.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { readWebConfig } from './web-config-file.js';

type DoctorFlags = Readonly<{
  'config.file'?: string;
  'web.listenAddress': string;
  'web.config.file'?: string;
  json: boolean;
}>;

/** Checks once everything that the exporter needs, and prints the results. */
export async function doctor(flags: DoctorFlags, terminal: Terminal): Promise<ExitCode> {
  const config = readConfig(flags['config.file'], terminal.env);
  const { tls } = readWebConfig(flags['web.config.file']);
  const listenAt = parseListenAddress(flags['web.listenAddress']);
  for (const warning of config.warnings) terminal.printError(warning);
  const isOurs = async (): Promise<boolean> => (await healthProblem(listenAt, tls)) === undefined;
  const diagnosis = { config, listenAt, isOurs, version: terminal.version, clock: systemClock, random: systemRandom };
  const reports = await diagnose(diagnosis, terminal.stop);
  for (const line of flags.json ? [asJson(reports)] : asText(reports)) terminal.print(line);
  return isOk(reports) ? exitCodes.stopped : exitCodes.cannotRun;
}

export type Diagnosis = Readonly<{
  config: Config;
  listenAt: ListenAddress;
  /** Whether a healthy exporter answers at that address. */
  isOurs: () => Promise<boolean>;
  version: string;
  clock: Clock;
  random: Random;
}>;

/**
 * Checks everything that the exporter needs: the servers, in the order of the configuration, then the local checks.
 * Has no side effects but one login per server, with a logout where the API has one; does not open the state file.
 */
export async function diagnose(diagnosis: Diagnosis, signal: AbortSignal): Promise<readonly CheckReport[]> {
  const { config, listenAt, isOurs } = diagnosis;
  const semaphore = createSemaphore(config.maxConcurrentRequests);
  const servers = config.servers.map(async server => checkServer(server, diagnosis, semaphore, signal));
  const local = runChecks([
    otlpCheck('logs', config.logs, { ...diagnosis, signal }),
    otlpCheck('traces', config.traces, { ...diagnosis, signal }),
    stateCheck(config),
    listenCheck(listenAt, isOurs),
  ]);
  const exporter = { subject: 'exporter', results: await withFiles(await local, exporterFiles(config)) };
  return [...withDuplicateInstallations(await Promise.all(servers)), exporter];
}

/** Adds a failure for each file that cannot be used, unless a check has reported it. */
async function withFiles(
  results: readonly CheckResult[],
  files: readonly ReferencedFile[],
): Promise<readonly CheckResult[]> {
  const { problems } = await examineFiles(files);
  const unreported = problems.filter(({ message }) => !results.some(result => result.message.includes(message)));
  return [
    ...results,
    ...unreported.map(error => ({ check: 'files', ...failed(error.message, fileAdvice(error) ?? 'correct the file') })),
  ];
}

/** The report of a server, and its installation id; `''` when unknown. */
type ServerReport = CheckReport & Readonly<{ name: string; installationId: string }>;

async function checkServer(
  server: ServerConfig,
  { version, clock, random }: Diagnosis,
  semaphore: Semaphore,
  signal: AbortSignal,
): Promise<ServerReport> {
  const options = {
    baseUrl: server.url,
    apiVersion: server.apiVersion,
    credentials: credentialsOf(server),
    trust: trustOf(server),
    proxy: server.proxy,
    semaphore,
    clock,
    random,
    eventLimit: 10,
    requestTimeoutMs: server.requestTimeoutMs,
    userAgent: `vb365-exporter/${version} doctor`,
  };
  const examined = examineApi(options);
  try {
    const checks = [...networkChecks(server, options, signal), ...apiChecks({ server, clock, examined, signal })];
    const results = await withFiles(await runChecks(checks.map(behindProxy)), serverFiles(server, clock.now()));
    const installationId = examined.installationId();
    return { name: server.name, installationId, subject: `server ${server.name} (${server.url.origin})`, results };
  } finally {
    await examined.source.close();
  }
}

/** Adds a failure to each server that is the same installation as a server before it: the exporter refuses the second. */
const withDuplicateInstallations = (reports: readonly ServerReport[]): readonly CheckReport[] =>
  reports.map(({ name, installationId, subject, results }) => {
    const first = reports.find(report => installationId !== '' && report.installationId === installationId);
    if (first === undefined || first.name === name) return { subject, results };
    const outcome = failed(
      `it is the same installation as "${first.name}", and would be counted twice`,
      'remove one of the two from the configuration',
    );
    return { subject, results: [...results, { check: 'installation', ...outcome }] };
  });

const count = (reports: readonly CheckReport[], status: CheckResult['status']): number =>
  reports.flatMap(({ results }) => results).filter(result => result.status === status).length;

/** Warnings are ok. */
const isOk = (reports: readonly CheckReport[]): boolean => count(reports, 'failed') === 0;

/** One JSON object. */
export const asJson = (reports: readonly CheckReport[]): string =>
  JSON.stringify({ ok: isOk(reports), reports }, undefined, 2);

/** A line for each check, followed by advice. */
export const asText = (reports: readonly CheckReport[]): readonly string[] => [
  ...reports.flatMap(({ subject, results }) => [subject, ...results.flatMap(linesOf), '']),
  (['ok', 'warning', 'failed', 'skipped'] as const)
    .map(status => `${String(count(reports, status))} ${status}`)
    .join(', '),
];

const indent = ' '.repeat(24);

const linesOf = ({ check, status, message, advice, fingerprint }: CheckResult): readonly string[] => [
  `  ${status.padEnd(8)} ${check.padEnd(12)} ${message}`,
  ...(advice === undefined ? [] : [`${indent}-> ${advice}`]),
  ...(fingerprint === undefined ? [] : [`${indent}server_fingerprint: ${fingerprint}`]),
];
