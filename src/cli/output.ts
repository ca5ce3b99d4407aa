import { randomUUID } from 'node:crypto';
import { closeSync, lstatSync, openSync, readlinkSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ExporterError } from '../kernel/errors.js';
import { errorCode } from '../kernel/network-error.js';
import type { Terminal } from './terminal.js';

/** Writes a line, or several with line breaks between them. */
export type WriteLines = (lines: string) => void;

/** A file or standard output could not be written, whatever was read at that time. */
export class OutputError extends ExporterError {
  constructor(where: string, cause: unknown) {
    const code = errorCode(cause);
    super('rejected', `Could not write ${where}: ${fileWords[code] ?? code}`, { cause });
  }
}

/**
 * Writes lines to a file that only its owner can read, or to standard output if there is no path. The file is written
 * under another name and renamed when it is complete, so that there is never half of it.
 * @throws {OutputError} when the file cannot be written.
 */
export async function writeOutput(
  path: string | undefined,
  { print }: Pick<Terminal, 'print'>,
  write: (writeLines: WriteLines) => Promise<void>,
): Promise<void> {
  if (path === undefined || path === '-') return write(print);
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (cause) {
      throw new OutputError(`"${path}"`, cause);
    }
  };
  const target = attempt(() => targetOf(path));
  // A device or a pipe is written to directly.
  const isReplaced = attempt(() => statSync(target, { throwIfNoEntry: false })?.isFile() !== false);
  const unfinished = isReplaced ? `${target}.${randomUUID()}.unfinished` : target;
  const descriptor = attempt(() => openSync(unfinished, isReplaced ? 'wx' : 'w', 0o600));
  try {
    await write(lines => attempt(() => writeAll(descriptor, `${lines}\n`)));
    if (isReplaced) attempt(() => renameSync(unfinished, target));
  } catch (thrown) {
    if (isReplaced) rmSync(unfinished, { force: true });
    throw thrown;
  } finally {
    closeSync(descriptor);
  }
}

export const fileWords: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
};

/** Where symbolic links lead: they stay, and what they name is replaced. */
function targetOf(path: string): string {
  statSync(path, { throwIfNoEntry: false }); // throws for links in a circle
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? targetOf(resolve(dirname(path), readlinkSync(path))) : path;
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}
