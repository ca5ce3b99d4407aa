import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import type { Identity } from '../support/authority.js';
import { createAuthority, selfSigned } from '../support/authority.js';
import { doctored, simulated } from './doctor-rig.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../support/folder.js';
import { scriptedServer } from '../support/scripted-server.js';

const tls = { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: false };
const loopback = [{ type: 'ip', value: '127.0.0.1' }] as const;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const withIdentity = async (identity: Identity, work: (url: string) => Promise<void>): Promise<void> =>
  simulated({ tls: identity }, async ({ url }) => work(url));

describe('doctor check of certificates', () => {
  test('rejects a self-signed certificate, and accepts it with the printed fingerprint', async () => {
    const identity = await selfSigned([...loopback]);
    await withIdentity(identity, async url => {
      const { server, printed } = await doctored(url);
      expect(server['tls']).toMatchObject({
        status: 'failed',
        message: expect.stringContaining('self-signed'),
        advice: expect.stringContaining('tls.ca_file'),
        fingerprint: identity.fingerprint,
      });
      expect(server['login']).toMatchObject({ status: 'skipped', message: 'because "tls" failed' });
      const pasted = /server_fingerprint: ([0-9A-F:]{95})\n/.exec(printed)?.[1];
      const again = await doctored(url, { server: { tls: { ...tls, serverFingerprint: pasted } } });
      expect(again.server['tls']).toMatchObject({ status: 'ok', fingerprint: identity.fingerprint });
      expect(again.server['login']?.status).toBe('ok');
    });
  });

  test('accepts and prints a chain of the configured authority', async () => {
    const root = await createAuthority('Root');
    const identity = await (await root.delegate('Below')).issue([...loopback]);
    await inFolder(async folder => {
      const caFile = join(folder, 'ca.pem');
      writeFileSync(caFile, root.cert);
      await withIdentity(identity, async url => {
        const { server } = await doctored(url, { server: { tls: { ...tls, caFile } } });
        expect(server['tls']).toMatchObject({
          status: 'ok',
          message: expect.stringMatching(/TLSv1\.3; "CN=test" until 2099-01-01 < "CN=Below" until 2099/),
        });
        expect(server['feed']?.status).toBe('ok');
      });
    });
  });

  test.each([
    [
      'is for another host',
      { names: [{ type: 'dns', value: 'other.example.com' }] as const },
      'failed',
      /another host/,
    ],
    [
      'has expired',
      { lifetime: { notBefore: new Date('2000-01-01'), notAfter: new Date('2001-01-01') } },
      'failed',
      /expired/,
    ],
    [
      'expires soon',
      { lifetime: { notBefore: new Date('2000-01-01'), notAfter: new Date(systemClock.now() + 86_400_000) } },
      'warning',
      /it expires on/,
    ],
  ] as const)(
    'reports a certificate that %s',
    async (
      _,
      {
        names = loopback,
        lifetime,
      }: { names?: readonly { type: 'ip' | 'dns'; value: string }[]; lifetime?: { notBefore: Date; notAfter: Date } },
      status,
      says,
    ) => {
      const root = await createAuthority('Root');
      const identity = await root.issue([...names], lifetime);
      await inFolder(async folder => {
        const caFile = join(folder, 'ca.pem');
        writeFileSync(caFile, root.cert);
        await withIdentity(identity, async url => {
          const { server } = await doctored(url, { server: { tls: { ...tls, caFile } } });
          expect(server['tls']).toMatchObject({ status, message: expect.stringMatching(says) });
        });
      });
    },
  );

  test('warns when verification is disabled, and continues', async () => {
    await withIdentity(await selfSigned([...loopback]), async url => {
      const { server } = await doctored(url, { server: { tls: { ...tls, insecureSkipVerify: true } } });
      expect(server['tls']).toMatchObject({ status: 'warning', message: expect.stringContaining('not verified') });
      expect(server['login']?.status).toBe('ok');
    });
  });

  test('reports a port without TLS', async () => {
    const plain = await scriptedServer(() => ({ status: 404 }));
    closing.push(plain.close);
    const { server } = await doctored(`https://${plain.url.host}`);
    expect(server['tls']).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('does not use TLS'),
      advice: expect.stringContaining('4443'),
    });
  });
});
