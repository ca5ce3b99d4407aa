import { type App, startApp } from '../app.js';
import type { Config } from '../config/parse.js';
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
  logLevel: LogLevel;
  logFormat: LogFormat;
}>;

/** How long work in hand may go on after the program was asked to stop. */
const drainMs = 5_000;

/** Polls servers and serves metrics until it is asked to stop. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const config = readConfig(options.configFile, terminal.env);
  const app = await start(config, options, terminal);
  return untilStopped(app, terminal.stop);
}

/** Starts the program with a configuration that has been read. */
export async function start(config: Config, options: ServeOptions, terminal: Terminal): Promise<App> {
  const log = createLog({ level: options.logLevel, format: options.logFormat, write: terminal.complain });
  for (const warning of config.warnings) log.warn(warning);
  return startApp({
    config,
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
