import { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { apiVersions } from '../model/api-versions.js';
import { durationPattern, parseDuration, parseHistory } from './duration.js';

/** A text of the form `pattern` that `read` converts. Every other value gets the message `expected`. */
function parsedText<T>(pattern: RegExp, expected: string, read: (text: string) => T | undefined) {
  return z
    .string({ error: ({ input }) => (input === undefined ? undefined : expected) })
    .regex(pattern, expected)
    .transform((text, context) => {
      const value = read(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: expected, input: undefined });
      return z.NEVER;
    });
}

type About = readonly [description: string, example?: unknown];

const meta = ([description, example]: About) => ({
  description,
  ...(example === undefined ? {} : { examples: [example] }),
});

/** A text of the form `pattern`. Every other text gets the message `expected`. */
const matching = (pattern: RegExp, expected: string, about: About) =>
  z.string().regex(pattern, expected).meta(meta(about));

/** A group of keys, all of which can be absent. */
export const section = <Shape extends z.ZodRawShape>(description: string, keys: Shape) =>
  z.strictObject(keys).meta({ description });

/** `true` or `false`. */
export const flag = (description: string, byDefault: boolean) => z.boolean().meta({ description }).prefault(byDefault);

type Bounds = Readonly<{ min: string; max: string; example: string }>;

/** A duration with its units; the output is in milliseconds. The bounds become part of the description. */
export function duration({ min, max, example }: Bounds, description: string) {
  const bounds = `from ${min} to ${max}`;
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return parsedText(durationPattern, `must be a duration with units, ${bounds}, such as ${example}`, text => {
    const ms = parseDuration(text);
    return ms === undefined || ms < minMs || ms > maxMs ? undefined : ms;
  }).meta({ description: `${description} A duration ${bounds}.` });
}

/** A whole number. `z.int()` would hide other problems of the same mapping. */
export const whole = ({ min, max }: Readonly<{ min: number; max: number }>, description: string) =>
  z
    .number()
    .multipleOf(1, 'must be a whole number')
    .min(min)
    .max(max)
    .meta({ type: 'integer', multipleOf: undefined, description });

/** A text that is not empty and has no control characters. */
export const text = (...about: About) =>
  matching(/^[^\p{Cc}]+$/u, 'must be text, not empty and without control characters', about);

export const serverName = (...about: About) =>
  matching(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 letters, digits, dots, dashes or underscores, and start with a letter or digit',
    about,
  );

const parseUrl = (url: string): URL | undefined => (URL.canParse(url) ? new URL(url) : undefined);
const parseSecretUrl = (url: string): Secret | undefined => (URL.canParse(url) ? new Secret(url) : undefined);

/** The origin of a server, as a `URL`. */
export const origin = (...about: About) =>
  parsedText(
    /^https?:\/\/[^\s/?#@\\]+\/?$/,
    'must be an origin such as https://vb365.example.com:4443, without path, query or credentials',
    parseUrl,
  ).meta(meta(about));

/** The URL of a receiver, with or without a path. */
export const endpoint = (...about: About) =>
  parsedText(
    /^https?:\/\/[^\s?#@\\]+$/,
    'must be a URL such as http://localhost:4318, without query or credentials (put secrets in a header)',
    parseUrl,
  ).meta(meta(about));

/** A `History`. */
export const history = (...about: About) =>
  parsedText(
    /^(now|all|\d[\dA-Za-z:.+-]*)$/,
    'must be now, all, a duration such as 7d, a date such as 2026-01-31, or a time with its time zone such as 2026-01-31T12:00:00Z',
    parseHistory,
  ).meta(meta(about));

/** Header names of RFC 9110 section 5, and the values that are safe. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerText = /^[\t -~]*$/;

/** The value of an HTTP header. */
export const headerValue = () => z.string().regex(headerText, 'must be printable ASCII text');

/** Secret HTTP header values by lower-case name. */
export const headers = (...about: About) =>
  z
    .record(
      z.string().regex(headerName, 'is not a valid HTTP header name'),
      headerValue().transform(value => new Secret(value)),
    )
    .transform(lowerCaseNames)
    .meta(meta(about));

const lowerCaseNames = (values: Readonly<Record<string, Secret>>): Record<string, Secret> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));

/** Headers as an environment variable gives them, in the form of W3C baggage: `name=value,name2=value2`, percent-encoded. */
export const headerList = () =>
  parsedText(/^/, 'must be a list such as name=value,name2=value2, percent-encoded', list => {
    const entries = list.split(',').filter(entry => entry.trim() !== '');
    const pairs = entries.map(parseHeader).filter(pair => pair !== undefined);
    return pairs.length === entries.length ? lowerCaseNames(Object.fromEntries(pairs)) : undefined;
  });

function parseHeader(entry: string): readonly [string, Secret] | undefined {
  const [name, value] = [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)].map(percentDecoded);
  const isValid = entry.includes('=') && headerName.test(name ?? '') && headerText.test(value ?? '\n');
  return isValid ? [name ?? '', new Secret(value ?? '')] : undefined;
}

/** Undefined when the percent signs do not encode UTF-8. */
function percentDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.trim());
  } catch {
    return undefined;
  }
}

/** A whole number of milliseconds, as an environment variable gives it. */
export const milliseconds = ({ min, max }: Readonly<{ min: number; max: number }>) =>
  parsedText(/^\d{1,9}$/, `must be a whole number of milliseconds, ${String(min)} to ${String(max)}`, digits => {
    const ms = Number(digits);
    return ms < min || ms > max ? undefined : ms;
  });

const grpcHint =
  'must be http/json or http/protobuf: gRPC is not supported, and OTLP over HTTP has its own port (4318)';

export const protocol = (...about: About) =>
  z
    .enum(['http/json', 'http/protobuf'], { error: issue => (issue.input === 'grpc' ? grpcHint : undefined) })
    .meta(meta(about));

export const compression = (...about: About) => z.enum(['none', 'gzip']).meta(meta(about));

export const apiVersion = (description: string) => z.enum(['auto', ...apiVersions]).meta({ description });

/** The SHA-256 fingerprint of a certificate, as tools print it. */
export const fingerprint = (...about: About) =>
  matching(
    /^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/,
    'must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons between pairs',
    about,
  );

/** A proxy in the file; secret, like one in the environment. */
export const proxyUrl = (...about: About) =>
  parsedText(
    /^https?:\/\/[^\s/?#@\\]+\/?$/,
    'must be a URL such as http://proxy.example.com:3128, without credentials (set HTTPS_PROXY for a proxy that needs them)',
    parseSecretUrl,
  ).meta(meta(about));

/** A proxy in the environment; the URL may contain credentials. */
export const environmentProxy = () =>
  parsedText(/^https?:\/\/[^\s/?#\\]+\/?$/, 'must be a URL such as http://proxy.example.com:3128', parseSecretUrl);
