import { readFile } from 'node:fs/promises';
import type { Config, ServerConfig } from './config/parse.js';
import type { History } from './config/units.js';
import type { Clock, Random } from './kernel/clock.js';
import { ExporterError } from './kernel/errors.js';
import type { Log } from './kernel/log.js';
import { Secret } from './kernel/secret.js';
import { milliseconds, type Nanos } from './model/time.js';
import { openOutlets, type Outlets, sinkNamesOf } from './outlets.js';
import { journal } from './pipeline/journal.js';
import type { Stopping } from './pipeline/lane.js';
import { type LineDeps, type Observer, runLine } from './pipeline/line.js';
import type { Store } from './pipeline/ports.js';
import { health } from './sink/health.js';
import { metricsSink } from './sink/metrics-sink.js';
import { createMetrics, type Metrics } from './sink/registry.js';
import { type RestSource, restSource } from './source/rest.js';
import { type ServerWatch, watchServer } from './status.js';
import { sqliteStore } from './store/sqlite.js';
import { watchedStore } from './store/watched.js';
import { stateErrors } from './telemetry/delivery-families.js';
import { birthDeltas, bornDeltas } from './telemetry/metrics.js';
import { apiRequestDuration, apiRequests } from './telemetry/server-families.js';
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
  const metrics = createMetrics({ version, servers: config.servers.map(({ name }) => name) });
  const store = watchedStore(await sqliteStore(config.state), operation => {
    metrics.inc(stateErrors, { operation });
  });
  const watches = config.servers.map(server => watchServer(server, sinkNamesOf(config), clock));
  try {
    await restore(config, store, { metrics, log });
    const web = await serve(options, metrics, watches);
    log.info('Listening', { address: web.address, port: web.port });
    return run({ options, metrics, store, watches, web, outlets });
  } catch (thrown) {
    await Promise.all([store.close(), outlets.close()]);
    throw thrown;
  }
}

/** Serves again what was counted before, and brings the closed series into being. */
async function restore(config: Config, store: Store, { metrics, log }: { metrics: Metrics; log: Log }): Promise<void> {
  for (const { family, series } of metrics.stored.restore(await store.series()))
    log.warn('Left stored series out, their metric has changed', { family, series });
  for (const { name } of config.servers) {
    const deltas = birthDeltas(name, sinkNamesOf(config));
    await store.commit({ server: name, deltas });
    metrics.stored.apply(deltas);
  }
}

async function serve(options: AppOptions, metrics: Metrics, watches: readonly ServerWatch[]): Promise<Listening> {
  const { registry } = metrics;
  const app = createWeb({
    metricsPath: options.metricsPath,
    metrics: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    ready: () =>
      watches.every(watch => watch.tried())
        ? { ready: true, why: 'vb365-exporter is ready' }
        : { ready: false, why: 'Not every server has been tried yet' },
    status: () => ({ name: 'vb365-exporter', version: options.version, servers: watches.map(watch => watch.view()) }),
    webConfig: options.webConfig,
    report: error => {
      options.log.error('Could not answer a request', { error: error.message });
    },
  });
  return listen({ app, ...options.listenAt, webConfig: options.webConfig });
}

type Parts = Readonly<{
  options: AppOptions;
  metrics: Metrics;
  store: Store;
  watches: readonly ServerWatch[];
  web: Listening;
  outlets: Outlets;
}>;

function run(parts: Parts): App {
  const { options, store, watches, web, outlets } = parts;
  const quit = new AbortController();
  const cut = new AbortController();
  const sources = options.config.servers.map(server => sourceOf(server, parts));
  const lines = sources.map(async (source, index) => {
    const server = options.config.servers[index];
    const watch = watches[index];
    if (server === undefined || watch === undefined) return;
    const stopping: Stopping = { quit: quit.signal, cut: cut.signal };
    await runLine(lineOf(server, { ...parts, source, watch }), stopping);
  });
  const running = Promise.all(lines).then(() => undefined);
  return {
    listening: web,
    running,
    stop: async drainMs => {
      quit.abort();
      const ended = running.catch(() => undefined);
      const drained = await within(drainMs, ended, options.clock);
      cut.abort();
      await ended;
      await Promise.all([web.close(), ...sources.map(async source => source.close())]);
      await outlets.close();
      await store.close();
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

function sourceOf(server: ServerConfig, { options, metrics, outlets }: Parts): RestSource {
  return restSource({
    baseUrl: server.url,
    apiVersion: server.apiVersion,
    username: server.username,
    password: async () => readPassword(server),
    clock: options.clock,
    eventLimit: server.pageSize,
    requestTimeoutMs: server.requestTimeoutMs,
    userAgent: `vb365-exporter/${options.version}`,
    observe: (operation, code, seconds) => {
      metrics.inc(apiRequests, { server: server.name, operation, code });
      metrics.observe(apiRequestDuration, { server: server.name, operation }, seconds);
      outlets.self?.request(server.name, { operation, code, seconds });
    },
  });
}

/** @throws {ExporterError} `auth` when the file cannot be read. */
async function readPassword({ password }: ServerConfig): Promise<Secret> {
  if ('value' in password) return password.value;
  try {
    return new Secret((await readFile(password.file, 'utf8')).replace(/\r?\n$/, ''));
  } catch (cause) {
    throw new ExporterError('auth', `Could not read password file "${password.file}"`, { cause });
  }
}

type LineParts = Parts & Readonly<{ source: RestSource; watch: ServerWatch }>;

function lineOf(server: ServerConfig, parts: LineParts): LineDeps {
  const { options, metrics, store, source } = parts;
  const { config, clock, random, log } = options;
  return {
    server: server.name,
    source,
    sinks: [metricsSink(server.name), ...parts.outlets.sinksOf(server)],
    store,
    clock,
    random,
    intervals: { idleMs: server.pollIntervalMs, openMs: server.openPollIntervalMs },
    grace: milliseconds(config.abandonAfterMs),
    beginAt: (sink, now) => (sink === 'metrics' ? now : lookBack(config.history, now)),
    born: session => bornDeltas(server.name, session),
    stored: deltas => {
      metrics.stored.apply(deltas);
    },
    observer: together([
      health(server.name, metrics, { clock, connection: source }),
      journal(log.child({ server: server.name })),
      parts.watch.observer,
    ]),
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
  met: instance => {
    for (const observer of observers) observer.met(instance);
  },
  discovered: (report, open) => {
    for (const observer of observers) observer.discovered(report, open);
  },
  delivered: (sink, report, backlog) => {
    for (const observer of observers) observer.delivered(sink, report, backlog);
  },
});
