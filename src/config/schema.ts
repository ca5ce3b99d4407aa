import { z } from 'zod';
import { type PersonalClass, treatments } from '../model/personal-data.js';
import { serversSchema } from './server-schema.js';
import { Secret } from '../kernel/secret.js';
import { parseHistory } from './duration.js';
import { parsePostgresqlUrl, postgresqlUrlExpected } from './postgresql.js';
import {
  duration,
  flag,
  headers,
  meta,
  parsedText,
  parseUrl,
  proxyUrl,
  section,
  text,
  urlMessage,
  whole,
} from './values.js';

/** The keys of `otlp.tls`; environment variables may give those that are absent. */
export const otlpTlsKeys = {
  ca_file: text(
    'PEM file of certificate authorities to trust instead of those of Node.js.',
    '/etc/vb365-exporter/ca.pem',
  ).optional(),
  cert_file: text(
    'PEM file of the client certificate and its chain. Requires `key_file`.',
    '/etc/vb365-exporter/client.pem',
  ).optional(),
  key_file: text(
    'PEM file of the private key of the client certificate.',
    '/etc/vb365-exporter/client-key.pem',
  ).optional(),
};

const grpcHint =
  'must be http/json or http/protobuf: gRPC is not supported, and OTLP over HTTP has its own port (4318)';

/** The keys of `otlp`, without defaults; environment variables may give those that are absent. */
export const otlpKeys = {
  endpoint: parsedText(
    /^https?:\/\/[^\s?#@\\]+$/,
    urlMessage('must be a URL such as http://localhost:4318, without query or credentials (put secrets in a header)'),
    parseUrl,
    'Base URL of the OTLP receiver; the exporter appends `/v1/logs` and `/v1/traces`. Default: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` and `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (used unchanged), then `OTEL_EXPORTER_OTLP_ENDPOINT`.',
    'http://localhost:4318',
  ).optional(),
  protocol: z
    .enum(['http/json', 'http/protobuf'], { error: ({ input }) => (input === 'grpc' ? grpcHint : undefined) })
    .meta(meta('Encoding of requests. gRPC is not supported.', 'http/json'))
    .optional()
    .meta({ default: 'http/protobuf' }),
  headers: headers(
    'HTTP headers by name, in addition to those of `OTEL_EXPORTER_OTLP_HEADERS`. Use the variable for secrets.',
    { 'X-Scope-OrgID': 'tenant-1' },
  ).optional(),
  compression: z
    .enum(['none', 'gzip'])
    .meta(meta('Compression of requests.', 'gzip'))
    .optional()
    .meta({ default: 'none' }),
  proxy_url: proxyUrl(
    'HTTP proxy for connections to the receiver (`CONNECT`). `NO_PROXY` does not apply to it. Default: `HTTPS_PROXY` or `HTTP_PROXY`, and `NO_PROXY`.',
  ).optional(),
  timeout: duration({ min: '100ms', max: '10m', example: '10s' }, 'Timeout of one request to the receiver.')
    .optional()
    .meta({ default: '10s' }),
};

function treatment(of: string) {
  return z
    .enum(treatments)
    .meta({ description: `Treatment of ${of}.` })
    .prefault('keep');
}

const personalData = (where: string) =>
  section(
    `Treatment of personal data in ${where}: \`keep\`, \`hash\` (HMAC-SHA256 with the key in \`personal_data.hash_key_file\`) or \`drop\`. For a text that can contain several classes, the strictest treatment applies; see LOGS.md.`,
    {
      person: treatment('who opened the session, and whose data it is'),
      item: treatment('names of mails, files, sites and teams'),
      path: treatment('where items come from and where they went'),
      client: treatment('the client host of the session'),
    } satisfies Readonly<Record<PersonalClass, z.ZodType>>,
  ).prefault({});

const postgresqlSchema = section(
  'The state in PostgreSQL 13 or later instead of a file, for several replicas with the same configuration; see REPLICAS.md. What the URL leaves out comes from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and `PGSSLMODE`.',
  {
    url: parsedText(
      /^postgres(?:ql)?:\/\//,
      postgresqlUrlExpected,
      value => (parsePostgresqlUrl(value) === undefined ? undefined : new Secret(value)),
      'URL of the database. The exporter verifies the TLS certificate unless the URL has `sslmode=disable`, or its host is a Unix socket.',
      'postgresql://vb365@db.example.com/vb365',
    ).optional(),
    url_file: text(
      'File that contains only the URL. The exporter reads the password in it for each connection, so you can change it at any time.',
      '/run/secrets/vb365-postgresql-url',
    ).optional(),
    tls: section('TLS files, read at the start.', otlpTlsKeys).prefault({}),
    lease_time: duration(
      { min: '3s', max: '1m', example: '15s' },
      'How long a replica that is cut off or dead keeps its servers. It renews its leases three times in this time. Set the same for all replicas.',
    ).prefault('15s'),
  },
);

/** For `own_telemetry` and its old name `self_tracing`. */
const ownTelemetrySchema = section(
  'Telemetry of the exporter itself, to debug it. Records that cannot be sent are lost. `OTEL_SDK_DISABLED` and `OTEL_TRACES_SAMPLER` apply to it.',
  {
    enabled: flag(
      'Whether to send spans of polls and deliveries to the endpoint of traces, and log lines of the exporter to the endpoint of logs, as JSON and with the service name `vb365-exporter.self`.',
      false,
    ),
  },
).prefault({});

/** Path of the state file when neither the file nor the environment sets it. */
export const defaultStatePath = './data/vb365-exporter.db';

const maxAhead = (what: 'record' | 'span') => {
  const about = `How far the time of a ${what} may be ahead of the exporter's clock. A ${what} that is further ahead, such as one of a server whose clock is wrong, gets the time of sending; \`veeam.event.time\` keeps the time of the event. \`off\` sets no limit.`;
  const limit = duration({ min: '1s', max: '3650d', example: '1m' }, about);
  return z
    .union([z.literal('off'), limit])
    .meta({ description: `${about} \`off\`, or a duration from 1s to 3650d.` })
    .prefault('1m');
};

/** The configuration file. The output is in the units of the code. */
export const schema = z
  .strictObject({
    servers: serversSchema,
    history: parsedText(
      /^(now|all|\d[\dA-Za-z:.+-]*)$/,
      'must be now, all, a duration such as 7d, a date such as 2026-01-31, or a time with its time zone such as 2026-01-31T12:00:00Z',
      parseHistory,
      'How far back logs and traces go on their first start: `now`, `all`, a duration, a date (midnight UTC) or a time with its time zone; not before 1970. Metrics always start at now.',
      '7d',
    ).prefault('now'),
    abandon_after: duration(
      { min: '1s', max: '30d', example: '1h' },
      'How long the exporter waits, after a session has stopped, for an event that does not become final.',
    ).prefault('1h'),
    max_concurrent_requests: whole(
      { min: 1, max: 10_000 },
      'Maximum number of concurrent requests to all servers. Long polls of the change feed do not count, nor do requests that have waited 10 s for an answer.',
    ).prefault(32),
    state: section('Where counters and progress are stored: in a file, or in PostgreSQL.', {
      path: text(
        'Path of the state file. The directory must be writable. The default, and `VB365_STATE_PATH`, are relative to the working directory.',
      )
        .optional()
        .meta({ default: defaultStatePath }),
      postgresql: postgresqlSchema.optional(),
    }).prefault({}),
    metrics: section('Content of `/metrics`.', {
      organization_label: flag(
        'Whether metrics have the label `organization`. Without it, the exporter serves the sum over all organizations of a server. It still stores them separately, so you can enable the label again.',
        true,
      ),
      max_organizations: whole(
        { min: 1, max: 100_000 },
        'Maximum number of label values for the organizations of a server. Further organizations are counted as `overflow`.',
      ).prefault(1000),
      first_increment_hold: flag(
        'Whether to hold the first increment of a series until Prometheus has scraped the series at 0, so that `increase()` includes it.',
        true,
      ),
    }).prefault({}),
    logs: section('One log record for each restore event and each restore session.', {
      enabled: z
        .literal(['auto', true, false])
        .meta({ description: 'Whether to send log records. `auto` sends them when an OTLP endpoint is configured.' })
        .prefault('auto'),
      max_age: duration(
        { min: '1m', max: '3650d', example: '6d' },
        'Maximum age of a record that the backend accepts. Set it slightly below the limit of the backend (Loki: 7 days) to allow for delivery. An older record gets the time of sending as its timestamp; `veeam.event.time` keeps the time of the event. By default, every record has the time of its event.',
      )
        .optional()
        .meta({ examples: ['6d'] }),
      max_behind: duration(
        { min: '1m', max: '3650d', example: '50m' },
        'How far a record may be behind the newest record of its server. Set it slightly below the limit of the backend (Loki: 1 hour). The exporter treats a record that is further behind like one that is too old.',
      )
        .optional()
        .meta({ examples: ['50m'] }),
      max_ahead: maxAhead('record'),
      personal_data: personalData('log records'),
    }).prefault({}),
    traces: section('One trace for each restore session, with one span for each event.', {
      enabled: flag('Whether to send traces. Requires an OTLP endpoint.', false),
      max_ahead: maxAhead('span'),
      personal_data: personalData('spans'),
    }).prefault({}),
    personal_data: section('Settings for hashed personal data.', {
      hash_key_file: text(
        'File that contains the secret key for hashes, at least 16 bytes. Any bytes; of a text, the line end is not part of the key. The same key gives the same hash for the same text, so keep the key for as long as you need to compare hashes.',
        '/run/secrets/vb365-hash-key',
      ).optional(),
    }).prefault({}),
    otlp: section(
      'OTLP receiver of logs and traces. The `OTEL_EXPORTER_OTLP_*` variables give the keys that are absent here.',
      {
        ...otlpKeys,
        tls: section(
          'TLS for an `https://` endpoint. The exporter reads the files for every connection, so you can renew them.',
          otlpTlsKeys,
        ).prefault({}),
      },
    ).prefault({}),
    own_telemetry: ownTelemetrySchema,
    self_tracing: ownTelemetrySchema.meta({ description: 'Old name of `own_telemetry`.' }),
  })
  .meta({ title: 'vb365-exporter', description: 'Configuration file of vb365-exporter' });

/** The keys of the file after validation. */
export type Keys = z.output<typeof schema>;
