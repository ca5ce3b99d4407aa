import { z } from 'zod';
import { fingerprint, proxyUrl, text } from './values.js';

type TlsOutput = Readonly<{
  ca_file?: string | undefined;
  server_fingerprint?: string | undefined;
  insecure_skip_verify: boolean;
}>;

const isSet = ({ ca_file, server_fingerprint, insecure_skip_verify }: TlsOutput): readonly boolean[] =>
  [ca_file !== undefined, server_fingerprint !== undefined, insecure_skip_verify].filter(Boolean);

export const tlsKeys = {
  tls: z
    .strictObject({
      ca_file: text({
        description:
          'File with the certificates (PEM) of the authorities to trust, in place of those that Node brings. Read again when it changes.',
        example: '/etc/vb365-exporter/ca.pem',
      }).optional(),
      server_fingerprint: fingerprint({
        description:
          'SHA-256 fingerprint of the certificate of the server, with or without colons, for a self-signed one. Only that certificate is taken then, whoever signed it, for whatever host, expired or not.',
        example: '5eb72c8f9a014d336bd0f21c77a845ee901bcc2d3e4f5061728394a5b6c7d8e9',
      }).optional(),
      insecure_skip_verify: z
        .boolean()
        .meta({
          description:
            'Takes whatever answers for the server. Whoever is between can then read the password. `vb365_tls_verification_enabled` is 0.',
        })
        .prefault(false),
    })
    .refine(tls => isSet(tls).length <= 1, {
      error: 'must not have more than one of "ca_file", "server_fingerprint" and "insecure_skip_verify"',
    })
    .meta({ description: 'How the server proves who it is. TLS 1.2 is the least that is spoken.' })
    .prefault({}),
};

export const proxyKeys = {
  proxy_url: proxyUrl({
    description:
      'HTTP proxy to reach the server through, by `CONNECT`. Without it, `HTTPS_PROXY` and `NO_PROXY` tell, for `https://` only.',
    example: 'http://proxy.example.com:3128',
  }).optional(),
};

export type UsesTls = Readonly<{ url: URL; tls: TlsOutput }>;

/** A server without TLS cannot be told how to check it. */
export const usesTls = ({ url, tls }: UsesTls): boolean => url.protocol === 'https:' || isSet(tls).length === 0;
