import type { Config } from './config/parse.js';
import type { WebConfig } from './config/web-config.js';
import type { Clock, Random } from './kernel/clock.js';
import { createSemaphore } from './kernel/semaphore.js';
import type { Log } from './kernel/log.js';
import { formatInstant, milliseconds } from './model/time.js';
import { type ServerSpec, Supervisor } from './server/supervisor.js';
import { openOtlpSinks, type OtlpSinks } from './otlp/sinks.js';
import { Installations } from './server/installation.js';
import type { Store } from './pipeline/ports.js';
import { type RecentFailures, recentFailures } from './server/recent-failures.js';
import { createReloader, type Reloader, markReloadSucceeded } from './server/reload.js';
import { restoreSeries, type ServerSeries } from './server/restore-series.js';
import { createServer } from './server/server.js';
import { IncrementHold } from './metrics/increment-hold.js';
import { Scrapers } from './metrics/scrapers.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import { sqliteStore } from './store/sqlite.js';
import { stateErrors } from './metrics/delivery-families.js';
import { type ListenAddress, listen, type Listening } from './web/listen.js';
import { createWeb } from './web/web.js';

export type AppOptions = Readonly<{
  config: Config;
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

/**
 * Builds and starts everything. Stored series are served before the first server is polled.
 * @throws {ExporterError} `config` when a file it names cannot be used, `store` when the state file cannot be used,
 * `network` when it cannot listen.
 */
export async function startApp(given: AppOptions): Promise<App> {
  const otlpSinks = await openOtlpSinks(given);
  const options = { ...given, log: otlpSinks.ownTelemetry?.log(given.log) ?? given.log };
  const { config, version, log, clock } = options;
  const { organizationLabel, firstIncrementHold } = config.metrics;
  const metrics = createMetrics({ version, organizationLabel });
  const store = await sqliteStore({
    path: config.state.path,
    notice: message => log.info(message),
    failed: operation => metrics.inc(stateErrors, { operation }),
  });
  const scrapers = firstIncrementHold ? new Scrapers(clock) : undefined;
  const incrementHold = new IncrementHold({ store, table: metrics.stored, scrapers, log });
  try {
    const serverSeries = await restoreSeries(config, store, { metrics, log });
    await serverSeries.registerServers(namesOf(config));
    await incrementHold.release();
    markReloadSucceeded(metrics, clock);
    return await run({
      options,
      metrics,
      store,
      incrementHold,
      otlpSinks,
      serverSeries,
      failures: recentFailures(shownFailures),
    });
  } catch (thrown) {
    await Promise.all([store.close(), otlpSinks.close()]);
    throw thrown;
  }
}

/** Number of failed events on the landing page. */
const shownFailures = 20;

type Components = Readonly<{
  options: AppOptions;
  metrics: Metrics;
  store: Store;
  incrementHold: IncrementHold;
  otlpSinks: OtlpSinks;
  serverSeries: ServerSeries;
  failures: RecentFailures;
}>;

/** @throws {ExporterError} `network` when it cannot listen; then no server is polled. */
async function run(components: Components): Promise<App> {
  const { options, metrics, serverSeries } = components;
  const { config } = options;
  const supervisor = supervisorOf(components);
  const ready = readiness(supervisor);
  const reloader = createReloader({
    ...options,
    started: config,
    read: options.reread,
    metrics,
    apply: async wanted => {
      await serverSeries.registerServers(namesOf(wanted));
      // A server that is added later does not make the exporter unready.
      ready();
      return supervisor.apply(plansOf(wanted));
    },
  });
  const web = await serve(components, { supervisor, reloader, ready });
  options.log.info('Listening', { address: web.address, port: web.port });
  await supervisor.apply(plansOf(config));
  return {
    listening: web,
    running: supervisor.running,
    reload: async () => reloader.reload(),
    stop: async drainMs => stop(components, { supervisor, reloader, web }, drainMs),
  };
}

const namesOf = ({ servers }: Config): readonly string[] => servers.map(({ name }) => name);

const plansOf = ({ servers, history, abandonAfterMs }: Config): readonly ServerSpec[] =>
  servers.map(server => ({ server, history, abandonAfterMs }));

function supervisorOf({ options, serverSeries, ...shared }: Components): Supervisor {
  const semaphore = createSemaphore(options.config.maxConcurrentRequests);
  const installations = new Installations();
  const serverParts = { ...options, ...shared, semaphore, installations, labelOf: serverSeries.labelOf };
  return new Supervisor({
    clock: options.clock,
    create: (spec, among) => createServer(spec, among, serverParts),
    removed: server => {
      shared.metrics.drop(server);
    },
  });
}

type Readiness = () => Readonly<{ ready: boolean; why: string }>;
type Controls = Readonly<{ supervisor: Supervisor; reloader: Reloader }>;

async function serve(
  { options, metrics, incrementHold, failures }: Components,
  { supervisor, reloader, ready }: Controls & Readonly<{ ready: Readiness }>,
): Promise<Listening> {
  const app = createWeb({
    metricsPath: options.metricsPath,
    clock: options.clock,
    metrics: async format => {
      const { body, page } = await metrics.exposition(format);
      return { body, delivered: reader => void incrementHold.served(reader, page) };
    },
    ready,
    status: () => ({
      version: options.version,
      at: formatInstant(milliseconds(options.clock.now())),
      servers: supervisor.statuses().map(status => status.view()),
      failed: failures.view(),
    }),
    reload: options.lifecycle ? async () => reloader.reload() : undefined,
    webConfig: options.webConfig,
    report: error => {
      options.log.error('Could not answer a request', { error: error.message });
    },
  });
  return listen({ app, ...options.listenAt, webConfig: options.webConfig });
}

/** Ready once every server was polled, and for good. */
function readiness(supervisor: Supervisor): Readiness {
  let wasReady = false;
  return () => {
    const statuses = supervisor.statuses();
    wasReady ||= statuses.length > 0 && statuses.every(status => status.polled());
    return wasReady
      ? { ready: true, why: 'vb365-exporter is ready' }
      : { ready: false, why: 'Not every server has been polled yet' };
  };
}

async function stop(
  { options: { log }, otlpSinks, incrementHold, store }: Components,
  { supervisor, reloader, web }: Controls & Readonly<{ web: Listening }>,
  drainMs: number,
): Promise<'drained' | 'cut'> {
  log.info('Stopping');
  const [ended] = await Promise.all([supervisor.stop(drainMs), reloader.stop()]);
  await web.close();
  await otlpSinks.close();
  await incrementHold.release();
  await store.close();
  if (ended === 'cut')
    log.warn('Shutdown deadline exceeded; unfinished deliveries will be retried at the next start', {
      after_ms: drainMs,
    });
  return ended;
}
