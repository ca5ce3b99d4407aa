import { describe, expect, test } from '@jest/globals';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWebConfig, webConfigFile } from '../../src/cli/web-config-file.js';
import { type Authority, createAuthority, type Identity } from '../support/authority.js';
import { inFolder } from '../support/folder.js';

const issue = async (authority: Authority): Promise<Identity> => authority.issue([{ type: 'dns', value: 'localhost' }]);

const put = (folder: string, { cert, key }: Identity): void => {
  writeFileSync(join(folder, 'server.crt'), cert);
  writeFileSync(join(folder, 'server.key'), key);
};

const yaml = 'tls_server_config: { cert_file: server.crt, key_file: server.key }\n';

/** Runs `use` with a folder that contains a web configuration. */
const withWebConfig = async (
  use: (at: Readonly<{ folder: string; file: string; authority: Authority; errors: string[] }>) => Promise<void>,
): Promise<void> =>
  inFolder(async folder => {
    const authority = await createAuthority();
    put(folder, await issue(authority));
    const file = join(folder, 'web.yml');
    writeFileSync(file, yaml);
    await use({ folder, file, authority, errors: [] });
  });

describe('a web configuration file', () => {
  test('names certificates relative to itself', async () => {
    await withWebConfig(async ({ file }) => {
      expect(readWebConfig(file).tls?.cert).toContain('BEGIN CERTIFICATE');
    });
  });

  test('that is not given leaves the server unprotected', () => {
    expect(readWebConfig(undefined)).toEqual({ tls: undefined, users: {}, headers: {} });
    expect(webConfigFile(undefined, () => undefined)().tls).toBeUndefined();
  });

  test.each([
    ['nothing.yml', /^Could not read web configuration ".*nothing.yml": no such file$/],
    ['bad.yml', /^Could not read the web configuration ".*bad.yml":\n- rate_limit: is not supported/],
    ['lost.yml', /^Could not read TLS file of the web configuration ".*lost.crt": no such file$/],
    ['circle.yml', /^Could not read web configuration ".*circle.yml": read error \(ELOOP\)$/],
  ])('that is invalid is an error at the start: %s', async (name, message) => {
    await withWebConfig(async ({ folder }) => {
      symlinkSync('circle.yml', join(folder, 'circle.yml'));
      writeFileSync(join(folder, 'bad.yml'), 'rate_limit: { burst: 1 }');
      writeFileSync(join(folder, 'lost.yml'), 'tls_server_config: { cert_file: lost.crt, key_file: server.key }');
      expect(() => webConfigFile(join(folder, name), () => undefined)).toThrow(
        expect.objectContaining({ reason: 'config', message: expect.stringMatching(message) }),
      );
    });
  });

  test('is read again only when it or a certificate changes', async () => {
    await withWebConfig(async ({ folder, file, authority, errors }) => {
      const current = webConfigFile(file, error => void errors.push(error?.message ?? ''));
      const first = current();
      expect(current()).toBe(first);
      put(folder, await issue(authority));
      const second = current();
      expect(second.tls?.cert).not.toBe(first.tls?.cert);
      expect(current()).toBe(second);
      writeFileSync(file, `${yaml}http_server_config: { headers: { X-Frame-Options: deny } }\n`);
      expect(current().headers).toEqual({ 'X-Frame-Options': 'deny' });
      expect(errors.filter(message => message !== '')).toEqual([]);
    });
  });

  test('is read again when a symbolic link changes, as in a mounted Kubernetes secret', async () => {
    await withWebConfig(async ({ folder, file, authority, errors }) => {
      const data = join(folder, '..data');
      const point = (version: string): void => {
        symlinkSync(version, `${data}.new`);
        renameSync(`${data}.new`, data);
      };
      for (const version of ['one', 'two']) {
        mkdirSync(join(folder, version));
        put(join(folder, version), await issue(authority));
      }
      point('one');
      writeFileSync(file, 'tls_server_config: { cert_file: ..data/server.crt, key_file: ..data/server.key }\n');
      const current = webConfigFile(file, error => void errors.push(error?.message ?? ''));
      const first = current();
      point('two');
      expect(current().tls?.cert).not.toBe(first.tls?.cert);
      expect(errors.filter(message => message !== '')).toEqual([]);
    });
  });

  test('that becomes invalid leaves the last valid one in use, and is reported until it is valid', async () => {
    await withWebConfig(async ({ folder, file, authority, errors }) => {
      const current = webConfigFile(file, error => void errors.push(error?.message ?? ''));
      const first = current();
      writeFileSync(join(folder, 'server.key'), (await issue(authority)).key);
      expect([current(), current()]).toEqual([first, first]);
      rmSync(file);
      expect(current()).toBe(first);
      symlinkSync('web.yml', file);
      expect(current()).toBe(first);
      rmSync(file);
      put(folder, await issue(authority));
      writeFileSync(file, yaml);
      expect(current()).not.toBe(first);
      const mismatch = expect.stringMatching(
        /^Could not use TLS file of the web configuration ".*server\.key": its private/,
      );
      expect(errors).toEqual([
        '',
        mismatch,
        mismatch,
        expect.stringContaining('no such file'),
        expect.stringContaining('ELOOP'),
        '',
      ]);
    });
  });
});
