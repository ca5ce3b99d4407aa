import type { Config } from './config/parse.js';
import type { Clock, Random } from './kernel/clock.js';
import { createGate } from './kernel/semaphore.js';
import type { Log } from './kernel/log.js';
import { formatInstant, milliseconds } from './model/time.js';
import { createLines, type LinePlan, type Lines } from './server/supervisor.js';
import { openOutlets, type Outlets } from './otlp/sinks.js';
import { createInstallations } from './server/installations.js';
import type { SeriesDelta, Store } from './pipeline/ports.js';
import { type RecentFailures, recentFailures } from './server/recent-failures.js';
import { createReloads, type Reloads, sayGood } from './server/reload.js';
import { callRoll, type Roll } from './server/restore-series.js';
import { serverLine } from './server/server.js';
import { type FirstSight, firstSight } from './metrics/increment-hold.js';
import { createReaders } from './metrics/scrapers.js';
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
  const outlets = await openOutlets(options);
  const { organizationLabel, firstIncrementHold } = config.metrics;
  const metrics = createMetrics({ version, organizationLabel });
  const notice = (message: string): void => {
    log.info(message);
  };
  const store = watchedStore(await sqliteStore({ ...config.state, notice }), operation => {
    metrics.inc(stateErrors, { operation });
  });
  const readers = firstIncrementHold ? createReaders(clock) : undefined;
  const sight = firstSight({
    table: metrics.stored,
    readers,
    store: async deltas => keep(store, metrics, deltas),
    failed: ({ message }) => log.error('Could not store what has been seen', { error: message }),
  });
  try {
    const roll = await callRoll(config, store, { metrics, log });
    await roll.enter(namesOf(config));
    await sight.letGo();
    sayGood(metrics, clock);
    return await run({ options, metrics, store, sight, outlets, roll, failures: recentFailures(shownFailures) });
  } catch (thrown) {
    await Promise.all([store.close(), outlets.close()]);
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
  sight: FirstSight;
  outlets: Outlets;
  roll: Roll;
  failures: RecentFailures;
}>;

/** @throws {ExporterError} `network` when the port cannot be had; then nothing runs. */
async function run(parts: Parts): Promise<App> {
  const { options, metrics, roll } = parts;
  const { config } = options;
  const lines = linesOf(parts);
  const ready = readiness(lines);
  const reloads = createReloads({
    ...options,
    started: config,
    read: options.reread,
    metrics,
    follow: async wanted => {
      await roll.enter(namesOf(wanted));
      // A server that is added later is no reason to send nobody here.
      ready();
      return lines.follow(plansOf(wanted));
    },
  });
  const web = await serve(parts, { lines, reloads, ready });
  options.log.info('Listening', { address: web.address, port: web.port });
  await lines.follow(plansOf(config));
  return {
    listening: web,
    running: lines.running,
    reload: async () => reloads.reload(),
    stop: async drainMs => stop(parts, { lines, reloads, web }, drainMs),
  };
}

const namesOf = ({ servers }: Config): readonly string[] => servers.map(({ name }) => name);

const plansOf = ({ servers, history, abandonAfterMs }: Config): readonly LinePlan[] =>
  servers.map(server => ({ server, history, abandonAfterMs }));

function linesOf({ options, roll, ...shared }: Parts): Lines {
  const gate = createGate(options.config.maxConcurrentRequests);
  const installations = createInstallations();
  const lineParts = { ...options, ...shared, gate, installations, labelOf: roll.labelOf };
  return createLines({
    clock: options.clock,
    make: (plan, among) => serverLine(plan, among, lineParts),
    gone: server => {
      shared.metrics.drop(server);
    },
  });
}

type Ready = () => Readonly<{ ready: boolean; why: string }>;
type Shown = Readonly<{ lines: Lines; reloads: Reloads; ready: Ready }>;

async function serve(
  { options, metrics, sight, failures }: Parts,
  { lines, reloads, ready }: Shown,
): Promise<Listening> {
  const app = createWeb({
    metricsPath: options.metricsPath,
    clock: options.clock,
    metrics: async format => {
      const { body, page } = await metrics.exposition(format);
      return { body, delivered: reader => void sight.served(reader, page) };
    },
    ready,
    status: () => ({
      name: 'vb365-exporter',
      version: options.version,
      at: formatInstant(milliseconds(options.clock.now())),
      servers: lines.watches().map(watch => watch.view()),
      failed: failures.view(),
    }),
    reload: options.lifecycle ? async () => reloads.reload() : undefined,
    webConfig: options.webConfig,
    report: error => {
      options.log.error('Could not answer a request', { error: error.message });
    },
  });
  return listen({ app, ...options.listenAt, webConfig: options.webConfig });
}

/** Once it has found the program ready it stays with that. */
function readiness(lines: Lines): Ready {
  let wasReady = false;
  return () => {
    const watches = lines.watches();
    wasReady ||= watches.length > 0 && watches.every(watch => watch.tried());
    return wasReady
      ? { ready: true, why: 'vb365-exporter is ready' }
      : { ready: false, why: 'Not every server has been tried yet' };
  };
}

type Running = Readonly<{ lines: Lines; reloads: Reloads; web: Listening }>;

async function stop(parts: Parts, { lines, reloads, web }: Running, drainMs: number): Promise<'drained' | 'cut'> {
  const { log } = parts.options;
  log.info('Stopping');
  const [ended] = await Promise.all([lines.stop(drainMs), reloads.stop()]);
  await web.close();
  await parts.outlets.close();
  await parts.sight.letGo();
  await parts.store.close();
  if (ended === 'cut') log.warn('Cut off what was in hand, the next start does it again', { after_ms: drainMs });
  return ended;
}
