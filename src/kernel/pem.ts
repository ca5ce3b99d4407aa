import { X509Certificate } from 'node:crypto';

/** The certificates in a PEM text, in its order; none when one of them is not valid. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.matchAll(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^]+?-----END \1-----/g);
  try {
    return Array.from(blocks, ([block]) => new X509Certificate(block));
  } catch {
    return [];
  }
}
