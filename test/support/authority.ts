import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  type JsonGeneralNames,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { KeyObject, webcrypto } from 'node:crypto';

/** A certificate and its key, as PEM. */
export type Identity = Readonly<{ cert: string; key: string }>;

export interface Authority {
  readonly cert: string;
  /** Signs a certificate for servers and clients with these names. */
  issue(names: JsonGeneralNames, lifetime?: Lifetime): Promise<Identity>;
}

type Lifetime = Readonly<{ notBefore: Date; notAfter: Date }>;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const century: Lifetime = { notBefore: new Date('2000-01-01'), notAfter: new Date('2099-01-01') };

/** An authority of its own for one test. */
export async function createAuthority(name = 'Test authority'): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      keys,
      signingAlgorithm: algorithm,
      ...century,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  return {
    cert: root.toString('pem'),
    issue: async (names, lifetime = century) => {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const made = await X509CertificateGenerator.create(
        {
          subject: 'CN=test',
          issuer: root.subject,
          publicKey: own.publicKey,
          signingKey: keys.privateKey,
          signingAlgorithm: algorithm,
          ...lifetime,
          extensions: extensionsFor(names),
        },
        webcrypto,
      );
      return identity(made, own.privateKey);
    },
  };
}

const extensionsFor = (names: JsonGeneralNames): Extension[] => [
  new SubjectAlternativeNameExtension(names),
  new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
];

const identity = (certificate: X509Certificate, key: webcrypto.CryptoKey): Identity => ({
  cert: certificate.toString('pem'),
  key: KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString(),
});
