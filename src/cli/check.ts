import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { readWebConfig } from './web-config-file.js';

type CheckFlags = Readonly<{ 'config.file'?: string; 'web.config.file'?: string }>;

/** Validates the configuration. @throws {ExporterError} `config`, with every problem. */
export function check(flags: CheckFlags, terminal: Terminal): ExitCode {
  const { servers, warnings } = readConfig(flags['config.file'], terminal.env);
  readWebConfig(flags['web.config.file']);
  for (const warning of warnings) terminal.printError(warning);
  terminal.print(`The configuration is valid (servers: ${servers.map(({ name }) => name).join(', ')})`);
  return exitCodes.stopped;
}
