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
import { KeyObject, webcrypto, X509Certificate as Parsed } from 'node:crypto';

/** A certificate, those above it but the root, and its key, as PEM. */
export type Identity = Readonly<{
  cert: string;
  key: string;
  /** SHA-256 of the certificate, `AA:BB:...`. */
  fingerprint: string;
  /** Its end, epoch ms. */
  validToMs: number;
}>;

export interface Authority {
  readonly cert: string;
  /** Signs a certificate for servers and clients with these names. */
  issue(names: JsonGeneralNames, lifetime?: Lifetime): Promise<Identity>;
  /** An authority below this one. */
  delegate(name: string): Promise<Authority>;
}

export type Lifetime = Readonly<{ notBefore: Date; notAfter: Date }>;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const century: Lifetime = { notBefore: new Date('2000-01-01'), notAfter: new Date('2099-01-01') };

type Keys = Readonly<{ publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey }>;
/** `above`: the certificates between what it signs and the root, its own first. */
type Signer = Readonly<{ subject: string; keys: Keys; above: string }>;
type Wanted = Readonly<{ subject: string; lifetime?: Lifetime; extensions: Extension[] }>;

const makeKeys = async (): Promise<Keys> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** Without a signer, it signs itself. */
async function certify(keys: Keys, wanted: Wanted, by?: Signer): Promise<X509Certificate> {
  const { subject, lifetime = century, extensions } = wanted;
  return X509CertificateGenerator.create(
    {
      subject,
      issuer: by?.subject ?? subject,
      publicKey: keys.publicKey,
      signingKey: (by?.keys ?? keys).privateKey,
      signingAlgorithm: algorithm,
      ...lifetime,
      extensions,
    },
    webcrypto,
  );
}

const authority = (certificate: X509Certificate, signer: Signer): Authority => ({
  cert: certificate.toString('pem'),
  issue: async (names, lifetime = century) => {
    const keys = await makeKeys();
    const made = await certify(keys, { subject: 'CN=test', lifetime, extensions: extensionsFor(names) }, signer);
    return identity(made, keys, signer.above);
  },
  delegate: async name => {
    const keys = await makeKeys();
    const subject = `CN=${name}`;
    const made = await certify(keys, { subject, extensions: [forAuthorities()] }, signer);
    return authority(made, { subject, keys, above: `\n${made.toString('pem')}${signer.above}` });
  },
});

/** A certificate authority for one test. Two that one client knows need two names. */
export async function createAuthority(name = 'Test authority'): Promise<Authority> {
  const keys = await makeKeys();
  const subject = `CN=${name}`;
  return authority(await certify(keys, { subject, extensions: [forAuthorities()] }), { subject, keys, above: '' });
}

/** A certificate that nobody else has signed. */
export async function selfSigned(names: JsonGeneralNames, lifetime = century): Promise<Identity> {
  const keys = await makeKeys();
  return identity(await certify(keys, { subject: 'CN=test', lifetime, extensions: extensionsFor(names) }), keys, '');
}

const forAuthorities = (): Extension => new BasicConstraintsExtension(true, undefined, true);

const extensionsFor = (names: JsonGeneralNames): Extension[] => [
  new SubjectAlternativeNameExtension(names),
  new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
];

function identity(certificate: X509Certificate, keys: Keys, above: string): Identity {
  const cert = certificate.toString('pem');
  const { fingerprint256: fingerprint, validToDate } = new Parsed(cert);
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert: cert + above, key, fingerprint, validToMs: validToDate.getTime() };
}
