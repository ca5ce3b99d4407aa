import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Config, parseConfig } from '../config/parse.js';
import { configError } from '../config/problem.js';
import { systemClock } from '../kernel/clock.js';
import { readTextSync } from '../kernel/text-file.js';
import { milliseconds } from '../model/time.js';
import type { Terminal } from './terminal.js';

const defaultFile = 'vb365-exporter.yaml';

/**
 * The configuration file: that of the flag, else of `VB365_CONFIG_FILE`, else the default file if it exists. Undefined:
 * the environment alone.
 */
export function configFileOf(flag: string | undefined, env: Terminal['env']): string | undefined {
  const named = flag ?? (env['VB365_CONFIG_FILE'] === '' ? undefined : env['VB365_CONFIG_FILE']);
  return named ?? (existsSync(defaultFile) ? defaultFile : undefined);
}

/** Reads the configuration from its file and the environment. @throws {ExporterError} `config`. */
export function readConfig(flag: string | undefined, env: Terminal['env']): Config {
  const fileName = configFileOf(flag, env);
  if (fileName === undefined) return parseConfig({ env });
  const file = readTextSync({ path: fileName, what: 'configuration file', reason: 'config' });
  const config = parseConfig({ file, fileName, env });
  const { history } = config;
  if (history.kind === 'since' && history.at > milliseconds(systemClock.now()))
    throw configError(`Could not read the configuration "${fileName}"`, [
      { path: 'history', what: 'must not be in the future' },
    ]);
  return { ...config, warnings: [...config.warnings, ...unusedState(config, dirname(fileName))] };
}

/** A warning when a state file is where the path led before 0.2, when relative paths started at the working directory. */
function unusedState({ state: { path } }: Config, directory: string): readonly string[] {
  const before = resolve(relative(resolve(directory), path));
  if (before === path || existsSync(path) || !existsSync(before)) return [];
  return [`Ignoring state file "${before}": "state.path" is relative to the configuration file, so it is "${path}"`];
}
