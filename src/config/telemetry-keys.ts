import { z } from 'zod';
import { type PersonalClass, type Treatment, treatments } from '../model/personal-data.js';
import { text } from './values.js';

const meanings: Readonly<Record<PersonalClass, string>> = {
  person: 'who opened the session, and whose data it is',
  item: 'names of mails, files, sites and teams',
  path: 'where items come from and where they went',
  client: 'the address of the computer where the session was opened',
};

const treatment = (one: PersonalClass) =>
  z
    .enum(treatments)
    .meta({ description: `What to do with ${meanings[one]}.` })
    .prefault('keep' satisfies Treatment);

const keys = {
  person: treatment('person'),
  item: treatment('item'),
  path: treatment('path'),
  client: treatment('client'),
};

/** What becomes of personal data in one signal. */
export const personalData = (where: string) =>
  z
    .strictObject(keys satisfies Readonly<Record<PersonalClass, z.ZodType>>)
    .meta({
      description: `What becomes of personal data in ${where}: \`keep\`, \`hash\` (HMAC-SHA256 with the key in \`personal_data.hash_key_file\`) or \`drop\`. A text that may hold several classes gets the strictest; LOGS.md tells which.`,
    })
    .prefault({});

export const personalDataSchema = z
  .strictObject({
    hash_key_file: text({
      description:
        'File that holds the secret key of hashes, at least 16 bytes. The same key gives the same hash for the same text, so keep it as long as hashes shall be comparable.',
      example: '/run/secrets/vb365-hash-key',
    }).optional(),
  })
  .meta({ description: 'What hashing personal data needs.' })
  .prefault({});

/** The keys of `otlp.tls`: what is absent may come from the environment. */
export const otlpTlsKeys = {
  ca_file: text({
    description: 'PEM file of the authorities to trust, in place of those that Node brings.',
    example: '/etc/vb365-exporter/ca.pem',
  }).optional(),
  cert_file: text({
    description: 'PEM file of the client certificate, with its chain; together with `key_file`.',
    example: '/etc/vb365-exporter/client.pem',
  }).optional(),
  key_file: text({
    description: 'PEM file of the key of the client certificate.',
    example: '/etc/vb365-exporter/client-key.pem',
  }).optional(),
};
