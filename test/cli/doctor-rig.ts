import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { diagnose, type Examination } from '../../src/cli/doctor-run.js';
import type { CheckReport, Finding } from '../../src/cli/doctor-result.js';
import { asJson, asText } from '../../src/cli/doctor-report.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { Config, ServerConfig } from '../../src/config/parse.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import { configOf, inFolder, serverConfig } from '../support/program.js';

export type Over = Readonly<{ server?: Partial<ServerConfig>; otlp?: URL; examination?: Partial<Examination> }>;

/** What is found of a server, by check, beside the exporter's own surroundings. */
export type Found = Readonly<{
  server: Readonly<Partial<Record<string, Finding>>>;
  exporter: Readonly<Partial<Record<string, Finding>>>;
  charts: readonly CheckReport[];
  /** All that would be printed, as text and as JSON. */
  printed: string;
}>;

/** Lets the doctor look at the server at `url`, and at a state folder of its own. */
export async function doctored(url: string, over: Over = {}): Promise<Found> {
  let found: Found | undefined;
  await inFolder(async folder => {
    const config = configOf(folder, serverConfig(url, { apiVersion: 'auto', ...over.server }), over.otlp);
    const examination = { ...examinationOf(config), ...over.examination };
    const charts = await diagnose(examination, new AbortController().signal);
    const [server, exporter] = charts;
    found = {
      charts,
      server: byCheck(server),
      exporter: byCheck(exporter),
      printed: [...asText(charts), asJson(charts)].join('\n'),
    };
  });
  if (found === undefined) throw new Error('nothing was found');
  return found;
}

const examinationOf = (config: Config): Examination => ({
  config,
  listenAt: { host: '127.0.0.1', port: 0 },
  isOurs: async () => false,
  version: '1.2.3',
  clock: systemClock,
  random: () => 0,
});

/** What is found of a server that is configured under two names. */
export async function doctoredTwice(url: string): Promise<readonly [readonly Finding[], readonly Finding[]]> {
  const servers = ['hq', 'again'].map(name => serverConfig(url, { apiVersion: 'auto', name }));
  const config = { ...configOf('.', serverConfig(url)), servers };
  const charts = await diagnose(examinationOf(config), new AbortController().signal);
  return [charts[0]?.findings ?? [], charts[1]?.findings ?? []];
}

const byCheck = (chart: CheckReport | undefined): Found['server'] =>
  Object.fromEntries((chart?.findings ?? []).map(finding => [finding.check, finding]));

/** Runs `work` with a simulated server that has a past. */
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
export const statuses = (findings: Found['server']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(findings).map(([check, finding]) => [check, finding?.status ?? '']));
