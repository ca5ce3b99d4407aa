import type { Config, ServerConfig } from './config/parse.js';
import type { History } from './config/units.js';
import type { Clock, Random } from './kernel/clock.js';
import { createGate, type Gate } from './kernel/gate.js';
import type { Log } from './kernel/log.js';
import { formatInstant, milliseconds, type Nanos } from './model/time.js';
import { openOutlets, type Outlets, sinkNamesOf } from './outlets.js';
import { createInstallations, type Installations } from './pipeline/installations.js';
import { journal } from './pipeline/journal.js';
import type { Stopping } from './pipeline/lane.js';
import { type LineDeps, type Observer, runLine } from './pipeline/line.js';
import type { SeriesDelta, Store } from './pipeline/ports.js';
import { startAfterMs } from './pipeline/spread.js';
import { type FirstSight, firstSight } from './sink/first-sight.js';
import { health } from './sink/health.js';
import { metricsSink } from './sink/metrics-sink.js';
import { createReaders } from './sink/readers.js';
import { createMetrics, type Metrics } from './sink/registry.js';
import type { EndedRequest } from './sink/self-tracing.js';
import { type RecentFailures, recentFailures } from './recent-failures.js';
import { serverSource } from './server-source.js';
import type { RestSource } from './source/rest.js';
import { type ServerWatch, watchServer } from './status.js';
import { sqliteStore } from './store/sqlite.js';
import { watchedStore } from './store/watched.js';
import { configReload, configReloadTime, stateErrors } from './telemetry/delivery-families.js';
import { type OrganizationLabel, organizationLabels, organizationsIn, unlimited } from './telemetry/organizations.js';
import { birthDeltas, bornDeltas, feedGapDeltas, replacedDeltas } from './telemetry/metrics.js';
import { type ListenAddress, listen, type Listening } from './web/listen.js';
import type { WebConfig } from './web/web-config.js';
import { createWeb } from './web/web.js';

export type AppOptions = Readonly<{
  config: Config;
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
  const metrics = createMetrics({ version, servers: config.servers.map(({ name }) => name), organizationLabel });
  const notice = (message: string): void => {
    log.info(message);
  };
  const store = watchedStore(await sqliteStore({ ...config.state, notice }), operation => {
    metrics.inc(stateErrors, { operation });
  });
  const watches = config.servers.map(server => watchServer(server, sinkNamesOf(config), clock));
  const failures = recentFailures(shownFailures);
  const readers = firstIncrementHold ? createReaders(clock) : undefined;
  const sight = firstSight({
    table: metrics.stored,
    readers,
    store: async deltas => keep(store, metrics, deltas),
    failed: ({ message }) => log.error('Could not store what has been seen', { error: message }),
  });
  try {
    const labels = await restore(config, store, { metrics, log });
    await sight.letGo();
    metrics.set(configReload, {}, 1);
    metrics.set(configReloadTime, {}, clock.now() / 1000);
    const web = await serve(options, { metrics, watches, failures, sight });
    log.info('Listening', { address: web.address, port: web.port });
    return run({ options, metrics, store, watches, failures, web, sight, labels, outlets });
  } catch (thrown) {
    await Promise.all([store.close(), outlets.close()]);
    throw thrown;
  }
}

/** Stores changes to series of any server, then serves them. */
async function keep(store: Store, metrics: Metrics, deltas: readonly SeriesDelta[]): Promise<void> {
  for (const server of new Set(deltas.map(({ labels }) => labels[0] ?? ''))) {
    const own = deltas.filter(({ labels }) => labels[0] === server);
    await store.commit({ server, deltas: own });
    metrics.stored.apply(own);
  }
}

/** By server. */
type Labels = ReadonlyMap<string, OrganizationLabel>;

/** Serves again what was counted before, and brings the closed series into being. Says who has a label value. */
async function restore(
  config: Config,
  store: Store,
  { metrics, log }: { metrics: Metrics; log: Log },
): Promise<Labels> {
  const stored = await store.series();
  for (const { family, series } of metrics.stored.restore(stored))
    log.warn('Left stored series out, their metric has changed', { family, series });
  for (const { name } of config.servers) {
    const deltas = birthDeltas(name, sinkNamesOf(config));
    await store.commit({ server: name, deltas });
    metrics.stored.apply(deltas);
  }
  const known = organizationsIn(stored);
  const labelsOf = (name: string): OrganizationLabel =>
    organizationLabels(known.get(name) ?? [], config.metrics.maxOrganizations);
  return new Map(config.servers.map(({ name }) => [name, labelsOf(name)]));
}

type Shown = Readonly<{
  metrics: Metrics;
  watches: readonly ServerWatch[];
  failures: RecentFailures;
  sight: FirstSight;
}>;

/** How many failed events the page shows. */
const shownFailures = 20;

async function serve(options: AppOptions, { metrics, watches, failures, sight }: Shown): Promise<Listening> {
  const app = createWeb({
    metricsPath: options.metricsPath,
    clock: options.clock,
    metrics: async format => {
      const { text, page } = await metrics.exposition(format);
      return { text, delivered: reader => void sight.served(reader, page) };
    },
    ready: () =>
      watches.every(watch => watch.tried())
        ? { ready: true, why: 'vb365-exporter is ready' }
        : { ready: false, why: 'Not every server has been tried yet' },
    status: () => ({
      name: 'vb365-exporter',
      version: options.version,
      at: formatInstant(milliseconds(options.clock.now())),
      servers: watches.map(watch => watch.view()),
      failed: failures.view(),
    }),
    webConfig: options.webConfig,
    report: error => {
      options.log.error('Could not answer a request', { error: error.message });
    },
  });
  return listen({ app, ...options.listenAt, webConfig: options.webConfig });
}

type Parts = Shown & Readonly<{ options: AppOptions; store: Store; web: Listening; labels: Labels; outlets: Outlets }>;

function run(parts: Parts): App {
  const { options, store, watches, web, sight, outlets } = parts;
  const quit = new AbortController();
  const cut = new AbortController();
  const gate = createGate(options.config.maxConcurrentRequests);
  const sources = options.config.servers.map(server => sourceOf(server, gate, parts));
  const installations = createInstallations(options.config.servers.map(({ name }) => name));
  const lines = sources.map(async (source, index) => {
    const server = options.config.servers[index];
    const watch = watches[index];
    if (server === undefined || watch === undefined) return;
    const stopping: Stopping = { quit: quit.signal, cut: cut.signal };
    await runLine(lineOf(server, { ...parts, source, watch, installations }), stopping);
  });
  const running = Promise.all(lines).then(() => undefined);
  return {
    listening: web,
    running,
    stop: async drainMs => {
      options.log.info('Stopping');
      quit.abort();
      const ended = running.catch(() => undefined);
      const drained = await within(drainMs, ended, options.clock);
      cut.abort();
      await ended;
      await Promise.all([web.close(), ...sources.map(async source => source.close())]);
      await outlets.close();
      await sight.letGo();
      await store.close();
      if (!drained) options.log.warn('Cut off what was in hand, the next start does it again', { after_ms: drainMs });
      return drained ? 'drained' : 'cut';
    },
  };
}

/** Whether `work` ended within `ms`. */
async function within(ms: number, work: Promise<void>, clock: Clock): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(
    () => false,
    () => true,
  );
  const done = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return done;
}

function sourceOf(server: ServerConfig, gate: Gate, { options, metrics, store, outlets }: Parts): RestSource {
  const log = options.log.child({ server: server.name });
  const { self } = outlets;
  const requested = self && ((request: EndedRequest): void => self.request(server.name, request));
  return serverSource(server, { ...options, gate, metrics, store, log, requested });
}

type LineParts = Parts & Readonly<{ source: RestSource; watch: ServerWatch; installations: Installations }>;

function lineOf(server: ServerConfig, parts: LineParts): LineDeps {
  const { options, metrics, store, source } = parts;
  const { config, clock, random, log } = options;
  const labelOf = parts.labels.get(server.name) ?? unlimited;
  return {
    server: server.name,
    source,
    sinks: [
      metricsSink(server.name, { labelOf, holdBack: deltas => parts.sight.holdBack(deltas) }),
      ...parts.outlets.sinksOf(server),
    ],
    store,
    clock,
    random,
    intervals: { idleMs: server.pollIntervalMs, openMs: server.openPollIntervalMs },
    reconcileMs: server.reconcileIntervalMs,
    startAfterMs: startAfterMs(server.pollIntervalMs, config.servers.length, random),
    grace: milliseconds(config.abandonAfterMs),
    beginAt: (sink, now) => (sink === 'metrics' ? now : lookBack(config.history, now)),
    installations: parts.installations,
    replaced: () => replacedDeltas(server.name),
    loginEndsAtMs: () => source.tokenExpiresAtMs(),
    born: session => bornDeltas(server.name, session, labelOf),
    feedGap: missed => feedGapDeltas(server.name, missed),
    stored: deltas => {
      metrics.stored.apply(deltas);
    },
    observer: together([
      health(server.name, metrics, { clock, connection: source, labelOf }),
      journal(log.child({ server: server.name })),
      parts.watch.observer,
    ]),
    opened: (sink, backlog) => parts.watch.opened(sink, backlog),
    recorded: (sink, batch) => {
      if (sink === 'metrics') parts.failures.note(server.name, batch);
    },
    around: parts.outlets.self?.around(server.name),
  };
}

/** How far back a sink looks that meets a server at `now` for the first time. */
function lookBack(history: History, now: Nanos): Nanos {
  switch (history.kind) {
    case 'now':
      return now;
    case 'all':
      return 0n;
    case 'ago':
      return now - milliseconds(history.ms);
    case 'since':
      return history.at;
  }
}

const together = (observers: readonly Observer[]): Observer => ({
  arrived: arrival => {
    for (const observer of observers) observer.arrived(arrival);
  },
  met: instance => {
    for (const observer of observers) observer.met(instance);
  },
  discovered: (report, open) => {
    for (const observer of observers) observer.discovered(report, open);
  },
  feed: state => {
    for (const observer of observers) observer.feed(state);
  },
  delivered: (sink, report, backlog) => {
    for (const observer of observers) observer.delivered(sink, report, backlog);
  },
});
