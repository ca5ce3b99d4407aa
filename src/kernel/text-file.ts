import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExporterError, type Reason } from './errors.js';
import { errorCode } from './network-error.js';

/** A text file to read, and what its errors say. */
export type TextFile = Readonly<{
  path: string;
  /** Such as `password file`. */
  what: string;
  reason: Reason;
}>;

/** Why a file could not be used, as `details.file` of the error. `content`: it does not hold what it should. */
export type FileFault = 'missing' | 'denied' | 'unreadable' | 'too large' | 'not text' | 'empty' | 'content';

/** Larger than any configuration or bundle of authorities. A device such as `/dev/zero` has no end. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Reads a text file in UTF-8, or in UTF-16 as Windows PowerShell writes it. The byte order mark is not part of the text.
 * @throws {ExporterError} with the reason of `file` when it cannot be read, is not text, or is larger than 4 MiB.
 */
export async function readText(file: TextFile): Promise<string> {
  return decode(file, await readBytes(file));
}

/** As `readText`. */
export function readTextSync(file: TextFile): string {
  return decode(file, bytesSync(file));
}

/**
 * Reads the secret of a file: its text without the line end, which editors add.
 * @throws {ExporterError} as `readText`, and when the file is empty, as one is that is just being written.
 */
export async function readSecretText(file: TextFile): Promise<string> {
  return requireSecret(file, await readText(file));
}

/**
 * Reads a key of any bytes. A text gives the bytes of `readSecretText` in UTF-8; any other file is the key itself.
 * @throws {ExporterError} as `readText`.
 */
export async function readKey(file: TextFile): Promise<Uint8Array> {
  const bytes = await readBytes(file);
  const text = textOf(bytes);
  return text === undefined ? bytes : Buffer.from(withoutLineEnds(text));
}

function requireSecret(file: TextFile, text: string): string {
  const secret = withoutLineEnds(text);
  if (secret === '') throw fileError(file, 'empty', 'it is empty');
  return secret;
}

const withoutLineEnds = (text: string): string => text.replace(/[\r\n]+$/, '');

async function readBytes(file: TextFile): Promise<Buffer> {
  const reading = readInSteps(file);
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    await sleep(pipePollMs);
  }
}

function bytesSync(file: TextFile): Buffer {
  const reading = readInSteps(file);
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pipePollMs);
  }
}

/** How long a pipe may take: nobody may have opened it for writing yet, and a writer such as `sops -d` takes seconds. */
const pipeWaitMs = { withoutWriter: 1_000, withWriter: 10_000 } as const;
const pipePollMs = 20;

type Reading = Generator<undefined, Buffer>;

/** Reads to the end of a file. Yields when a pipe has nothing yet, for `pipePollMs`. @throws {ExporterError} */
function* readInSteps(file: TextFile): Reading {
  // Windows has neither the flag nor named pipes in the file system.
  const flags = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);
  try {
    const descriptor = openSync(file.path, flags);
    try {
      return yield* readFrom(descriptor, file);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw readFailure(file, cause);
  }
}

function* readFrom(descriptor: number, file: TextFile): Reading {
  const chunks: Buffer[] = [];
  let [length, waitedMs] = [0, 0];
  while (length <= maxBytes) {
    const chunk = readChunk(descriptor);
    if (chunk !== undefined && chunk.length > 0) {
      chunks.push(chunk);
      length += chunk.length;
      continue;
    }
    const isUnopened = chunk !== undefined && length === 0 && fstatSync(descriptor).isFIFO();
    if (chunk !== undefined && !isUnopened) return Buffer.concat(chunks);
    waitedMs += pipePollMs;
    if (waitedMs > (isUnopened ? pipeWaitMs.withoutWriter : pipeWaitMs.withWriter))
      throw fileError(file, 'unreadable', 'it is a pipe, and nothing was written to it');
    yield;
  }
  throw fileError(file, 'too large', 'it is larger than 4 MiB');
}

/** Empty at the end of the file. Undefined when a pipe has a writer, and is empty. */
function readChunk(descriptor: number): Buffer | undefined {
  const chunk = Buffer.alloc(64 * 1024);
  try {
    return chunk.subarray(0, readSync(descriptor, chunk));
  } catch (thrown) {
    if (errorCode(thrown) === 'EAGAIN') return undefined;
    throw thrown;
  }
}

function decode(file: TextFile, bytes: Buffer): string {
  const text = textOf(bytes);
  if (text !== undefined) return text;
  const why = isAsn1(bytes) ? 'it is binary (DER or PKCS #12); PEM is needed' : 'it is not text in UTF-8 or UTF-16';
  throw fileError(file, 'not text', why);
}

/** Whether the bytes begin as a certificate or key in DER does: a sequence with a length of two bytes. */
const isAsn1 = (bytes: Buffer): boolean => bytes[0] === 0x30 && bytes[1] === 0x82;

/** Those of no text, which show that the bytes are in another encoding, such as UTF-16 without a byte order mark. */
const controls = /[^\P{Cc}\s]/u;

/** Undefined when the bytes are not text: invalid in their encoding, or with control characters. */
function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
    if (!controls.test(text)) return text;
  } catch {
    // Not valid in that encoding.
  }
  // The text around PEM blocks is in any encoding, and nobody reads it.
  const ascii = bytes.toString('latin1');
  return ascii.includes('-----BEGIN ') ? ascii : undefined;
}

/** Of a text or its beginning: by the byte order mark; without one, ASCII text in UTF-16 has a NUL in every pair of bytes. */
export function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (bytes.length === 0 || bytes.length % 2 === 1) return 'utf-8';
  const hasNuls = (odd: 0 | 1): boolean => bytes.every((byte, index) => (byte === 0) === (index % 2 === odd));
  if (hasNuls(1)) return 'utf-16le';
  return hasNuls(0) ? 'utf-16be' : 'utf-8';
}

const systemFaults: Readonly<Record<string, readonly [fault: FileFault, why: string]>> = {
  ENOENT: ['missing', 'no such file'],
  ENOTDIR: ['missing', 'a part of its path is not a directory'],
  EACCES: ['denied', 'permission denied'],
  EPERM: ['denied', 'permission denied'],
  EISDIR: ['unreadable', 'it is a directory'],
};

function readFailure(file: TextFile, cause: unknown): ExporterError {
  if (cause instanceof ExporterError) return cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown';
  const [fault, why] = systemFaults[code] ?? (['unreadable', `read error (${code})`] as const);
  return fileError(file, fault, why, cause);
}

function fileError({ path, what, reason }: TextFile, fault: FileFault, why: string, cause?: unknown): ExporterError {
  const message = `Could not ${fault === 'empty' ? 'use' : 'read'} ${what} "${path}": ${why}`;
  return new ExporterError(reason, message, { details: { file: fault }, cause });
}
