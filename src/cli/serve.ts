import { type App, startApp } from '../app.js';
import type { Config } from '../config/parse.js';
import { type Notify, createNotify } from '../kernel/notify.js';
import { systemClock, systemRandom } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import { createLog, type LogFormat, type LogLevel } from '../kernel/log.js';
import { parseListenAddress } from '../web/listen.js';
import { readConfig } from './read-config.js';
import { webConfigFile } from './web-config-file.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

export type ServeOptions = Readonly<{
  configFile: string | undefined;
  listenAddress: string;
  telemetryPath: string;
  webConfigFile: string | undefined;
  /** Whether `POST /-/reload` is allowed. */
  lifecycle: boolean;
  logLevel: LogLevel;
  logFormat: LogFormat;
}>;

/** How long work in hand may go on after the program was asked to stop. */
const drainMs = 5_000;

/** Polls servers and serves metrics until it is asked to stop. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const asked = createNotify();
  terminal.onReload(() => asked.notify());
  const app = await start(() => readConfig(options.configFile, terminal.env), options, terminal);
  void reloadOnRing(app, asked, terminal.stop);
  return untilStopped(app, terminal.stop);
}

/** Reloads at each ring; rings during a reload make one more. */
async function reloadOnRing(app: App, asked: Notify, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await asked.wait(stop).catch(() => undefined);
    // The log says what goes wrong.
    if (!stop.aborted) await app.reload().catch(() => undefined);
  }
}

/** Starts the program with the configuration that `read` answers; a reload reads again. */
export async function start(read: () => Config, options: ServeOptions, terminal: Terminal): Promise<App> {
  const config = read();
  const log = createLog({ level: options.logLevel, format: options.logFormat, write: terminal.complain });
  for (const warning of config.warnings) log.warn(warning);
  return startApp({
    config,
    reread: read,
    lifecycle: options.lifecycle,
    listenAt: parseListenAddress(options.listenAddress),
    metricsPath: options.telemetryPath,
    webConfig: webConfigFile(options.webConfigFile, {
      refused: ({ message }) => log.error('Kept the web configuration that was in force', { error: message }),
    }),
    version: terminal.version,
    log,
    clock: systemClock,
    random: systemRandom,
  });
}

/**
 * Waits until the program is asked to stop, then lets it end.
 * @throws {ExporterError} what ended it without being asked.
 */
export async function untilStopped(app: App, stop: AbortSignal): Promise<ExitCode> {
  const asked = new Promise<void>(resolve => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await Promise.race([app.running, asked]);
  } catch (thrown) {
    await app.stop(drainMs);
    throw toExporterError(thrown);
  }
  return (await app.stop(drainMs)) === 'drained' ? exitCodes.stopped : exitCodes.cutOff;
}
