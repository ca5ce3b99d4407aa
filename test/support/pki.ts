import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type Issued = Readonly<{ certificate: string; key: string }>;

/** A certificate authority of its own, made for one test. */
export type Authority = Readonly<{
  certificate: string;
  /** A certificate for `localhost` and 127.0.0.1, good for servers and clients. */
  issue: (name: string) => Promise<Issued>;
}>;

export async function authority(): Promise<Authority> {
  const keys = await newKeys();
  const common = { notBefore: new Date('2020-01-01'), notAfter: new Date('2100-01-01'), signingAlgorithm: algorithm };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    serialNumber: '01',
    name: 'CN=test authority',
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    certificate: root.toString('pem'),
    issue: async name => {
      const own = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        ...common,
        serialNumber: '02',
        subject: `CN=${name}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      });
      return { certificate: certificate.toString('pem'), key: await pemOf(own.privateKey) };
    },
  };
}

const newKeys = async (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** Writes a text into a folder; the path of the file. */
export function fileIn(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
