import { changesThatNeedRestart } from '../config/compare.js';
import type { Config } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { createSemaphore } from '../kernel/semaphore.js';
import { configReload, configReloadTime } from '../metrics/delivery-families.js';
import type { Metrics } from '../metrics/registry.js';
import type { AppliedChanges } from './supervisor.js';

/** Reloads the configuration while the program runs. */
export interface Reloader {
  /**
   * Reads and applies the configuration, after any reload that is under way. Returns a summary in a sentence or two.
   * @throws {ExporterError} why the current configuration stays in force; `aborted` while the program stops.
   */
  reload(): Promise<string>;
  /** Starts no more reloads; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

export type ReloaderDeps = Readonly<{
  /** The configuration of the start. */
  started: Config;
  /** @throws {ExporterError} `config`. */
  read: () => Config;
  /** Runs the servers of a configuration. If it rejects with anything but `aborted`, nothing has changed. */
  apply: (config: Config) => Promise<AppliedChanges>;
  metrics: Pick<Metrics, 'set'>;
  log: Log;
  clock: Pick<Clock, 'now'>;
}>;

export function createReloader(deps: ReloaderDeps): Reloader {
  const { log, metrics } = deps;
  const oneAtATime = createSemaphore(1);
  const stopping = new AbortController();
  const readAndReport = async (): Promise<string> => {
    try {
      return await readAndApply(deps);
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason === 'aborted') throw error;
      metrics.set(configReload, {}, 0);
      log.error('Configuration reload failed, keeping the current configuration', { error: error.message });
      throw error;
    }
  };
  const acquire = async (): Promise<() => void> =>
    oneAtATime.acquire(stopping.signal).catch((cause: unknown) => {
      throw new ExporterError('aborted', 'vb365-exporter is stopping', { cause });
    });
  return {
    reload: async () => {
      const release = await acquire();
      return readAndReport().finally(release);
    },
    stop: async () => {
      stopping.abort();
      const release = await oneAtATime.acquire(new AbortController().signal);
      release();
    },
  };
}

async function readAndApply({ started, read, apply, ...deps }: ReloaderDeps): Promise<string> {
  const { log } = deps;
  const config = read();
  const changes = await apply(config);
  markReloadSucceeded(deps.metrics, deps.clock);
  for (const warning of config.warnings) log.warn(warning);
  const [reloaded, pending] = ['Configuration reloaded', 'These settings take effect after a restart'];
  logChanges(log, reloaded, changes);
  const settings = changesThatNeedRestart(started, config).join(', ');
  if (settings === '') return reloaded;
  log.warn(pending, { settings });
  return `${reloaded}. ${pending}: ${settings}`;
}

function logChanges(log: Log, message: string, { added, removed, changed, retried, cut }: AppliedChanges): void {
  log.info(message, {
    added: added.join(' '),
    removed: removed.join(' '),
    changed: changed.join(' '),
    retried: retried.join(' '),
  });
  for (const server of cut) log.warn('Server did not stop in time; unfinished deliveries will be retried', { server });
}

/** Records that the configuration which was just read is in force. */
export function markReloadSucceeded(metrics: Pick<Metrics, 'set'>, clock: Pick<Clock, 'now'>): void {
  metrics.set(configReload, {}, 1);
  metrics.set(configReloadTime, {}, clock.now() / 1000);
}
