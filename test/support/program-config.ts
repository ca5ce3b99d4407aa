import { join } from 'node:path';
import type { SecretSource } from '../../src/config/environment.js';
import type { Config, ServerConfig } from '../../src/config/parse.js';
import { Secret } from '../../src/kernel/secret.js';
import { keepAll, target } from './otlp-target.js';

/** `password`: in place of the simulator's. */
type Over = Partial<ServerConfig> & Readonly<{ password?: SecretSource }>;

export const serverConfig = (url: string, { password, ...over }: Over = {}): ServerConfig => ({
  name: 'hq',
  url: new URL(url),
  apiVersion: 'v6',
  login: { kind: 'password', username: 'simulator', secret: password ?? { value: new Secret('simulator') } },
  tls: { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: false },
  proxy: undefined,
  pollIntervalMs: 20,
  openPollIntervalMs: 20,
  reconcileIntervalMs: 900_000,
  requestTimeoutMs: 5_000,
  pageSize: 1000,
  resolveOwners: true,
  ...over,
});

export const configOf = (folder: string, server: ServerConfig, otlp?: URL): Config => ({
  servers: [server],
  history: { kind: 'now' },
  abandonAfterMs: 3_600_000,
  maxConcurrentRequests: 32,
  state: { path: join(folder, 'state.db') },
  metrics: { organizationLabel: true, maxOrganizations: 1000, firstIncrementHold: true },
  logs:
    otlp === undefined
      ? undefined
      : { ...target(otlp), personalData: keepAll, maxAgeMs: undefined, maxBehindMs: undefined, maxAheadMs: undefined },
  traces: undefined,
  ownTelemetry: undefined,
  personalData: keepAll,
  hashKeyFile: undefined,
  warnings: [],
});
