import { changesThatNeedRestart } from '../config/compare.js';
import type { Config } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { configReload, configReloadTime } from '../metrics/delivery-families.js';
import type { Metrics } from '../metrics/registry.js';
import type { AppliedChanges } from './supervisor.js';

type ReloaderDeps = Readonly<{
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

/** Reloads the configuration while the program runs. */
export class Reloader {
  readonly #deps: ReloaderDeps;
  #last: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  /** The configuration of the start counts as reloaded. */
  constructor(deps: ReloaderDeps) {
    this.#deps = deps;
    this.#markSucceeded();
  }

  /**
   * Reads and applies the configuration, after any reload that is under way. Returns a summary in a sentence or two.
   * @throws {ExporterError} why the current configuration stays in force; `aborted` while the program stops.
   */
  async reload(): Promise<string> {
    const mine = this.#last.then(async () => this.#readAndApply());
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Starts no more reloads; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#last;
  }

  async #readAndApply(): Promise<string> {
    const { started, read, apply, metrics, log } = this.#deps;
    if (this.#isStopping) throw new ExporterError('aborted', 'vb365-exporter is stopping');
    try {
      const config = read();
      const { cut, ...changes } = await apply(config);
      this.#markSucceeded();
      for (const warning of config.warnings) log.warn('Configuration warning', { warning });
      const [reloaded, pending] = ['Configuration reloaded', 'These settings take effect after a restart'];
      log.info(reloaded, Object.fromEntries(Object.entries(changes).map(([what, names]) => [what, names.join(' ')])));
      for (const server of cut)
        log.warn('Server did not stop in time; unfinished deliveries will be retried', { server });
      const settings = changesThatNeedRestart(started, config).join(', ');
      if (settings === '') return reloaded;
      log.warn(pending, { settings });
      return `${reloaded}. ${pending}: ${settings}`;
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason === 'aborted') throw error;
      metrics.set(configReload, {}, 0);
      log.error('Configuration reload failed, keeping the current configuration', { error: error.message });
      throw error;
    }
  }

  #markSucceeded(): void {
    this.#deps.metrics.set(configReload, {}, 1);
    this.#deps.metrics.set(configReloadTime, {}, this.#deps.clock.now() / 1000);
  }
}
