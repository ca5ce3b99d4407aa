import type { Config, ServerConfig } from '../config/parse.js';
import type { Clock, Random } from '../kernel/clock.js';
import { createSemaphore, type Semaphore } from '../kernel/semaphore.js';
import { credentialsOf, trustOf } from '../server/source.js';
import { examineApi } from '../source/examine-api.js';
import type { RestOptions } from '../source/options.js';
import type { ListenAddress } from '../web/listen.js';
import { apiChecks } from './doctor-api.js';
import { tlsCheck } from './doctor-certificate.js';
import { type CheckReport, examine } from './doctor-result.js';
import { networkChecks } from './doctor-network.js';
import { listenCheck, otlpCheck, outletsOf, stateCheck } from './doctor-local.js';
import { type ServerReport, withDuplicateInstallations } from './doctor-duplicates.js';

export type Examination = Readonly<{
  config: Config;
  listenAt: ListenAddress;
  /** Whether an exporter answers at that address. */
  isOurs: () => Promise<boolean>;
  version: string;
  clock: Clock;
  random: Random;
}>;

/**
 * Looks at everything that the exporter needs: the servers, in the order of the configuration, then what is around
 * itself. Disturbs nobody: one login for each server, logged out where that is possible; the state file is not opened.
 */
export async function diagnose(examination: Examination, signal: AbortSignal): Promise<readonly CheckReport[]> {
  const { config, listenAt, isOurs } = examination;
  const semaphore = createSemaphore(config.maxConcurrentRequests);
  const servers = config.servers.map(async server =>
    chartOf(server, optionsOf(server, examination, semaphore), signal),
  );
  const around = examine([
    ...outletsOf(config).map(outlet => otlpCheck(outlet, { ...examination, signal })),
    stateCheck(config),
    listenCheck(listenAt, isOurs),
  ]);
  return [...withDuplicateInstallations(await Promise.all(servers)), { subject: 'exporter', findings: await around }];
}

async function chartOf(server: ServerConfig, options: RestOptions, signal: AbortSignal): Promise<ServerReport> {
  const examined = examineApi(options);
  try {
    const findings = await examine([
      ...networkChecks(server, signal),
      tlsCheck(server, options, signal),
      ...apiChecks({ server, options, examined, signal }),
    ]);
    const installationId = examined.installationId();
    return { name: server.name, installationId, subject: `server ${server.name} (${server.url.origin})`, findings };
  } finally {
    await examined.source.close();
  }
}

const optionsOf = (
  server: ServerConfig,
  { version, clock, random }: Examination,
  semaphore: Semaphore,
): RestOptions => ({
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
});
