import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { asJson, asText, diagnose, type Diagnosis } from '../../src/cli/doctor.js';
import type { CheckReport, CheckResult } from '../../src/cli/doctor-checks.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { Config, ServerConfig } from '../../src/config/parse.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';

export type Over = Readonly<{ server?: Partial<ServerConfig>; otlp?: URL; diagnosis?: Partial<Diagnosis> }>;

/** The results by check. */
export type Found = Readonly<{
  server: Readonly<Partial<Record<string, CheckResult>>>;
  exporter: Readonly<Partial<Record<string, CheckResult>>>;
  reports: readonly CheckReport[];
  /** The output as text and as JSON. */
  printed: string;
}>;

/** Runs the doctor against the server at `url`, with a new state folder. */
export async function doctored(url: string, over: Over = {}): Promise<Found> {
  let found: Found | undefined;
  await inFolder(async folder => {
    const config = configOf(folder, serverConfig(url, { apiVersion: 'auto', ...over.server }), over.otlp);
    const diagnosis = { ...diagnosisOf(config), ...over.diagnosis };
    const reports = await diagnose(diagnosis, new AbortController().signal);
    const [server, exporter] = reports;
    found = {
      reports,
      server: byCheck(server),
      exporter: byCheck(exporter),
      printed: [...asText(reports), asJson(reports)].join('\n'),
    };
  });
  if (found === undefined) throw new Error('no result');
  return found;
}

const diagnosisOf = (config: Config): Diagnosis => ({
  config,
  listenAt: { host: '127.0.0.1', port: 0 },
  isOurs: async () => false,
  version: '1.2.3',
  clock: systemClock,
  random: () => 0,
});

/** The results for a server that is configured under two names. */
export async function doctoredTwice(url: string): Promise<readonly [readonly CheckResult[], readonly CheckResult[]]> {
  const servers = ['hq', 'again'].map(name => serverConfig(url, { apiVersion: 'auto', name }));
  const config = { ...configOf('.', serverConfig(url)), servers };
  const reports = await diagnose(diagnosisOf(config), new AbortController().signal);
  return [reports[0]?.results ?? [], reports[1]?.results ?? []];
}

const byCheck = (report: CheckReport | undefined): Found['server'] =>
  Object.fromEntries((report?.results ?? []).map(result => [result.check, result]));

/** Runs `work` with a simulated server that has sessions. */
export async function simulated(
  options: Partial<SimulateOptions>,
  work: (simulator: Simulator) => Promise<void>,
): Promise<void> {
  const simulator = await simulate({
    clock: systemClock,
    history: { sessions: 12, eventsEach: 5, days: 3 },
    ...options,
  });
  try {
    await work(simulator);
  } finally {
    await simulator.close();
  }
}

/** A port of the loopback on which nobody listens. */
export async function refusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>(resolve => server.close(() => resolve()));
  return port;
}

/** The status of each check, by name. */
export const statuses = (results: Found['server']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(results).map(([check, result]) => [check, result?.status ?? '']));
