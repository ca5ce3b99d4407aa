import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** The certificates in a PEM text, in its order; none when one of them is not valid. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.matchAll(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^]+?-----END \1-----/g);
  try {
    return Array.from(blocks, ([block]) => new X509Certificate(block));
  } catch {
    return [];
  }
}

export const noCertificate = 'it holds no valid certificate in PEM';

/** Why a certificate (the first of its text) and a private key cannot be used, and which of the two it is. */
type PairFault = Readonly<{ of: 'cert' | 'key'; why: string }>;

/** Undefined when the certificate and the key, both in PEM, fit together. */
export function pairFault(cert: string, key: string): PairFault | undefined {
  const [own] = certificatesIn(cert);
  if (own === undefined) return { of: 'cert', why: noCertificate };
  const privateKey = privateKeyIn(key);
  if (privateKey === undefined) return { of: 'key', why: 'it holds no private key in PEM, or one with a passphrase' };
  return own.checkPrivateKey(privateKey)
    ? undefined
    : { of: 'key', why: 'its private key does not belong to the certificate' };
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
