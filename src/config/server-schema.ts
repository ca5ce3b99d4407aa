import { z } from 'zod';
import { apiVersions } from '../model/api-versions.js';
import {
  duration,
  flag,
  isLoopback,
  matching,
  parsedText,
  parseUrl,
  proxyUrl,
  section,
  text,
  urlMessage,
  whole,
} from './values.js';

const identityKeys = {
  name: matching(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 letters, digits, dots, dashes or underscores, and start with a letter or digit',
    'Unique name of the server: the value of the `server` label. Counters and progress are stored under this name; if you change it, they start again.',
    'hq',
  ),
  url: parsedText(
    /^https?:\/\/[^\s/?#@\\]+\/?$/,
    urlMessage('must be an origin such as https://vb365.example.com:4443, without path, query or credentials'),
    parseUrl,
    'Scheme, host and port of the REST API. `http://` is allowed only for this machine, or with `allow_http`.',
    'https://vb365.example.com:4443',
  ),
  allow_http: flag('Allows `http://` to another machine. The password is then sent unencrypted.', false),
  api_version: z
    .enum(['auto', ...apiVersions])
    .meta({
      description:
        'Version of the REST API. `auto` selects the newest version that the server supports on first contact. The exporter remembers that version and uses it as long as the server supports it; set a version here to move to a newer one.',
    })
    .prefault('auto'),
};

const username = text(
  'Account to log in with. Write it unquoted or in single quotes: in double quotes, YAML reads a backslash as an escape. Required unless `client_id` is set.',
  'EXAMPLE\\svc-monitor',
);

const loginKeys = {
  username: username.optional(),
  password_file: text(
    'File that contains only the password. The exporter reads it at every login, so you can change it at any time.',
    '/run/secrets/vb365-password',
  ).optional(),
  client_id: text(
    'Application ID for a login with a signed assertion (grant `urn:ietf:params:oauth:grant-type:jwt-bearer`) instead of `username`. VB365 decides what such a login can read.',
    'd1a9b3c6-0f1e-4a55-8a43-1c9f6f0f2b7e',
  ).optional(),
  assertion_file: text(
    'File that contains the assertion (a JWT) for `client_id`. The exporter reads it at every login.',
    '/run/secrets/vb365-assertion',
  ).optional(),
};

const tlsKeys = section('Verification of the server certificate. The minimum version is TLS 1.2.', {
  ca_file: text(
    'PEM file of certificate authorities to trust instead of those of Node.js. The exporter reads it again when it changes.',
    '/etc/vb365-exporter/ca.pem',
  ).optional(),
  server_fingerprint: matching(
    /^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/,
    'must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons between pairs',
    'SHA-256 fingerprint of the server certificate, with or without colons, for a self-signed certificate. The exporter accepts only this certificate, and does not check its issuer, host name or expiry.',
    '5eb72c8f9a014d336bd0f21c77a845ee901bcc2d3e4f5061728394a5b6c7d8e9',
  ).optional(),
  insecure_skip_verify: flag(
    'Disables verification of the server certificate. Anyone between the exporter and the server can then read the password. Sets `vb365_tls_verification_enabled` to 0.',
    false,
  ),
});

/** How many of the settings that exclude each other are set. */
const tlsSettings = ({ ca_file, server_fingerprint, insecure_skip_verify }: z.output<typeof tlsKeys>): number =>
  [ca_file !== undefined, server_fingerprint !== undefined, insecure_skip_verify].filter(Boolean).length;

const connectionKeys = {
  tls: tlsKeys
    .refine(tls => tlsSettings(tls) <= 1, {
      error: 'must not have more than one of "ca_file", "server_fingerprint" and "insecure_skip_verify"',
    })
    .prefault({}),
  proxy_url: proxyUrl(
    'HTTP proxy for connections to the server (`CONNECT`). `NO_PROXY` does not apply to it. Default: `HTTPS_PROXY` or `HTTP_PROXY`, and `NO_PROXY`.',
  ).optional(),
  poll_interval: duration(
    { min: '5s', max: '1h', example: '30s' },
    'Interval between polls while no session is open.',
  ).prefault('30s'),
  open_poll_interval: duration(
    { min: '1s', max: '1h', example: '5s' },
    'Interval between polls while a session is open; not longer than `poll_interval`.',
  ).prefault('5s'),
  reconcile_interval: duration(
    { min: '1m', max: '1d', example: '15m' },
    'Interval between full session lists while the exporter follows the change feed of VB365 8. The list finds sessions that the feed missed.',
  ).prefault('15m'),
  request_timeout: duration(
    { min: '1s', max: '10m', example: '60s' },
    'Timeout of one request to the server.',
  ).prefault('60s'),
  page_size: whole({ min: 30, max: 10_000 }, 'Number of events to request per page.').prefault(1000),
  resolve_owners: flag(
    'Whether to ask VB365 8 for the names and addresses of the users, groups, sites, teams and organizations whose data is restored, each at most once a day. Without them, records have only the ids of the owners, and the exporter cannot see whether somebody opened their own data. See ADR 79.',
    true,
  ),
};

/** Lets a check of several keys run although other keys are wrong, but not when one of `keys` is. */
const whenValid =
  (...keys: readonly string[]) =>
  ({ issues }: z.core.ParsePayload): boolean =>
    !issues.some(({ code, path = [] }) =>
      path.length === 0 ? code === 'invalid_type' : keys.includes(String(path[0])),
    );

type CheckedKeys = z.output<z.ZodObject<typeof identityKeys & typeof connectionKeys>>;

/** Adds the checks that involve several keys of a server. */
const withChecks = <S extends z.ZodType<CheckedKeys>>(server: S): S =>
  server
    .refine(({ url, tls }) => url.protocol === 'https:' || tlsSettings(tls) === 0, {
      path: ['tls'],
      error: 'must not be set: the URL is http://, without TLS',
      when: whenValid('url', 'tls'),
    })
    .refine(({ url, allow_http }) => url.protocol === 'https:' || allow_http || isLoopback(url.hostname), {
      path: ['url'],
      error: 'must use https: http is allowed only for this machine, unless "allow_http" is true',
      when: whenValid('url', 'allow_http'),
    })
    .refine(({ poll_interval, open_poll_interval }) => open_poll_interval <= poll_interval, {
      path: ['open_poll_interval'],
      error: 'must not be longer than "poll_interval"',
      when: whenValid('poll_interval', 'open_poll_interval'),
    });

/** A server from environment variables; the password is read separately. */
export const environmentServerSchema = withChecks(z.strictObject({ ...identityKeys, username, ...connectionKeys }));

const serverSchema = withChecks(
  z
    .strictObject({ ...identityKeys, ...loginKeys, ...connectionKeys })
    .superRefine(validateLogin, { when: whenValid(...Object.keys(loginKeys)) }),
);

/** Adds a problem for each key that the kind of login requires, and for each that it excludes. */
function validateLogin(login: z.output<z.ZodObject<typeof loginKeys>>, context: z.RefinementCtx): void {
  const add = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const byAssertion = login.client_id !== undefined || login.assertion_file !== undefined;
  const account = ['username', 'password_file'] as const;
  const required = byAssertion ? (['client_id', 'assertion_file'] as const) : account;
  for (const key of required) if (login[key] === undefined) add(key, 'is missing');
  for (const key of byAssertion ? account : [])
    if (login[key] !== undefined) add(key, 'must not be set together with "client_id" or "assertion_file"');
}

/** The list of servers; their names are unique. */
export const serversSchema = z
  .array(serverSchema)
  .min(1, 'must list at least one server')
  .superRefine(validateNames, { when: ({ value }) => Array.isArray(value) })
  .optional()
  .meta({ description: 'The VB365 servers to monitor. Without this key, environment variables describe one server.' });

function validateNames(servers: readonly (Readonly<{ name?: unknown }> | undefined)[], context: z.RefinementCtx): void {
  const names = servers.map(server => server?.name);
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    const message = `is already the name of servers[${String(first)}]`;
    if (typeof name === 'string' && first < index) context.addIssue({ code: 'custom', path: [index, 'name'], message });
  }
}
