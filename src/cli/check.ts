import type { Config } from '../config/parse.js';
import { systemClock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { readConfig } from './read-config.js';
import {
  examineFiles,
  exporterFiles,
  type ReferencedFile,
  secretFile,
  serverFiles,
  stateFiles,
} from './referenced-files.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { webSecretFiles } from './web-config-file.js';

type CheckFlags = Readonly<{ 'config.file'?: string; 'web.config.file'?: string; syntaxOnly: boolean }>;

/**
 * Validates the configuration, the web configuration and, unless only their syntax is wanted, the files that they name.
 * @throws {ExporterError} `config`, with every problem of all of them.
 */
export async function check(flags: CheckFlags, terminal: Terminal): Promise<ExitCode> {
  const faults: string[] = [];
  const config = attempt(faults, () => readConfig(flags['config.file'], terminal.env));
  const secrets = attempt(faults, () => webSecretFiles(flags['web.config.file'])) ?? [];
  const files = flags.syntaxOnly ? [] : [...(config === undefined ? [] : filesOf(config)), ...secrets.map(secretFile)];
  const { problems, warnings } = await examineFiles(files);
  for (const warning of new Set([...(config?.warnings ?? []), ...warnings])) terminal.printError(warning);
  const lines = new Set(problems.map(({ message }) => `- ${message}`));
  if (lines.size > 0) faults.push(['Could not use files that the configuration names:', ...lines].join('\n'));
  if (config === undefined || faults.length > 0) throw new ExporterError('config', faults.join('\n'));
  terminal.print(`The configuration is valid (servers: ${config.servers.map(({ name }) => name).join(', ')})`);
  return exitCodes.stopped;
}

/** Adds why `read` has no result. @throws any other error. */
function attempt<T>(faults: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof ExporterError)) throw thrown;
    faults.push(thrown.message);
    return undefined;
  }
}

function filesOf(config: Config): readonly ReferencedFile[] {
  const nowMs = systemClock.now();
  return [
    ...config.servers.flatMap(server => serverFiles(server, nowMs)),
    ...exporterFiles(config),
    ...stateFiles(config),
  ];
}
