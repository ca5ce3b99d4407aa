import { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { apiVersions } from '../model/api-versions.js';
import { durationPattern, formatDuration, parseDuration, parseHistory } from './units.js';

type Issue = Readonly<{ input?: unknown }>;

/** Says `wanted` of every value that is of the wrong type, but leaves what is missing to be called missing. */
const unlessMissing = (wanted: string) => (issue: Issue) => (issue.input === undefined ? undefined : wanted);

/** A text of the form `pattern` that `read` turns into what the code uses. `wanted` is said of every other value. */
function parsedText<T>(pattern: RegExp, wanted: string, read: (text: string) => T | undefined) {
  return z
    .string({ error: unlessMissing(wanted) })
    .regex(pattern, wanted)
    .transform((text, context) => {
      const value = read(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: wanted, input: undefined });
      return z.NEVER;
    });
}

type About = Readonly<{ description: string; example?: unknown }>;
type Bounds = Readonly<{ minMs: number; maxMs: number; example: string }>;

const meta = ({ description, example }: About) => ({
  description,
  ...(example === undefined ? {} : { examples: [example] }),
});

/** A duration; comes out in milliseconds. The bounds become part of the description. */
export function duration({ minMs, maxMs, example }: Bounds, about: About) {
  const bounds = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  const inBounds = (ms: number | undefined) => (ms === undefined || ms < minMs || ms > maxMs ? undefined : ms);
  return parsedText(durationPattern, `must be a duration with its unit, ${bounds}, such as ${example}`, value =>
    inBounds(parseDuration(value)),
  ).meta({ description: `${about.description} A duration ${bounds}.` });
}

/** A whole number. */
export const whole = ({ min, max }: { min: number; max: number }, about: About) =>
  // `z.int()` would hide the problems that stand beside it.
  z
    .number()
    .multipleOf(1, 'must be a whole number')
    .min(min)
    .max(max)
    .meta({ type: 'integer', multipleOf: undefined, ...meta(about) });

/** A text that is not empty and has no control characters. */
export const text = (about: About) =>
  z
    .string()
    .regex(/^[^\p{Cc}]+$/u, 'must be text, not empty and without control characters')
    .meta(meta(about));

export const serverName = (about: About) =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      'must be 1 to 63 letters, digits, dots, dashes or underscores, a letter or digit first',
    )
    .meta(meta(about));

/** Parses an http or https URL; undefined when it is none. */
const parseUrl = (value: string): URL | undefined => (URL.canParse(value) ? new URL(value) : undefined);

/** The origin of a server; comes out as a `URL`. */
export const origin = (about: About) =>
  parsedText(
    /^https?:\/\/[^\s/?#@\\]+\/?$/,
    'must be an origin such as https://vb365.example.com:4443, without path, query or credentials',
    parseUrl,
  ).meta(meta(about));

/** Where to send to, with or without a path; comes out as a `URL`. */
export const endpoint = (about: About) =>
  parsedText(
    /^https?:\/\/[^\s?#@\\]+$/,
    'must be a URL such as http://localhost:4318, without query or credentials (what is secret belongs in a header)',
    parseUrl,
  ).meta(meta(about));

/** How far back to look; comes out as a `History`. */
export const history = (about: About) =>
  parsedText(
    /^(now|all|\d[\dA-Za-z:.+-]*)$/,
    'must be now, all, a duration such as 7d, a date such as 2026-01-31, or a time with its zone such as 2026-01-31T12:00:00Z',
    parseHistory,
  ).meta(meta(about));

/** What RFC 9110 section 5 allows as the name of a header, and what is safe as its value. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerValue = /^[\t -~]*$/;

/** HTTP header values by lower-case name; values are secret. */
export const headers = (about: About) =>
  z
    .record(
      z.string().regex(headerName, 'is no name of an HTTP header'),
      z
        .string()
        .regex(headerValue, 'must be printable ASCII text')
        .transform(value => new Secret(value)),
    )
    .transform(lowerCaseNames)
    .meta(meta(about));

const lowerCaseNames = (values: Readonly<Record<string, Secret>>): Record<string, Secret> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));

/** Headers as an environment variable holds them, in the form of W3C baggage: `name=value,name2=value2`, percent-encoded. */
export const headerList = () =>
  parsedText(/^/, 'must be a list such as name=value,name2=value2, percent-encoded', parseHeaderList);

function parseHeaderList(list: string): Record<string, Secret> | undefined {
  const entries = list.split(',').filter(entry => entry.trim() !== '');
  const pairs = entries.map(parseHeader).filter(pair => pair !== undefined);
  return pairs.length === entries.length ? lowerCaseNames(Object.fromEntries(pairs)) : undefined;
}

function parseHeader(entry: string): readonly [string, Secret] | undefined {
  const [name, value] = [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)].map(percentDecoded);
  const fine = entry.includes('=') && headerName.test(name ?? '') && headerValue.test(value ?? '\n');
  return fine ? [name ?? '', new Secret(value ?? '')] : undefined;
}

/** Undefined when the percent signs make no UTF-8. */
function percentDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.trim());
  } catch {
    return undefined;
  }
}

/** A whole number of milliseconds, as an environment variable holds it. */
export const milliseconds = ({ min, max }: { min: number; max: number }) =>
  parsedText(/^\d{1,9}$/, `must be a whole number of milliseconds, ${String(min)} to ${String(max)}`, digits => {
    const ms = Number(digits);
    return ms < min || ms > max ? undefined : ms;
  });

const grpcHint =
  'must be http/json or http/protobuf: gRPC is not supported, and OTLP over HTTP has its own port (4318)';

export const protocol = (about: About) =>
  z
    .enum(['http/json', 'http/protobuf'], { error: issue => (issue.input === 'grpc' ? grpcHint : undefined) })
    .meta(meta(about));

export const compression = (about: About) => z.enum(['none', 'gzip']).meta(meta(about));

export const apiVersion = (about: About) => z.enum(['auto', ...apiVersions]).meta(meta(about));

/** The SHA-256 of a certificate, as tools print it. */
export const fingerprint = (about: About) =>
  z
    .string()
    .regex(
      /^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/,
      'must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons between the pairs',
    )
    .meta(meta(about));

/** A proxy that the file names; comes out as a secret, like one of the environment. */
export const proxyUrl = (about: About) =>
  parsedText(
    /^https?:\/\/[^\s/?#@\\]+\/?$/,
    'must be a URL such as http://proxy.example.com:3128, without credentials (a proxy that wants some belongs into HTTPS_PROXY)',
    value => (URL.canParse(value) ? new Secret(value) : undefined),
  ).meta(meta(about));

/** A proxy that the environment names, perhaps with credentials. */
export const environmentProxy = () =>
  parsedText(/^https?:\/\/[^\s/?#\\]+\/?$/, 'must be a URL such as http://proxy.example.com:3128', value =>
    URL.canParse(value) ? new Secret(value) : undefined,
  );
