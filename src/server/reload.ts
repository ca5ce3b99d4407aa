import { changesThatNeedRestart } from '../config/compare.js';
import type { Config } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { createSemaphore } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import type { AppliedChanges } from './supervisor.js';
import type { Metrics } from '../metrics/registry.js';
import { configReload, configReloadTime } from '../metrics/delivery-families.js';

/** Reads the configuration anew while the program runs. */
export interface Reloader {
  /**
   * Reads it and follows it, after any reload that is under way. Answers what there is to say, in a sentence or two.
   * @throws {ExporterError} why the configuration that was in force still is; `aborted` when the program is stopping.
   */
  reload(): Promise<string>;
  /** No reload begins any more; resolves when the one in hand has ended. */
  stop(): Promise<void>;
}

export type ReloaderDeps = Readonly<{
  /** The configuration of the start. */
  started: Config;
  /** @throws {ExporterError} `config`. */
  read: () => Config;
  /** Makes the running lines those of a configuration; when it rejects with anything but `aborted`, nothing has changed. */
  follow: (config: Config) => Promise<AppliedChanges>;
  metrics: Pick<Metrics, 'set'>;
  log: Log;
  clock: Pick<Clock, 'now'>;
}>;

export function createReloader(deps: ReloaderDeps): Reloader {
  const { log, metrics } = deps;
  const turn = createSemaphore(1);
  const stopping = new AbortController();
  const take = async (): Promise<string> => {
    try {
      return await readAndFollow(deps);
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason === 'aborted') throw error;
      metrics.set(configReload, {}, 0);
      log.error('Kept the configuration that was in force', { error: error.message });
      throw error;
    }
  };
  const enter = async (): Promise<() => void> =>
    turn.acquire(stopping.signal).catch((cause: unknown) => {
      throw new ExporterError('aborted', 'vb365-exporter is stopping', { cause });
    });
  return {
    reload: async () => {
      const leave = await enter();
      return take().finally(leave);
    },
    stop: async () => {
      stopping.abort();
      const leave = await turn.acquire(new AbortController().signal);
      leave();
    },
  };
}

async function readAndFollow({ started, read, follow, ...deps }: ReloaderDeps): Promise<string> {
  const config = read();
  const changes = await follow(config);
  markReloadSucceeded(deps.metrics, deps.clock);
  const { log } = deps;
  for (const warning of config.warnings) log.warn(warning);
  const [said, waits] = ['Reloaded the configuration', 'These settings count from the next start on'];
  sayChanges(log, said, changes);
  const settings = changesThatNeedRestart(started, config).join(', ');
  if (settings === '') return said;
  log.warn(waits, { settings });
  return `${said}. ${waits}: ${settings}`;
}

function sayChanges(log: Log, said: string, { added, removed, changed, triedAgain, cut }: AppliedChanges): void {
  log.info(said, {
    added: added.join(' '),
    removed: removed.join(' '),
    changed: changed.join(' '),
    tried_again: triedAgain.join(' '),
  });
  for (const server of cut) log.warn('Cut off what was in hand, it is done again', { server });
}

/** The configuration that has just been read is in force. */
export function markReloadSucceeded(metrics: Pick<Metrics, 'set'>, clock: Pick<Clock, 'now'>): void {
  metrics.set(configReload, {}, 1);
  metrics.set(configReloadTime, {}, clock.now() / 1000);
}
