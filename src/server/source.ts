import { readFile } from 'node:fs/promises';
import type { SecretSource } from '../config/environment.js';
import type { ServerConfig } from '../config/parse.js';
import type { Clock, Random } from '../kernel/clock.js';
import { ExporterError, type Reason } from '../kernel/errors.js';
import type { Semaphore } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import { Secret } from '../kernel/secret.js';
import type { Store } from '../pipeline/ports.js';
import type { Metrics } from '../metrics/registry.js';
import type { EndedRequest } from '../otlp/self-tracing.js';
import type { Credentials, VersionMemory } from '../source/options.js';
import { type RestSource, restSource } from '../source/rest.js';
import type { Trust } from '../source/trust.js';
import { apiRequestDuration, apiRequests, tlsVerificationEnabled } from '../metrics/server-families.js';

export type ServerSourceDeps = Readonly<{
  version: string;
  clock: Clock;
  random: Random;
  /** Of this server. */
  log: Log;
  metrics: Metrics;
  store: Pick<Store, 'state' | 'commit'>;
  /** Limits the concurrent requests to all servers. */
  semaphore: Semaphore;
  /** Called for each request that has ended. */
  requested?: ((request: EndedRequest) => void) | undefined;
}>;

/** Creates the source of one server from its configuration. */
export function serverSource(server: ServerConfig, deps: ServerSourceDeps): RestSource {
  const { metrics, log, store, clock, random, semaphore } = deps;
  const { name } = server;
  const verified = server.url.protocol === 'https:' && !server.tls.insecureSkipVerify;
  metrics.set(tlsVerificationEnabled, { server: name }, verified ? 1 : 0);
  if (server.tls.insecureSkipVerify)
    log.warn('TLS certificate is not verified: anyone on the network path can read the password');
  return restSource({
    baseUrl: server.url,
    apiVersion: server.apiVersion,
    credentials: credentialsOf(server),
    trust: trustOf(server),
    proxy: server.proxy,
    memory: memoryOf(name, store),
    semaphore,
    clock,
    random,
    log,
    eventLimit: server.pageSize,
    requestTimeoutMs: server.requestTimeoutMs,
    userAgent: `vb365-exporter/${deps.version}`,
    observe: (operation, code, seconds) => {
      metrics.inc(apiRequests, { server: name, operation, code });
      metrics.observe(apiRequestDuration, { server: name, operation }, seconds);
      deps.requested?.({ operation, code, seconds });
    },
  });
}

const memoryOf = (server: string, store: ServerSourceDeps['store']): VersionMemory => ({
  recall: async () => (await store.state(server)).facts,
  keep: async apiVersion => store.commit({ server, facts: { apiVersion } }),
});

export function credentialsOf({ login }: ServerConfig): Credentials {
  const secret = async (): Promise<Secret> => readSecret(login.secret, login.kind);
  return login.kind === 'password'
    ? { kind: 'password', username: login.username, secret }
    : { kind: 'assertion', clientId: login.clientId, secret };
}

export function trustOf({ tls: { caFile, serverFingerprint, insecureSkipVerify } }: ServerConfig): Trust {
  if (insecureSkipVerify) return { kind: 'anyone' };
  if (serverFingerprint !== undefined) return { kind: 'pinned', fingerprint: serverFingerprint };
  const ca =
    caFile === undefined ? undefined : async () => readText(caFile, { what: 'tls.ca_file', reason: 'network' });
  return { kind: 'authorities', ca };
}

/** @throws {ExporterError} `auth` if the file cannot be read or is empty, as it is while it is being written. */
async function readSecret(source: SecretSource, what: string): Promise<Secret> {
  if ('value' in source) return source.value;
  const text = await readText(source.file, { what: `${what} file`, reason: 'auth' });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new ExporterError('auth', `Could not use ${what} file "${source.file}": it is empty`);
  return new Secret(secret);
}

async function readText(file: string, { what, reason }: Readonly<{ what: string; reason: Reason }>): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ExporterError(reason, `Could not read ${what} "${file}"`, { cause });
  }
}
