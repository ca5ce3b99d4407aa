import { type App, startApp } from '../app.js';
import type { Config } from '../config/parse.js';
import { systemClock, systemRandom } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import { createLog, type LogFormat, type LogLevel } from '../kernel/log.js';
import { createNotify, type Notify } from '../kernel/notify.js';
import { failureLog } from '../server/log-observer.js';
import { parseListenAddress } from '../web/listen.js';
import { parseMetricsPath } from '../web/web.js';
import { configFileOf, readConfig } from './read-config.js';
import { aborted, type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { webConfigFile } from './web-config-file.js';

type ServeFlags = Readonly<{
  'config.file'?: string;
  'web.listenAddress': string;
  'web.telemetryPath': string;
  'web.config.file'?: string;
  /** Whether `POST /-/reload` is enabled. */
  'web.enableLifecycle': boolean;
  'log.level': LogLevel;
  'log.format': LogFormat;
}>;

/** How long work in progress may continue at shutdown. */
const drainMs = 5_000;

/** Polls servers and serves metrics until it should stop. */
export async function serve(flags: ServeFlags, terminal: Terminal): Promise<ExitCode> {
  const reload = createNotify();
  terminal.onReload(() => reload.notify());
  const app = await start(() => readConfig(flags['config.file'], terminal.env), flags, terminal);
  void reloadWhenNotified(app, reload, terminal.stop);
  return runUntilAborted(app, terminal.stop);
}

/** Notifications during a reload cause one more reload. */
async function reloadWhenNotified(app: App, reload: Notify, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await reload.wait(stop).catch(() => undefined);
    // The app logs the error.
    if (!stop.aborted) await app.reload().catch(() => undefined);
  }
}

/** Starts the exporter with the configuration that `read` returns; a reload calls `read` again. */
export async function start(read: () => Config, flags: ServeFlags, terminal: Terminal): Promise<App> {
  const config = read();
  const log = createLog({ level: flags['log.level'], format: flags['log.format'], write: terminal.printError });
  for (const warning of config.warnings) log.warn('Configuration warning', { warning });
  const failed = 'Could not reload the web configuration, keeping the current one';
  const webConfigFailure = failureLog(log, systemClock, { failed, recovered: 'Web configuration recovered' });
  return startApp({
    config,
    configFile: configFileOf(flags['config.file'], terminal.env),
    reread: read,
    lifecycle: flags['web.enableLifecycle'],
    listenAt: parseListenAddress(flags['web.listenAddress']),
    metricsPath: parseMetricsPath(flags['web.telemetryPath']),
    webConfig: webConfigFile(flags['web.config.file'], error => webConfigFailure(error, {})),
    version: terminal.version,
    log,
    clock: systemClock,
    random: systemRandom,
  });
}

/**
 * Waits until `stop` aborts, then stops the exporter.
 * @throws {ExporterError} the error that ended it earlier.
 */
export async function runUntilAborted(app: App, stop: AbortSignal): Promise<ExitCode> {
  try {
    await Promise.race([app.running, aborted(stop)]);
  } catch (thrown) {
    await app.stop(drainMs);
    throw toExporterError(thrown);
  }
  return (await app.stop(drainMs)) === 'drained' ? exitCodes.stopped : exitCodes.cutOff;
}
