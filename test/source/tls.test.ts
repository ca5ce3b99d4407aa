import { beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonGeneralNames } from '@peculiar/x509';
import { X509Certificate } from 'node:crypto';
import type { Trust } from '../../src/source/trust.js';
import { type Authority, createAuthority, type Identity, selfSigned } from '../support/authority.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, grant, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

const here: JsonGeneralNames = [{ type: 'ip', value: '127.0.0.1' }];
const elsewhere: JsonGeneralNames = [{ type: 'dns', value: 'vb365.example.com' }];

/** The authority and what it signed; made once, for the making takes its time. */
type Made = Readonly<{
  root: Authority;
  good: Identity;
  chained: Identity;
  expired: Identity;
  elsewhere: Identity;
  own: Identity;
}>;
let made: Made;

beforeAll(async () => {
  const root = await createAuthority();
  const past = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
  made = {
    root,
    good: await root.issue(here),
    chained: await (await root.delegate('Below')).issue(here),
    expired: await root.issue(here, past),
    elsewhere: await root.issue(elsewhere),
    own: await selfSigned(elsewhere, past),
  };
});

const authorities = (ca?: string): Trust => ({
  kind: 'authorities',
  ca: ca === undefined ? undefined : async () => ca,
});
const pinned = (fingerprint: string): Trust => ({ kind: 'pinned', fingerprint });

/** An answer after which the connection is closed. */
const once = (reply: Reply): Reply => ({ ...reply, headers: { connection: 'close' } });

/** That a read fails for this reason, with nothing sent. */
async function refuses(one: Rig, why: string): Promise<void> {
  await expect(read(one)).rejects.toMatchObject({
    reason: 'network',
    message: `Could not connect to "127.0.0.1:${one.server.url.port}": ${why}`,
  });
  expect(one.server.asked).toEqual([]);
}

const advice = (fingerprint: string): string =>
  `; name its issuer with "tls.ca_file", or set "tls.server_fingerprint" if ${fingerprint} is its own`;

describe('a certificate of an authority', () => {
  test('that we trust is taken, with its end known', async () => {
    const one = await begin(() => page, { tls: made.good, trust: authorities(made.root.cert) });
    expect(one.source.certificateExpiresAtMs()).toBeUndefined();
    await expect(read(one)).resolves.toBeDefined();
    expect(one.source.certificateExpiresAtMs()).toBe(made.good.validToMs);
  });

  test('that is below one that we trust is taken', async () => {
    const one = await begin(() => page, { tls: made.chained, trust: authorities(made.root.cert) });
    await expect(read(one)).resolves.toBeDefined();
    expect(one.source.certificateExpiresAtMs()).toBe(made.chained.validToMs);
  });

  test('that nobody knows is refused, and says its fingerprint and its end', async () => {
    const one = await begin(() => page, { tls: made.good });
    await refuses(one, `its TLS certificate is signed by an unknown authority${advice(made.good.fingerprint)}`);
    expect(one.source.certificateExpiresAtMs()).toBe(made.good.validToMs);
  });

  test('that has expired is refused', async () => {
    const one = await begin(() => page, { tls: made.expired, trust: authorities(made.root.cert) });
    await refuses(one, `its TLS certificate, or one above it, has expired${advice(made.expired.fingerprint)}`);
    expect(one.source.certificateExpiresAtMs()).toBe(Date.UTC(2021, 0, 1));
  });

  test('that is for another host is refused, however often', async () => {
    const one = await begin(() => page, { tls: made.elsewhere, trust: authorities(made.root.cert) });
    const why = `its TLS certificate is for another host name${advice(made.elsewhere.fingerprint)}`;
    await refuses(one, why);
    await refuses(one, why);
  });

  test('that signed itself is refused', async () => {
    const one = await begin(() => page, { tls: await selfSigned(here) });
    await expect(read(one)).rejects.toMatchObject({
      message: expect.stringContaining('its TLS certificate is self-signed; name its issuer'),
    });
    expect(one.server.asked).toEqual([]);
  });

  test('is judged by the authorities of the moment: another one, then the first again', async () => {
    const other = await createAuthority('Another authority');
    let ca = other.cert;
    const one = await begin(() => page, { tls: made.good, trust: { kind: 'authorities', ca: async () => ca } });
    await refuses(one, `its TLS certificate is signed by an unknown authority${advice(made.good.fingerprint)}`);
    ca = `${other.cert}\n${made.root.cert}`;
    await expect(read(one)).resolves.toBeDefined();
    ca = other.cert;
    await expect(read(one)).rejects.toMatchObject({ reason: 'network' });
  });

  test.each(['', 'canary', '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----'])(
    'needs a file that holds one, and %j does not',
    async ca => {
      const one = await begin(() => page, { tls: made.good, trust: authorities(ca) });
      await expect(read(one)).rejects.toMatchObject({
        reason: 'network',
        message: 'Could not use "tls.ca_file": it holds no certificate in PEM',
      });
    },
  );
});

describe('a fingerprint', () => {
  test('takes its certificate, though expired, self-signed and for another host', async () => {
    for (const fingerprint of [made.own.fingerprint, made.own.fingerprint.replaceAll(':', '').toLowerCase()]) {
      const one = await begin(() => page, { tls: made.own, trust: pinned(fingerprint) });
      await expect(read(one)).resolves.toBeDefined();
      expect(one.source.certificateExpiresAtMs()).toBe(made.own.validToMs);
    }
  });

  test('refuses every other one, also of an authority, and names what it saw', async () => {
    const one = await begin(() => page, { tls: made.good, trust: pinned(made.own.fingerprint) });
    const why = `its TLS certificate does not match "tls.server_fingerprint"; its fingerprint is ${made.good.fingerprint}`;
    await refuses(one, why);
    await refuses(one, why);
  });

  test('is of the certificate of the server, not of one above it', async () => {
    const root = await createAuthority();
    const leaf = await root.issue(here);
    const above = new X509Certificate(root.cert).fingerprint256;
    const one = await begin(() => page, { tls: { ...leaf, cert: `${leaf.cert}\n${root.cert}` }, trust: pinned(above) });
    await refuses(
      one,
      `its TLS certificate does not match "tls.server_fingerprint"; its fingerprint is ${leaf.fingerprint}`,
    );
  });

  test('refuses the certificate that took the place of its own', async () => {
    const one = await begin(() => once(page), {
      tls: made.own,
      trust: pinned(made.own.fingerprint),
      tokens: (_, n) => once(grant(n)),
    });
    await read(one);
    one.server.show(made.good);
    await expect(read(one)).rejects.toMatchObject({
      message: expect.stringContaining(`its fingerprint is ${made.good.fingerprint}`),
    });
    expect(one.source.certificateExpiresAtMs()).toBe(made.good.validToMs);
  });
});

test('without any check whatever answers is taken', async () => {
  const one = await begin(() => page, { tls: made.own, trust: { kind: 'anyone' } });
  await expect(read(one)).resolves.toBeDefined();
  expect(one.source.certificateExpiresAtMs()).toBe(made.own.validToMs);
});

describe('TLS', () => {
  test('before 1.2 is not spoken, not even without any check', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    for (const trust of [authorities(made.root.cert), { kind: 'anyone' } as const]) {
      const one = await begin(() => page, { tls: { ...made.good, ...old }, trust });
      await refuses(one, 'it supports TLS 1.1 at most, and the exporter requires TLS 1.2');
    }
  });

  test('1.2 is spoken', async () => {
    const one = await begin(() => page, {
      tls: { ...made.good, maxVersion: 'TLSv1.2' },
      trust: authorities(made.root.cert),
    });
    await expect(read(one)).resolves.toBeDefined();
  });

  test('does not exist for http, and no certificate has an end there', async () => {
    const one = await begin(() => page);
    await read(one);
    expect(one.source.certificateExpiresAtMs()).toBeUndefined();
  });
});
