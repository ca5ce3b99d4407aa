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
  stateFile,
} from './referenced-files.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { readWebConfig, webSecretFiles } from './web-config-file.js';

type CheckFlags = Readonly<{ 'config.file'?: string; 'web.config.file'?: string; syntaxOnly: boolean }>;

/**
 * Validates the configuration and, unless only its syntax is wanted, the files that it names.
 * @throws {ExporterError} `config`, with every problem.
 */
export async function check(flags: CheckFlags, terminal: Terminal): Promise<ExitCode> {
  const config = readConfig(flags['config.file'], terminal.env);
  const webFile = flags['web.config.file'];
  readWebConfig(webFile);
  const files = flags.syntaxOnly
    ? []
    : [...filesOf(config), ...(webFile === undefined ? [] : webSecretFiles(webFile).map(secretFile))];
  const { problems, warnings } = await examineFiles(files);
  for (const warning of [...config.warnings, ...warnings]) terminal.printError(warning);
  if (problems.length > 0) {
    const lines = new Set(problems.map(({ message }) => `- ${message}`));
    throw new ExporterError('config', ['Could not use files that the configuration names:', ...lines].join('\n'));
  }
  terminal.print(`The configuration is valid (servers: ${config.servers.map(({ name }) => name).join(', ')})`);
  return exitCodes.stopped;
}

function filesOf(config: Config): readonly ReferencedFile[] {
  const nowMs = systemClock.now();
  return [...config.servers.flatMap(server => serverFiles(server, nowMs)), ...exporterFiles(config), stateFile(config)];
}
