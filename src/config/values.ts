import { z } from 'zod';
import { Secret } from '../kernel/secret.js';
import { durationPattern, parseDuration } from './duration.js';

/**
 * A text of the form `pattern` that `read` converts. Every other value gets the message `expected`, or the one for what
 * is wrong with it in particular.
 */
export function parsedText<T>(
  pattern: RegExp,
  expected: string | ((text: string) => string),
  read: (text: string) => T | undefined,
  ...about: Partial<About>
) {
  const message = (input: unknown): string =>
    typeof expected === 'string' ? expected : expected(typeof input === 'string' ? input : '');
  return z
    .string({ error: ({ input }) => (input === undefined ? undefined : message(input)) })
    .regex(pattern, { error: ({ input }) => message(input) })
    .transform((text, context) => {
      const value = read(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: message(text), input: undefined });
      return z.NEVER;
    })
    .meta(meta(...about));
}

/** For the documentation. */
type About = readonly [description: string, example?: unknown];

export const meta = (...[description, example]: Partial<About>) => ({
  description,
  ...(example === undefined ? {} : { examples: [example] }),
});

/** A text of the form `pattern`. Every other text gets the message `expected`. */
export const matching = (pattern: RegExp, expected: string, ...about: About) =>
  z
    .string()
    .regex(pattern, expected)
    .meta(meta(...about));

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
  matching(/^[^\p{Cc}]+$/u, 'must be text, not empty and without control characters', ...about);

/** Undefined if the text is not a URL, or for port 0, on which nothing listens. */
export function parseUrl(href: string): URL | undefined {
  const url = URL.canParse(href) ? new URL(href) : undefined;
  return url?.port === '0' ? undefined : url;
}

/** The message for a text that is not a URL: about its port, if nothing else is wrong. */
export const urlMessage =
  (expected: string) =>
  (href: string): string => {
    const withoutPort = href.replace(/^(https?:\/\/[^/?#]*):\d+/i, '$1');
    const isPort = withoutPort !== href && parseUrl(href) === undefined && parseUrl(withoutPort) !== undefined;
    return isPort ? 'must have a port from 1 to 65535' : expected;
  };

/** Whether the host name of a URL is this machine. */
export const isLoopback = (hostname: string): boolean =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

const proxyExpected = 'must be a URL such as http://proxy.example.com:3128';
const otherScheme = /^\s*(?!https?:)[a-z][a-z\d+.-]*:\/\//i;

const proxyMessage =
  (more = '') =>
  (value: string): string =>
    otherScheme.test(value)
      ? `${proxyExpected}; SOCKS and other kinds of proxy are not supported`
      : urlMessage(`${proxyExpected}${more}`)(withScheme(value));

/** A value without a scheme is `http://`, as for curl and Go. */
const withScheme = (value: string): string =>
  /^\s*https?:\/\//i.test(value) ? value.trim() : `http://${value.trim()}`;

/** What a user or password may hold in a URL. Anything else is encoded, such as the backslash after a domain. */
const unencoded = /[^\w.~!$&'()*+,;=:%-]|%(?![\da-f]{2})/giu;

function parseProxy(value: string): Secret | undefined {
  const [, scheme = '', login, host = ''] = /^(https?:\/\/)(?:(.*)@)?(.*)$/is.exec(withScheme(value)) ?? [];
  const encoded = login === undefined ? '' : `${login.replaceAll(unencoded, encodeURIComponent)}@`;
  const url = parseUrl(`${scheme}${encoded}${host}`);
  return url === undefined || otherScheme.test(value) || !isDecodable(url)
    ? undefined
    : new Secret(`${scheme}${encoded}${host}`);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    // The percent signs do not encode UTF-8.
    return false;
  }
}

/** A proxy in an environment variable; it may have credentials. */
export const proxyFromVariable = () =>
  parsedText(/^\s*(?:https?:\/\/)?(?:.*@)?[^\s/?#@\\]+\/?\s*$/is, proxyMessage(), parseProxy);

/** The value of a key `proxy_url`. */
export const proxyUrl = (description: string) =>
  parsedText(
    /^\s*(?:https?:\/\/)?[^\s/?#@\\]+\/?\s*$/i,
    proxyMessage(', without credentials (set HTTPS_PROXY for a proxy that needs them)'),
    parseProxy,
    description,
    'http://proxy.example.com:3128',
  );

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
    .transform(values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value])))
    .meta(meta(...about));

/** Headers as an environment variable gives them, in the form of W3C baggage: `name=value,name2=value2`, percent-encoded. */
export const headerList = () =>
  parsedText(/^/, 'must be a list such as name=value,name2=value2, percent-encoded', list => {
    const entries = list.split(',').filter(entry => entry.trim() !== '');
    const pairs = entries.map(parseHeader).filter(pair => pair !== undefined);
    return pairs.length === entries.length ? Object.fromEntries(pairs) : undefined;
  });

function parseHeader(entry: string): readonly [string, Secret] | undefined {
  try {
    const [name = '', value = '\n'] = entry.split(/=(.*)/s, 2).map(part => decodeURIComponent(part.trim()));
    return headerName.test(name) && headerText.test(value) ? [name.toLowerCase(), new Secret(value)] : undefined;
  } catch {
    // The percent signs do not encode UTF-8.
    return undefined;
  }
}
