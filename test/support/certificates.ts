import 'reflect-metadata';
import { X509Certificate as Parsed, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key as PEM; `cert` holds those above it too, but the root. */
export type Identity = Readonly<{ key: string; cert: string; fingerprint: string; validToMs: number }>;

/** Somebody who signs certificates. */
export type Authority = Readonly<{
  /** Its own certificate, PEM. */
  pem: string;
  issue(leaf?: Leaf): Promise<Identity>;
  /** An authority below this one. */
  delegate(): Promise<Authority>;
}>;

export type Leaf = Readonly<{ hosts?: readonly string[]; from?: Date; to?: Date }>;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

type Keys = Readonly<{ publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey }>;
type Signer = Readonly<{ certificate: X509Certificate; keys: Keys; above: string }>;

const makeKeys = async (): Promise<Keys> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const validity = ({ from = new Date(Date.UTC(2020, 0, 1)), to = new Date(Date.UTC(2090, 0, 1)) }: Leaf) => ({
  serialNumber: randomBytes(8).toString('hex').replace(/^./, '1'),
  notBefore: from,
  notAfter: to,
});

const names = ({ hosts = ['127.0.0.1'] }: Leaf) =>
  new SubjectAlternativeNameExtension(hosts.map(value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })));

async function sign(subject: string, keys: Keys, { leaf, by }: { leaf: Leaf | undefined; by: Signer | undefined }) {
  return X509CertificateGenerator.create(
    {
      ...validity(leaf ?? {}),
      subject: `CN=${subject}`,
      issuer: by?.certificate.subject ?? `CN=${subject}`,
      publicKey: keys.publicKey,
      signingKey: by?.keys.privateKey ?? keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: leaf === undefined ? [new BasicConstraintsExtension(true, undefined, true)] : [names(leaf)],
    },
    webcrypto,
  );
}

async function identity(certificate: X509Certificate, keys: Keys, above: string): Promise<Identity> {
  const pem = certificate.toString('pem');
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const { fingerprint256, validToDate } = new Parsed(pem);
  return { key, cert: `${pem}\n${above}`, fingerprint: fingerprint256, validToMs: validToDate.getTime() };
}

const asAuthority = (signer: Signer): Authority => ({
  pem: signer.certificate.toString('pem'),
  issue: async (leaf = {}) => {
    const keys = await makeKeys();
    return identity(await sign('vb365', keys, { leaf, by: signer }), keys, signer.above);
  },
  delegate: async () => {
    const keys = await makeKeys();
    const certificate = await sign(`below ${randomBytes(4).toString('hex')}`, keys, { leaf: undefined, by: signer });
    return asAuthority({ certificate, keys, above: `${certificate.toString('pem')}\n${signer.above}` });
  },
});

/** A root of its own. */
export async function authority(): Promise<Authority> {
  const keys = await makeKeys();
  return asAuthority({
    certificate: await sign(`root ${randomBytes(4).toString('hex')}`, keys, { leaf: undefined, by: undefined }),
    keys,
    above: '',
  });
}

/** A certificate that nobody else has signed. */
export async function selfSigned(leaf: Leaf = {}): Promise<Identity> {
  const keys = await makeKeys();
  return identity(await sign('vb365', keys, { leaf, by: undefined }), keys, '');
}
