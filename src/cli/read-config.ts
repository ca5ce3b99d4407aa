import { existsSync, readFileSync } from 'node:fs';
import { type Config, parseConfig } from '../config/parse.js';
import { ExporterError } from '../kernel/errors.js';
import type { Terminal } from './terminal.js';

const defaultFile = 'vb365-exporter.yaml';

/**
 * Reads the configuration from the file of the flag, else of `VB365_CONFIG_FILE`, else from the default file, else from
 * the environment alone.
 * @throws {ExporterError} `config`.
 */
export function readConfig(flag: string | undefined, env: Terminal['env']): Config {
  const named = flag ?? (env['VB365_CONFIG_FILE'] === '' ? undefined : env['VB365_CONFIG_FILE']);
  const fileName = named ?? (existsSync(defaultFile) ? defaultFile : undefined);
  return fileName === undefined ? parseConfig({ env }) : parseConfig({ file: readText(fileName), fileName, env });
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (cause) {
    throw new ExporterError('config', `Could not read configuration file "${fileName}": ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === 'EISDIR' ? 'it is a directory' : 'read error';
}
