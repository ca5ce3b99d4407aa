import { existsSync, readFileSync, statSync } from 'node:fs';
import { damage } from './failure.js';

/** Bytes of a write-ahead log's header. Source: sqlite.org/fileformat2.html, section 4.1. */
const headerSize = 32;

/**
 * Checks what SQLite lets pass without a word: a file without content is a new one to it, and a write-ahead log with a
 * damaged header an empty one, so that commits in it would be forgotten.
 * @throws {ExporterError} `store`, as damage.
 */
export function checkFiles(path: string): void {
  const wal = `${path}-wal`;
  const walSize = sizeOf(wal);
  const size = sizeOf(path);
  if (size === undefined && (walSize ?? 0) > 0) throw damage(path, 'it is not there, but its "-wal" file is');
  if (size === 0) throw damage(path, 'it is empty');
  if ((walSize ?? 0) >= headerSize && !isWalHeader(readFileSync(wal).subarray(0, headerSize)))
    throw damage(path, 'its "-wal" file is damaged');
}

const sizeOf = (file: string): number | undefined => (existsSync(file) ? statSync(file).size : undefined);

/** All zeros are what a power cut leaves of a log that was only just begun: nothing was committed to it. */
export function isWalHeader(header: Buffer): boolean {
  if (header.every(byte => byte === 0)) return true;
  const magic = header.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return false;
  const word = (at: number): number => (magic % 2 === 1 ? header.readUInt32BE(at) : header.readUInt32LE(at));
  let [first, second] = [0, 0];
  for (let at = 0; at < headerSize - 8; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return header.readUInt32BE(24) === first && header.readUInt32BE(28) === second;
}
