import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { variable } from '../config/environment.js';
import { type Config, parseConfig } from '../config/parse.js';
import { configError, type Problem } from '../config/problem.js';
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
  const named = flag ?? variable(env, 'VB365_CONFIG_FILE').text;
  return named ?? (existsSync(defaultFile) ? defaultFile : undefined);
}

/** Reads the configuration from its file and the environment. @throws {ExporterError} `config`. */
export function readConfig(flag: string | undefined, env: Terminal['env']): Config {
  const fileName = configFileOf(flag, env);
  if (fileName === undefined) return parseConfig({ env });
  const file = readTextSync({ path: fileName, what: 'configuration file', reason: 'config' });
  const config = parseConfig({ file, fileName, env });
  const problems = [...impossibleHistory(config), ...repeatedUrls(config)];
  if (problems.length > 0) throw configError(`Could not read the configuration "${fileName}"`, problems);
  return { ...config, warnings: [...config.warnings, ...unusedState(config, dirname(fileName))] };
}

/** Of the future, logs and traces would leave out everything until then; before 1970 there was no server. */
function impossibleHistory({ history }: Config): readonly Problem[] {
  const now = milliseconds(systemClock.now());
  const from = history.kind === 'since' ? history.at : history.kind === 'ago' ? now - milliseconds(history.ms) : now;
  if (from > now) return [{ path: 'history', what: 'must not be in the future' }];
  return from < 0n ? [{ path: 'history', what: 'must not go back before 1970; write "all" for everything' }] : [];
}

/** A server under two names would be read, and counted, twice. A host name can end with a dot. */
function repeatedUrls({ servers }: Config): readonly Problem[] {
  const origins = servers.map(({ url }) => url.origin.replace(/\.(?=:\d+$|$)/, ''));
  return origins.flatMap((origin, index) => {
    const first = origins.indexOf(origin);
    const what = `is already the url of servers[${String(first)}]`;
    return first === index ? [] : [{ path: `servers[${String(index)}].url`, what }];
  });
}

/** A warning when a state file is where the path led before 0.2, when relative paths started at the working directory. */
function unusedState({ state: { path, postgresql } }: Config, directory: string): readonly string[] {
  if (postgresql !== undefined) return [];
  const before = resolve(relative(resolve(directory), path));
  if (before === path || existsSync(path) || !existsSync(before)) return [];
  return [`Ignoring state file "${before}": "state.path" is relative to the configuration file, so it is "${path}"`];
}
