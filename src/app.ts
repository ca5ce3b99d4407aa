import type { Config } from './config/parse.js';
import type { Clock, Random } from './kernel/clock.js';
import { createSemaphore } from './kernel/semaphore.js';
import type { Log } from './kernel/log.js';
import { formatInstant, milliseconds } from './model/time.js';
import { type ServerSpec, Supervisor } from './server/supervisor.js';
import { openOtlpSinks, type OtlpSinks } from './otlp/sinks.js';
import { Installations } from './server/installation.js';
import type { SeriesDelta, Store } from './pipeline/ports.js';
import { type RecentFailures, recentFailures } from './server/recent-failures.js';
import { createReloader, type Reloader, markReloadSucceeded } from './server/reload.js';
import { restoreSeries, type ServerSeries } from './server/restore-series.js';
import { createServer } from './server/server.js';
import { type IncrementHold, createIncrementHold } from './metrics/increment-hold.js';
import { createScrapers } from './metrics/scrapers.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import { sqliteStore } from './store/sqlite.js';
import { watchedStore } from './store/watched.js';
import { stateErrors } from './metrics/delivery-families.js';
import { type ListenAddress, listen, type Listening } from './web/listen.js';
import type { WebConfig } from './web/web-config.js';
import { createWeb } from './web/web.js';

export type AppOptions = Readonly<{
  config: Config;
  /** Reads the configuration anew. @throws {ExporterError} `config`. */
  reread: () => Config;
  /** Whether `POST /-/reload` is allowed. */
  lifecycle: boolean;
  listenAt: ListenAddress;
  metricsPath: string;
  /** How the web pages are protected; asked for at each connection. */
  webConfig: () => WebConfig;
  version: string;
  log: Log;
  clock: Clock;
  random: Random;
}>;

/** The running program. */
export interface App {
  /** Where it listens. */
  readonly listening: Pick<Listening, 'address' | 'port'>;
  /** Rejects when a line ends that should not have; never resolves before `stop`. */
  readonly running: Promise<void>;
  /**
   * Reads the configuration anew and follows it; see `Reloads`.
   * @throws {ExporterError} why the one that was in force still is, which the log says too.
   */
  reload(): Promise<string>;
  /** Ends what is in hand; what is not done after `drainMs` is cut off, and `cut` says so. */
  stop(drainMs: number): Promise<'drained' | 'cut'>;
}

/**
 * Builds everything and starts it: first what is remembered is loaded and served, then servers are read.
 * @throws {ExporterError} `config` when a file that it names cannot be used, `store` when the state cannot be used,
 * `network` when the port cannot be had.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, version, log, clock } = options;
  const otlpSinks = await openOtlpSinks(options);
  const { organizationLabel, firstIncrementHold } = config.metrics;
  const metrics = createMetrics({ version, organizationLabel });
  const notice = (message: string): void => {
    log.info(message);
  };
  const store = watchedStore(await sqliteStore({ ...config.state, notice }), operation => {
    metrics.inc(stateErrors, { operation });
  });
  const scrapers = firstIncrementHold ? createScrapers(clock) : undefined;
  const incrementHold = createIncrementHold({
    table: metrics.stored,
    scrapers,
    store: async deltas => keep(store, metrics, deltas),
    failed: ({ message }) => log.error('Could not store what has been seen', { error: message }),
  });
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

/** How many failed events the page shows. */
const shownFailures = 20;

/** Stores changes to series of any server, then serves them. */
async function keep(store: Store, metrics: Metrics, deltas: readonly SeriesDelta[]): Promise<void> {
  await store.commit({ server: deltas[0]?.labels[0] ?? '', deltas });
  metrics.stored.apply(deltas);
}

type Parts = Readonly<{
  options: AppOptions;
  metrics: Metrics;
  store: Store;
  incrementHold: IncrementHold;
  otlpSinks: OtlpSinks;
  serverSeries: ServerSeries;
  failures: RecentFailures;
}>;

/** @throws {ExporterError} `network` when the port cannot be had; then nothing runs. */
async function run(parts: Parts): Promise<App> {
  const { options, metrics, serverSeries } = parts;
  const { config } = options;
  const supervisor = supervisorOf(parts);
  const ready = readiness(supervisor);
  const reloader = createReloader({
    ...options,
    started: config,
    read: options.reread,
    metrics,
    apply: async wanted => {
      await serverSeries.registerServers(namesOf(wanted));
      // A server that is added later is no reason to send nobody here.
      ready();
      return supervisor.apply(plansOf(wanted));
    },
  });
  const web = await serve(parts, { supervisor, reloader, ready });
  options.log.info('Listening', { address: web.address, port: web.port });
  await supervisor.apply(plansOf(config));
  return {
    listening: web,
    running: supervisor.running,
    reload: async () => reloader.reload(),
    stop: async drainMs => stop(parts, { supervisor, reloader, web }, drainMs),
  };
}

const namesOf = ({ servers }: Config): readonly string[] => servers.map(({ name }) => name);

const plansOf = ({ servers, history, abandonAfterMs }: Config): readonly ServerSpec[] =>
  servers.map(server => ({ server, history, abandonAfterMs }));

function supervisorOf({ options, serverSeries, ...shared }: Parts): Supervisor {
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

type Ready = () => Readonly<{ ready: boolean; why: string }>;
type Shown = Readonly<{ supervisor: Supervisor; reloader: Reloader; ready: Ready }>;

async function serve(
  { options, metrics, incrementHold, failures }: Parts,
  { supervisor, reloader, ready }: Shown,
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
      name: 'vb365-exporter',
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

/** Once it has found the program ready it stays with that. */
function readiness(supervisor: Supervisor): Ready {
  let wasReady = false;
  return () => {
    const statuses = supervisor.statuses();
    wasReady ||= statuses.length > 0 && statuses.every(status => status.polled());
    return wasReady
      ? { ready: true, why: 'vb365-exporter is ready' }
      : { ready: false, why: 'Not every server has been tried yet' };
  };
}

type Running = Readonly<{ supervisor: Supervisor; reloader: Reloader; web: Listening }>;

async function stop(parts: Parts, { supervisor, reloader, web }: Running, drainMs: number): Promise<'drained' | 'cut'> {
  const { log } = parts.options;
  log.info('Stopping');
  const [ended] = await Promise.all([supervisor.stop(drainMs), reloader.stop()]);
  await web.close();
  await parts.otlpSinks.close();
  await parts.incrementHold.release();
  await parts.store.close();
  if (ended === 'cut') log.warn('Cut off what was in hand, the next start does it again', { after_ms: drainMs });
  return ended;
}
