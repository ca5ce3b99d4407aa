import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { schema } from '../../src/config/schema.js';

/** The files that are generated from the schema: path in the repository, and text. */
export async function configDocs(): Promise<ReadonlyArray<Readonly<{ path: string; text: string }>>> {
  const path = 'docs/config.schema.json';
  const text = await format(JSON.stringify(configJsonSchema()), { ...(await resolveConfig(path)), filepath: path });
  return [
    { path: 'docs/CONFIG.md', text: configMarkdown() },
    { path, text },
  ];
}

/** A part of a JSON Schema. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A schema as JSON Schema (draft 7), as it is written: before defaults and conversion. */
const toJsonSchema = (of: z.ZodType): JsonSchema =>
  z.toJSONSchema(of, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => void Object.assign(jsonSchema, exampleAndDefault(zodSchema)),
  });

/** zod omits example and default of a value that is transformed. */
function exampleAndDefault(of: z.core.$ZodType): object {
  const wraps = of instanceof z.ZodOptional || of instanceof z.ZodPrefault;
  const { examples, default: fallback } = z.globalRegistry.get(of) ?? {};
  return {
    ...(wraps ? exampleAndDefault(of.unwrap()) : {}),
    ...(examples === undefined ? {} : { examples }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The keys of a mapping; none for anything else. */
export const propertiesOf = ({ properties }: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    Object.entries(properties ?? {}).flatMap(([key, value]) => (isSchema(value) ? [[key, value]] : [])),
  );

/** The schema of the entries of a list; undefined for anything else. */
export const itemsOf = ({ items }: JsonSchema): JsonSchema | undefined => (isSchema(items) ? items : undefined);

/** The configuration file as a JSON Schema (draft 7), for editors. A key that is not required can be empty. */
export const configJsonSchema = (): JsonSchema => withEmpty(toJsonSchema(schema));

/** Allows `null` for every key that is not required, as the parser does. */
function withEmpty(whole: JsonSchema): JsonSchema {
  const entries = Object.entries(propertiesOf(whole)).map(([key, value]) => {
    const inner = withEmpty(value);
    return [key, whole.required?.includes(key) === true ? inner : orNull(inner)] as const;
  });
  const items = itemsOf(whole);
  return {
    ...whole,
    ...(entries.length === 0 ? {} : { properties: Object.fromEntries(entries) }),
    ...(items === undefined ? {} : { items: withEmpty(items) }),
  };
}

// JSON Schema has lists of types; the library's type has not.
const orNull = (value: JsonSchema): JsonSchema =>
  Object.assign(
    { ...value },
    value.type === undefined ? {} : { type: [value.type, 'null'] },
    value.enum === undefined ? {} : { enum: [...value.enum, null] },
  );

/** The reference of all keys and variables. */
export function configMarkdown(): string {
  const root = toJsonSchema(schema);
  const variables = environmentVariables.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`);
  const keys = ['## Keys', ...keyTexts(root, '')];
  return [intro, reload, ...keys, environmentIntro, variables.join('\n'), outro].join('\n\n');
}

const intro = `# Configuration

<!-- Generated from src/config/schema.ts and docs/src/config-markdown.ts by \`npm run docs\`. Do not edit. -->

The configuration file is YAML. Unknown keys are errors. A key with a default can be absent or empty. The exporter reports
all problems at once; \`vb365-exporter check\` reports them, and those of the files that it names, without starting anything.
[config.schema.json](config.schema.json) is the JSON Schema of the file, and
[vb365-exporter.yaml](../examples/vb365-exporter.yaml) is an example.

A relative path starts at the directory of the configuration file, as in Prometheus. Paths in environment variables, and the
default of \`state.path\`, start at the working directory.

Files can be in UTF-8 or UTF-16, with or without a byte order mark, and with line ends of Windows or Unix, so passwords, keys and
certificates can come from Notepad or PowerShell. A line end at the end of a secret is not part of it. The exporter refuses text
in another encoding before it sends anything.

Write a **duration** with units, such as \`500ms\`, \`30s\` or \`1h30m\` (units: \`d h m s ms\`, largest first).`;

const reload = `## Reload

The exporter reads the file again on SIGHUP and, with \`--web.enable-lifecycle\`, on \`POST\` or \`PUT\` to \`/-/reload\`. Without
the flag that path returns 403. The web configuration of \`--web.config.file\` protects it like every other path.

- \`servers\`: the exporter starts added servers, stops removed ones and restarts those with any change. The others continue
  with their login. No cursor is lost and nothing is counted twice: work in progress ends (within 5 s) before a server restarts.
- \`history\` and \`abandon_after\` apply to all servers, so a change restarts every server at its stored progress.
- The exporter retries a refused login at once, at most three times in half an hour. A changed password file needs no reload: the exporter reads it at every login.
- Every other setting needs a restart. The log and the response name those that differ.
- An invalid file changes nothing: the current configuration stays, the log has one line with the reason, the response is 500
  with the reason, and \`vb365_config_last_reload_successful\` is 0.
- Flags and environment variables are read at start only. The file of \`--web.config.file\` is read again without a reload.

When a server is removed, its gauges disappear from \`/metrics\`. Its stored state remains: progress, counters and
\`vb365_restore_last_event_timestamp_seconds\`. If you add the server again, it continues from there. Metrics that are not
stored end with the process. \`vb365-exporter state forget\` removes the state; see [STATE.md](STATE.md).

If you rename a server in one reload, it keeps its progress when the server has an installation id (v6 and later). The new
name has new counters.`;

const environmentIntro = `## Environment

The file has priority over the environment. An empty variable counts as not set. The variables of a server describe one
server when the file lists none; otherwise the exporter ignores them with a warning.`;

const outro = `Each \`OTEL_EXPORTER_OTLP_...\` variable has an \`OTEL_EXPORTER_OTLP_LOGS_...\` and an \`OTEL_EXPORTER_OTLP_TRACES_...\` form.
That form has priority for its signal; headers are combined. The exporter reads these variables only when the signal is on,
and ignores all other variables with the prefix \`VB365_\`.
`;

/** Every environment variable, in the order of the reference. */
const environmentVariables: ReadonlyArray<Readonly<{ name: string; meaning: string }>> = [
  { name: 'VB365_CONFIG_FILE', meaning: 'Path of the configuration file; `--config.file` has priority.' },
  { name: 'VB365_URL', meaning: 'Same as `servers[].url`. The host becomes the `name`.' },
  { name: 'VB365_USERNAME', meaning: 'Same as `servers[].username`.' },
  { name: 'VB365_PASSWORD', meaning: 'The password.' },
  { name: 'VB365_PASSWORD_FILE', meaning: 'Same as `servers[].password_file`; instead of `VB365_PASSWORD`.' },
  { name: 'VB365_STATE_PATH', meaning: 'Same as `state.path`, but relative to the working directory.' },
  {
    name: 'PGHOST',
    meaning:
      'With `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and `PGSSLMODE`: what the URL of `state.postgresql` leaves out. They do not move the state to PostgreSQL. No other variable or file of libpq is read, such as `PGPASSFILE` or `PGSERVICE`.',
  },
  {
    name: 'HTTPS_PROXY',
    meaning:
      'Proxy for every `https://` server and OTLP endpoint without `proxy_url`. Can contain credentials. A value without a scheme is `http://`. The lower-case name wins. Loopback addresses are always reached directly.',
  },
  { name: 'HTTP_PROXY', meaning: 'The same for `http://`.' },
  {
    name: 'NO_PROXY',
    meaning:
      'Hosts to reach without a proxy: names with their subdomains, addresses, ranges in CIDR notation, each perhaps with a port, or `*`. Example: `example.com,10.0.0.5:4443,10.1.0.0/16,fd00::/8`.',
  },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', meaning: 'Same as `otlp.endpoint`.' },
  { name: 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', meaning: 'Complete URL for logs; nothing is appended.' },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', meaning: 'Complete URL for traces; nothing is appended.' },
  { name: 'OTEL_EXPORTER_OTLP_PROTOCOL', meaning: 'Same as `otlp.protocol`.' },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    meaning: 'Headers: `name=value,name2=value2`, percent-encoded. `otlp.headers` has priority for the same name.',
  },
  { name: 'OTEL_EXPORTER_OTLP_COMPRESSION', meaning: 'Same as `otlp.compression`.' },
  { name: 'OTEL_EXPORTER_OTLP_TIMEOUT', meaning: 'Same as `otlp.timeout`, but in whole milliseconds.' },
  { name: 'OTEL_EXPORTER_OTLP_CERTIFICATE', meaning: 'Same as `otlp.tls.ca_file`.' },
  { name: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', meaning: 'Same as `otlp.tls.cert_file`.' },
  { name: 'OTEL_EXPORTER_OTLP_CLIENT_KEY', meaning: 'Same as `otlp.tls.key_file`.' },
];

function keyTexts(parent: JsonSchema, prefix: string): readonly string[] {
  return Object.entries(propertiesOf(parent)).flatMap(([key, value]) => {
    const required = parent.required?.includes(key) === true;
    const path = `${prefix}${key}`;
    const items = itemsOf(value);
    return [
      `### \`${path}\``,
      value.description ?? '',
      facts(value, required),
      ...keyTexts(items ?? value, `${path}${items === undefined ? '' : '[]'}.`),
    ].filter(text => text !== '');
  });
}

/** The facts about a key, besides its description, as a list. */
function facts(key: JsonSchema, required: boolean): string {
  const isGroup = key.properties !== undefined;
  return [
    required ? ['Required'] : [],
    key.enum === undefined ? [] : [`One of ${key.enum.map(code).join(', ')}`],
    key.minimum === undefined ? [] : [`From ${code(key.minimum)} to ${code(key.maximum)}`],
    key.default === undefined || isGroup ? [] : [`Default: ${code(key.default)}`],
    key.examples === undefined ? [] : [`Example: ${key.examples.map(code).join(', ')}`],
  ]
    .flat()
    .map(fact => `- ${fact}`)
    .join('\n');
}

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
