import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readKey, readSecretText, readText, readTextSync, type TextFile } from '../../src/kernel/text-file.js';
import { inEncodings } from '../support/encodings.js';
import { inFolder } from '../support/folder.js';

const file = (path: string): TextFile => ({ path, what: 'password file', reason: 'auth' });

describe('a text file', () => {
  test.each(inEncodings('grün: ja\r\n'))('in $encoding is the same text', async ({ bytes }) => {
    await inFolder(async folder => {
      const path = join(folder, 'file');
      writeFileSync(path, bytes);
      expect([await readText(file(path)), readTextSync(file(path))]).toEqual(['grün: ja\r\n', 'grün: ja\r\n']);
    });
  });

  test.each([
    ['UTF-16LE', 'a\0b\0'],
    ['UTF-16BE', '\0a\0b'],
  ])('of ASCII in %s without a byte order mark is the same text', async (_, bytes) => {
    await inFolder(async folder => {
      const path = join(folder, 'file');
      writeFileSync(path, bytes);
      expect(readTextSync(file(path))).toBe('ab');
    });
  });

  test('with a certificate can have comments in any encoding', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'ca.pem');
      const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
      writeFileSync(path, Buffer.from(`AC Raíz\n${pem}`, 'latin1'));
      expect(readTextSync(file(path))).toContain(pem);
    });
  });

  const bad: readonly (readonly [string, (path: string) => string, string, string])[] = [
    ['that is missing', path => `${path}.none`, 'missing', 'no such file'],
    ['below a file', path => join(path, 'x'), 'missing', 'a part of its path is not a directory'],
    ['that is a directory', path => (mkdirSync(`${path}.d`), `${path}.d`), 'unreadable', 'it is a directory'],
    ['that has no end', () => '/dev/zero', 'too large', 'it is larger than 4 MiB'],
    [
      'in another encoding',
      path => (writeFileSync(path, Buffer.from('gr\u00fcn', 'latin1')), path),
      'not text',
      'it is not text in UTF-8 or UTF-16',
    ],
    [
      'in UTF-16 without a byte order mark',
      path => (writeFileSync(path, Buffer.from('пароль', 'utf16le')), path),
      'not text',
      'it is not text in UTF-8 or UTF-16',
    ],
    [
      'in DER',
      path => (writeFileSync(path, Buffer.from('30820122300d0609', 'hex')), path),
      'not text',
      'it is binary (DER or PKCS #12); PEM is needed',
    ],
    [
      'with NUL characters',
      path => (writeFileSync(path, 'a\0\0\0b\0'), path),
      'not text',
      'it is not text in UTF-8 or UTF-16',
    ],
  ];
  test.each(bad)('%s is an error with the reason, the path and the cause', async (_, make, fault, why) => {
    await inFolder(async folder => {
      writeFileSync(join(folder, 'file'), '');
      const path = make(join(folder, 'file'));
      const error = {
        reason: 'auth',
        message: `Could not read password file "${path}": ${why}`,
        details: { file: fault },
      };
      await expect(readText(file(path))).rejects.toMatchObject(error);
      expect(() => readTextSync(file(path))).toThrow(expect.objectContaining(error));
    });
  });

  test('that is a pipe is read when somebody writes, and an error within seconds when nobody does', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'pipe');
      execFileSync('mkfifo', [path]);
      const error = { reason: 'auth', message: expect.stringContaining('it is a pipe, and nothing was written to it') };
      await expect(readText(file(path))).rejects.toMatchObject(error);
      expect(() => readTextSync(file(path))).toThrow(expect.objectContaining(error));
      const text = readText(file(path));
      await writeFile(path, 's3cret!');
      expect(await text).toBe('s3cret!');
      const writer = await open(path, 'r+');
      const late = readText(file(path)); // finds the pipe opened and empty
      await writer.writeFile('s3cret!');
      await writer.close();
      expect(await late).toBe('s3cret!');
    });
  });

  test('that the user may not read is an error', async () => {
    if (process.getuid?.() === 0) return;
    await inFolder(async folder => {
      const path = join(folder, 'file');
      writeFileSync(path, 'x');
      chmodSync(path, 0);
      await expect(readText(file(path))).rejects.toMatchObject({
        message: expect.stringContaining('permission denied'),
      });
    });
  });
});

describe('a secret', () => {
  test.each(['s3cret!', 's3cret!\n', 's3cret!\r\n'].flatMap(inEncodings))(
    'from $text in $encoding is its text without the line end',
    async ({ bytes }) => {
      await inFolder(async folder => {
        const path = join(folder, 'password');
        writeFileSync(path, bytes);
        expect(await readSecretText(file(path))).toBe('s3cret!');
        expect(await readKey(file(path))).toEqual(Buffer.from('s3cret!'));
      });
    },
  );

  test('keeps blanks, which can be part of a password', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'password');
      writeFileSync(path, ' s3 cret \n');
      expect(await readSecretText(file(path))).toBe(' s3 cret ');
    });
  });

  test.each(['', '\r\n', '\ufeff', '\ufeff\r\n'])('must not be empty: %j', async text => {
    await inFolder(async folder => {
      const path = join(folder, 'password');
      writeFileSync(path, text);
      await expect(readSecretText(file(path))).rejects.toMatchObject({
        reason: 'auth',
        message: `Could not use password file "${path}": it is empty`,
      });
    });
  });

  test('that is a key can be any bytes', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'key');
      const bytes = Buffer.from([0x80, 0xff, 0x0d, 0x0a, 0x00, 0x0a]);
      writeFileSync(path, bytes);
      expect(await readKey(file(path))).toEqual(bytes);
    });
  });
});
