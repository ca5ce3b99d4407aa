import { z } from 'zod';
import { loginKeys, validateLogin, userName } from './login-keys.js';
import { otlpTlsKeys, personalData, personalDataSchema } from './telemetry-keys.js';
import { proxyKeys, tlsKeys, type UsesTls, usesTls } from './tls-keys.js';
import { dayMs, hourMs, minuteMs, secondMs } from './units.js';
import {
  apiVersion,
  compression,
  duration,
  endpoint,
  headers,
  history,
  origin,
  protocol,
  serverName,
  text,
  whole,
} from './values.js';

const identityKeys = {
  name: serverName({
    description:
      'What the server is called: the `server` label of every metric. Counters and progress are kept under it, so do not change it lightly. No two servers have the same.',
    example: 'hq',
  }),
  url: origin({
    description: 'Where its REST API is: scheme, host and port. `http://` only for this machine, or with `allow_http`.',
    example: 'https://vb365.example.com:4443',
  }),
  allow_http: z
    .boolean()
    .meta({ description: 'Allows `http://` to another machine. The password then crosses the network readable.' })
    .prefault(false),
  api_version: apiVersion({
    description:
      'Version of the REST API to speak. `auto`: the newest that the server serves when it is first met. That one is remembered and kept as long as it is served; to move to a newer one, name it here.',
  }).prefault('auto'),
};

const paceKeys = {
  poll_interval: duration(
    { minMs: 5 * secondMs, maxMs: hourMs, example: '30s' },
    {
      description:
        'How often to look for news while no session is open. Above 5 minutes, raise the 900 s of the alert `VB365PollStale` too.',
    },
  ).prefault('30s'),
  open_poll_interval: duration(
    { minMs: secondMs, maxMs: hourMs, example: '5s' },
    { description: 'How often to look for news while a session is open; not longer than `poll_interval`.' },
  ).prefault('5s'),
  reconcile_interval: duration(
    { minMs: minuteMs, maxMs: dayMs, example: '15m' },
    {
      description:
        'How often to look at a list of sessions although the change feed of VB365 8 tells what is new, to find what it has not told.',
    },
  ).prefault('15m'),
  request_timeout: duration(
    { minMs: secondMs, maxMs: 10 * minuteMs, example: '60s' },
    { description: 'How long one request to the server may take.' },
  ).prefault('60s'),
  page_size: whole({ min: 30, max: 10_000 }, { description: 'How many events to ask for in one request.' }).prefault(
    1000,
  ),
};

const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Whether a host, as a URL has it, is this machine itself. */
export const isLoopback = (hostname: string): boolean => loopback.test(hostname);

type Reach = Readonly<{ url: URL; allow_http: boolean }>;
type Pace = Readonly<{ poll_interval: number; open_poll_interval: number }>;

const mayReach = ({ url, allow_http }: Reach): boolean =>
  url.protocol === 'https:' || allow_http || isLoopback(url.hostname);

const isPaced = ({ poll_interval: idle, open_poll_interval: open }: Pace): boolean => open <= idle;

/** Lets a check of several keys run although other keys are wrong, but not when one of its own is, or there are none. */
const whenFine =
  (...keys: readonly string[]) =>
  ({ issues }: z.core.ParsePayload): boolean =>
    !issues.some(({ code, path = [] }) =>
      path.length === 0 ? code === 'invalid_type' : keys.includes(String(path[0])),
    );

/** Adds what a server's keys must satisfy together. */
const together = <S extends z.ZodType<Reach & Pace & UsesTls>>(server: S): S =>
  server
    .refine(usesTls, {
      path: ['tls'],
      error: 'must not be set: the URL is http://, which has no TLS',
      when: whenFine('url', 'tls'),
    })
    .refine(mayReach, {
      path: ['url'],
      error: 'must use https: http is for this machine only, unless "allow_http" is true',
      when: whenFine('url', 'allow_http'),
    })
    .refine(isPaced, {
      path: ['open_poll_interval'],
      error: 'must not be longer than "poll_interval"',
      when: whenFine('poll_interval', 'open_poll_interval'),
    });

/** A server that the environment describes: its password comes on another way. */
export const environmentServerSchema = together(
  z.strictObject({ ...identityKeys, username: userName(), ...tlsKeys, ...proxyKeys, ...paceKeys }),
);

const serverSchema = together(
  z.strictObject({ ...identityKeys, ...loginKeys, ...tlsKeys, ...proxyKeys, ...paceKeys }).superRefine(validateLogin, {
    when: whenFine(...Object.keys(loginKeys)),
  }),
);

type Named = Readonly<{ name?: unknown }> | undefined;

/** Adds a problem for each server whose name another one before it has. */
function sayRepeatedNames(servers: readonly Named[], context: z.RefinementCtx): void {
  const names = servers.map(server => server?.name);
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    if (typeof name === 'string' && first < index)
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `is the name of servers[${String(first)}]` });
  }
}

/** Where TLS files are, when the receiver needs any. */
const otlpTls = z
  .strictObject(otlpTlsKeys)
  .meta({
    description: 'For an `https://` endpoint. The files are read anew for every connection, so they may be renewed.',
  })
  .prefault({});

/** The keys of `otlp`, without defaults: what is absent may come from the environment. */
export const otlpKeys = {
  endpoint: endpoint({
    description:
      'Where the OTLP receiver is; `/v1/logs` and `/v1/traces` are appended. Without it, `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` and `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (used as they are) or `OTEL_EXPORTER_OTLP_ENDPOINT` tell.',
    example: 'http://localhost:4318',
  }).optional(),
  protocol: protocol({ description: 'Encoding of requests. gRPC is not supported.', example: 'http/json' })
    .optional()
    .meta({ default: 'http/protobuf' }),
  headers: headers({
    description:
      'HTTP headers to send along, by name, beside those of `OTEL_EXPORTER_OTLP_HEADERS`, which is the better place for a secret.',
    example: { 'X-Scope-OrgID': 'tenant-1' },
  }).optional(),
  compression: compression({ description: 'How to compress what is sent.', example: 'gzip' })
    .optional()
    .meta({ default: 'none' }),
  timeout: duration(
    { minMs: 100, maxMs: 10 * minuteMs, example: '10s' },
    { description: 'How long one request to the receiver may take.' },
  )
    .optional()
    .meta({ default: '10s' }),
};

export const otlpSchema = z
  .strictObject({ ...otlpKeys, tls: otlpTls })
  .meta({
    description:
      'Where telemetry is sent to. A key that is absent here is taken from its `OTEL_EXPORTER_OTLP_*` variable, if that is set.',
  })
  .prefault({});

export const logsSchema = z
  .strictObject({
    enabled: z
      .literal(['auto', true, false])
      .meta({ description: 'Whether to send log records. `auto`: when an OTLP endpoint is configured.' })
      .prefault('auto'),
    max_age: duration(
      { minMs: minuteMs, maxMs: 3650 * dayMs, example: '6d' },
      {
        description:
          'How old a record may be for the backend; a little less than its own limit (Loki: 7 days), because the record has yet to get there. An older one bears the time of sending, and `veeam.event.time` keeps its own. Without it, every record bears its own time.',
      },
    )
      .optional()
      .meta({ examples: ['6d'] }),
    max_behind: duration(
      { minMs: minuteMs, maxMs: 3650 * dayMs, example: '50m' },
      {
        description:
          'How far a record may be behind the newest one of its server; a little less than the limit of the backend (Loki: 1 hour). One that is further behind is treated as one that is too old.',
      },
    )
      .optional()
      .meta({ examples: ['50m'] }),
    personal_data: personalData('log records'),
  })
  .meta({ description: 'One log record for each restore event and session.' })
  .prefault({});

export const metricsSchema = z
  .strictObject({
    organization_label: z
      .boolean()
      .meta({
        description:
          'Whether metrics have the label `organization`. Without it, all organizations of a server are served as one; what is kept stays apart, so it can be switched on again.',
      })
      .prefault(true),
    max_organizations: whole(
      { min: 1, max: 100_000 },
      {
        description:
          'How many organizations of a server get a label value of their own. Those that are met later are counted under `overflow`.',
      },
    ).prefault(1000),
    first_increment_hold: z
      .boolean()
      .meta({
        description:
          'Whether the first increment of a series waits until the series has been scraped, so that `increase()` sees it.',
      })
      .prefault(true),
  })
  .meta({ description: 'What is served at `/metrics`.' })
  .prefault({});

export const tracesSchema = z
  .strictObject({
    enabled: z.boolean().meta({ description: 'Whether to send traces; needs an OTLP endpoint.' }).prefault(false),
    personal_data: personalData('spans'),
  })
  .meta({ description: 'One trace for each restore session, one span for each event of it.' })
  .prefault({});

/** For `own_telemetry` and its old name `self_tracing`. */
export const ownTelemetrySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .meta({
        description:
          'Whether to send spans of polls and deliveries to the endpoint of traces, and log lines of the exporter to that of logs, always as JSON and as the service `vb365-exporter.self`.',
      })
      .prefault(false),
  })
  .meta({ description: 'Telemetry of the exporter itself. What cannot be sent is lost.' })
  .prefault({});

/** Where the state is kept when neither file nor environment tells. */
export const defaultStatePath = './data/vb365-exporter.db';

/** Every key that the configuration file may hold, as it is written there; comes out in the units of the code. */
export const schema = z
  .strictObject({
    servers: z
      .array(serverSchema)
      .min(1, 'must list at least one server')
      .superRefine(sayRepeatedNames, { when: ({ value }) => Array.isArray(value) })
      .optional()
      .meta({ description: 'The VB365 servers to watch. Without it, the environment describes one server.' }),
    history: history({
      description:
        'What logs and traces look back to on their first start: `now`, `all`, a duration, a date (from midnight UTC) or a time with its zone. Metrics always begin at now.',
      example: '7d',
    }).prefault('now'),
    abandon_after: duration(
      { minMs: secondMs, maxMs: 30 * dayMs, example: '1h' },
      { description: 'How long after its session stopped an event that never becomes final is waited for.' },
    ).prefault('1h'),
    max_concurrent_requests: whole(
      { min: 1, max: 10_000 },
      {
        description:
          'How many requests to servers may be under way at once, over all servers. Waiting for a change feed does not count, and neither does a request that has had no answer for 10 s.',
      },
    ).prefault(32),
    state: z
      .strictObject({
        path: text({ description: 'The file, relative to the working directory. Its directory must be writable.' })
          .optional()
          .meta({ default: defaultStatePath }),
      })
      .meta({ description: 'The file that remembers counters and progress.' })
      .prefault({}),
    metrics: metricsSchema,
    logs: logsSchema,
    traces: tracesSchema,
    personal_data: personalDataSchema,
    otlp: otlpSchema,
    own_telemetry: ownTelemetrySchema,
    self_tracing: ownTelemetrySchema.meta({ description: 'Old name of `own_telemetry`.' }),
  })
  .meta({ title: 'vb365-exporter', description: 'Configuration file of vb365-exporter' });

/** The file's keys after parsing. */
export type Keys = z.output<typeof schema>;
