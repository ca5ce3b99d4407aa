import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from './config/parse.js';
import type { WebConfig } from './config/web-config.js';
import type { Clock, Random } from './kernel/clock.js';
import { createAnswerBudget } from './source/answer-limits.js';
import { createSemaphore } from './kernel/semaphore.js';
import type { Log, LogFields } from './kernel/log.js';
import { formatInstant, milliseconds } from './model/time.js';
import { type ServerSpec, Supervisor } from './server/supervisor.js';
import { openOtlpSinks } from './otlp/sinks.js';
import { Installations } from './server/installation.js';
import { RecentFailures } from './server/recent-failures.js';
import { Reloader } from './server/reload.js';
import { allServers, leasedServers, openPostgresqlStore } from './server/replica.js';
import { createServerSeries, restoreSeries, type ServerSeries } from './server/restore-series.js';
import { createServer, type SharedServices } from './server/server.js';
import { IncrementHold } from './metrics/increment-hold.js';
import { Scrapers } from './metrics/scrapers.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import type { Store } from './pipeline/ports.js';
import type { Leases } from './store/postgresql/leases.js';
import type { PostgresqlStore } from './store/postgresql/store.js';
import { sqliteStore } from './store/sqlite.js';
import { stateErrors, webLoginsRefused } from './metrics/delivery-families.js';
import { type ListenAddress, listen, type Listening } from './web/listen.js';
import { refusedLoginLog } from './web/refused-logins.js';
import { createWeb, type WebOptions } from './web/web.js';

export type AppOptions = Readonly<{
  config: Config;
  /** Undefined: the configuration is that of the environment alone. */
  configFile: string | undefined;
  /** Reads the configuration for a reload. @throws {ExporterError} `config`. */
  reread: () => Config;
  /** Whether `POST /-/reload` is enabled. */
  lifecycle: boolean;
  listenAt: ListenAddress;
  metricsPath: string;
  /** TLS, users and headers of the web pages; called for each connection and request. */
  webConfig: () => WebConfig;
  version: string;
  log: Log;
  clock: Clock;
  random: Random;
}>;

/** The running program. */
export interface App {
  readonly listening: Pick<Listening, 'address' | 'port'>;
  /** Rejects when a server's workers end unexpectedly; never resolves before `stop`. */
  readonly running: Promise<void>;
  /**
   * Reloads and applies the configuration, and returns a message for the caller.
   * @throws {ExporterError} why the previous configuration stays in force; it is logged too.
   */
  reload(): Promise<string>;
  /** Waits for active deliveries; `cut` when some were aborted after `drainMs`. */
  stop(drainMs: number): Promise<'drained' | 'cut'>;
}

/** Everything that is built before the first server. */
type Components = AppOptions &
  SharedServices &
  Readonly<{
    serverSeries: ServerSeries;
    /** Of a state that replicas share. */
    leases: Leases | undefined;
  }>;

/**
 * Builds and starts everything. Stored series are served before the first server is polled.
 * @throws {ExporterError} `config` when a file it names cannot be used, `store` when the state file cannot be used,
 * `network` when it cannot listen.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const otlpSinks = await openOtlpSinks(options);
  const log = otlpSinks.ownTelemetry?.log(options.log) ?? options.log;
  const { config, version, clock } = options;
  const { organizationLabel, firstIncrementHold } = config.metrics;
  const metrics = createMetrics({ version, organizationLabel });
  const store = await openStore({ ...options, log }, metrics).catch(async (thrown: unknown) => {
    await otlpSinks.close();
    throw thrown;
  });
  const scrapers = firstIncrementHold ? new Scrapers(clock) : undefined;
  const incrementHold = new IncrementHold({ store, table: metrics.stored, scrapers, log, movable: 'leases' in store });
  try {
    const parts = { metrics, log, pause: async (action: () => void) => incrementHold.pause(action) };
    // Replicas load the series of a server when they acquire it.
    const leases = 'leases' in store ? store.leases : undefined;
    const series = leases
      ? createServerSeries(config, store, { ...parts, leaseOf: server => leases.numberOf(server) })
      : await restoreSeries(config, store, parts);
    if (leases === undefined) await series.registerServers(namesOf(config));
    await incrementHold.release();
    return await run({
      ...options,
      log,
      metrics,
      store,
      incrementHold,
      otlpSinks,
      leases,
      serverSeries: series,
      labelOf: series.labelOf,
      failures: new RecentFailures(),
      installations: new Installations(),
      semaphore: createSemaphore(config.maxConcurrentRequests),
      answerBudget: createAnswerBudget(),
    });
  } catch (thrown) {
    await Promise.all([store.close(), otlpSinks.close()]);
    throw thrown;
  }
}

/** @throws {ExporterError} `store`. */
async function openStore(
  { config, clock, random, log }: AppOptions,
  metrics: Metrics,
): Promise<Store | PostgresqlStore> {
  const { path, postgresql } = config.state;
  const failed = (operation: keyof Store): void => metrics.inc(stateErrors, { operation });
  if (postgresql === undefined)
    return sqliteStore({ path, notice: (message, fields) => log.info(message, fields), failed });
  return openPostgresqlStore(postgresql, { hostName: hostname(), metrics, failed, clock, random, log });
}

/** @throws {ExporterError} `network` when it cannot listen, `store` when leases cannot be enrolled; then no server is polled. */
async function run(components: Components): Promise<App> {
  const { config, reread, metrics, log, clock, serverSeries, leases } = components;
  const supervisor = new Supervisor({
    clock,
    create: (spec, among) => createServer(spec, among, components),
    removed: server => (leases === undefined ? metrics.drop(server) : metrics.dropCurrent(server)),
  });
  const servers = serversOf(components, supervisor);
  let isStarted = false;
  const ready = readiness(supervisor, () => isStarted && leases !== undefined);
  const reloader = new Reloader({
    started: config,
    read: reread,
    apply: async wanted => {
      if (leases === undefined) await serverSeries.registerServers(namesOf(wanted));
      // A server that is added later does not make the exporter unready.
      ready();
      return servers.apply(specsOf(wanted));
    },
    metrics,
    log,
    clock,
  });
  const web = await serve(components, { supervisor, servers, reloader, ready });
  log.info('Listening', startFields(components, web));
  await servers.start(specsOf(config)).catch(async (thrown: unknown) => {
    // An open port would keep the process alive.
    await web.close();
    throw thrown;
  });
  isStarted = true;
  return {
    listening: web,
    running: supervisor.running,
    reload: async () => reloader.reload(),
    stop: async drainMs => stop(components, { servers, reloader, web }, drainMs),
  };
}

type ServerSet = ReturnType<typeof serversOf>;

function serversOf({ leases, ...deps }: Components, supervisor: Supervisor) {
  const { postgresql } = deps.config.state;
  return leases === undefined || postgresql === undefined
    ? allServers(supervisor)
    : leasedServers({ ...deps, leases, leaseMs: postgresql.leaseMs, supervisor });
}

/** What an operator asks first: which program runs with which configuration, and where its data goes. */
function startFields(
  { version, config, configFile, metricsPath, webConfig }: Components,
  { address, port }: Listening,
): LogFields {
  const scheme = webConfig().tls === undefined ? 'http' : 'https';
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    address,
    port,
    version,
    config_file: configFile === undefined ? 'none' : resolve(configFile),
    servers: firstOf(namesOf(config)),
    state: config.state.postgresql === undefined ? resolve(config.state.path) : 'PostgreSQL',
    metrics: `${scheme}://${host}:${String(port)}${metricsPath}`,
    otlp_logs: config.logs?.url.href ?? 'off',
    otlp_traces: config.traces?.url.href ?? 'off',
  };
}

const maxNames = 20;

/** The line of a large installation stays readable. */
const firstOf = (names: readonly string[]): string =>
  [...names.slice(0, maxNames), ...(names.length > maxNames ? [`(${String(names.length)} in total)`] : [])].join(' ');

const namesOf = ({ servers }: Config): readonly string[] => servers.map(({ name }) => name);

const specsOf = ({ servers, history, abandonAfterMs }: Config): readonly ServerSpec[] =>
  servers.map(server => ({ server, history, abandonAfterMs }));

type Controls = Readonly<{ supervisor: Supervisor; servers: ServerSet; reloader: Reloader }>;

async function serve(
  { metrics, incrementHold, failures, log, lifecycle, ...options }: Components,
  { supervisor, servers, reloader, ready }: Controls & Pick<WebOptions, 'ready'>,
): Promise<Listening> {
  const { clock, version, listenAt, webConfig } = options;
  const logRefused = refusedLoginLog(log);
  const app = createWeb({
    ...options,
    loginRefused: (reason, address) => {
      metrics.inc(webLoginsRefused, { reason });
      logRefused(reason, address);
    },
    metrics: async format => {
      await servers.beforePage();
      const { body, page } = await incrementHold.page(async () => metrics.exposition(format));
      return { body, delivered: scraper => void incrementHold.served(scraper, page) };
    },
    ready,
    status: () => ({
      version,
      at: formatInstant(milliseconds(clock.now())),
      servers: supervisor.statuses().map(status => status.view()),
      failed: failures.view(),
    }),
    reload: lifecycle ? async () => reloader.reload() : undefined,
    report: error => log.error('Could not answer a request', { error: error.message }),
  });
  return listen({ app, ...listenAt, webConfig });
}

/** Ready once every server was polled, and for good. `canBeIdle`: other replicas may run all servers. */
function readiness(supervisor: Supervisor, canBeIdle: () => boolean): WebOptions['ready'] {
  let wasReady = false;
  return () => {
    const statuses = supervisor.statuses();
    wasReady ||= (statuses.length > 0 || canBeIdle()) && statuses.every(status => status.polled());
    return wasReady
      ? { ready: true, why: 'vb365-exporter is ready' }
      : { ready: false, why: 'Not every server has been polled yet' };
  };
}

async function stop(
  { log, otlpSinks, incrementHold, store }: Components,
  { servers, reloader, web }: Readonly<{ servers: ServerSet; reloader: Reloader; web: Listening }>,
  drainMs: number,
): Promise<'drained' | 'cut'> {
  log.info('Stopping');
  const [ended] = await Promise.all([servers.stop(drainMs), reloader.stop()]);
  const exceeded = 'Shutdown deadline exceeded; unfinished deliveries will be retried at the next start';
  if (ended === 'cut') log.warn(exceeded, { after_ms: drainMs });
  await web.close();
  await otlpSinks.close();
  await incrementHold.release();
  await servers.leave();
  await store.close();
  return ended;
}
