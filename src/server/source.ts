import type { ServerConfig } from '../config/parse.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Semaphore } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import { Secret } from '../kernel/secret.js';
import { readSecretText, readText, type TextFile } from '../kernel/text-file.js';
import type { Store } from '../pipeline/ports.js';
import { refusedLoginDeltas } from '../metrics/deltas.js';
import type { IncrementHold } from '../metrics/increment-hold.js';
import type { Metrics } from '../metrics/registry.js';
import type { AnswerBudget } from '../source/answer-limits.js';
import type { Credentials } from '../source/options.js';
import { type RestSource, restSource } from '../source/rest.js';
import type { Trust } from '../source/trust.js';
import { isTimedOperation } from '../model/labels.js';
import * as family from '../metrics/server-families.js';

/** What the source of a server works with. */
export type SourceParts = Readonly<{
  version: string;
  clock: Clock;
  random: Random;
  log: Log;
  metrics: Metrics;
  store: Pick<Store, 'state' | 'commit'>;
  /** Limits the concurrent requests to all servers. */
  semaphore: Semaphore;
  incrementHold: Pick<IncrementHold, 'hold'>;
  /** Limits the bytes in flight from all servers. */
  answerBudget: AnswerBudget;
}>;

/** The source of one server, as its configuration describes it. */
export function serverSource(config: ServerConfig, all: SourceParts): RestSource {
  const { version, metrics, store, ...parts } = all;
  const { name: server, url, tls } = config;
  const verified = url.protocol === 'https:' && !tls.insecureSkipVerify;
  metrics.set(family.tlsVerificationEnabled, { server }, verified ? 1 : 0);
  const expires = verified && tls.serverFingerprint === undefined;
  metrics.set(family.certificateExpiryChecked, { server }, expires ? 1 : 0);
  metrics.set(family.pollInterval, { server }, config.pollIntervalMs / 1000);
  if (tls.insecureSkipVerify)
    parts.log.warn(
      'The TLS certificate of the server is not verified: anyone on the network path can read the password',
    );
  return restSource({
    ...parts,
    baseUrl: url,
    apiVersion: config.apiVersion,
    credentials: credentialsOf(config),
    trust: trustOf(config),
    proxy: config.proxy,
    memory: {
      recall: async () => (await store.state(server)).facts,
      keep: async apiVersion => store.commit({ server, facts: { apiVersion } }),
    },
    eventLimit: config.pageSize,
    resolveOwners: config.resolveOwners,
    ownerLookedUp: outcome => metrics.inc(family.ownerLookups, { server, outcome }),
    loginRefused: refusalCounter(server, all),
    requestTimeoutMs: config.requestTimeoutMs,
    userAgent: `vb365-exporter/${version}`,
    observe: (operation, code, seconds) => {
      metrics.inc(family.apiRequests, { server, operation, code });
      if (isTimedOperation(operation)) metrics.observe(family.apiRequestDuration, { server, operation }, seconds);
    },
  });
}

/** Stores that a login was refused. What cannot be stored is counted with the next. */
function refusalCounter(server: string, { store, metrics, incrementHold }: SourceParts): () => Promise<void> {
  let refused = 0;
  return async () => {
    refused += 1;
    const deltas = incrementHold.hold(refusedLoginDeltas(server, refused));
    try {
      await store.commit({ server, deltas });
    } catch {
      return; // The store reports its errors itself.
    }
    metrics.stored.apply(deltas);
    refused = 0;
  };
}

export function credentialsOf({ login }: ServerConfig): Credentials {
  const secret = async (): Promise<Secret> =>
    'value' in login.secret
      ? login.secret.value
      : new Secret(await readSecretText(secretFile(login, login.secret.file)));
  return login.kind === 'password'
    ? { kind: 'password', username: login.username, secret }
    : { kind: 'assertion', clientId: login.clientId, secret };
}

export function trustOf({ tls: { caFile, serverFingerprint, insecureSkipVerify } }: ServerConfig): Trust {
  if (insecureSkipVerify) return { kind: 'anyone' };
  if (serverFingerprint !== undefined) return { kind: 'pinned', fingerprint: serverFingerprint };
  const ca = caFile === undefined ? undefined : async () => readText(authoritiesFile(caFile));
  return { kind: 'authorities', ca };
}

const secretFile = ({ kind }: Pick<ServerConfig['login'], 'kind'>, path: string): TextFile => ({
  path,
  what: `${kind} file`,
  reason: 'auth',
});

export const authoritiesFile = (path: string): TextFile => ({ path, what: 'tls.ca_file', reason: 'network' });
