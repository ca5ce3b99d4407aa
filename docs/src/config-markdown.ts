import { type Described, described, itemsOf, propertiesOf } from '../../src/config/described.js';
import { environmentVariables } from '../../src/config/environment.js';
import { schema } from '../../src/config/schema.js';

/** The files that are generated from the schema: where they are in the repository, and their text. */
export const configDocs = (): ReadonlyArray<Readonly<{ path: string; text: string }>> => [
  { path: 'docs/CONFIG.md', text: configMarkdown() },
  { path: 'docs/config.schema.json', text: `${json(configJsonSchema())}\n` },
];

/** The configuration file as a JSON Schema (draft 7), for editors. A key that is not required may stand empty. */
export const configJsonSchema = (): Described => withEmpty(described(schema));

/** Allows `null` for every key that is not required, as the parser does. */
function withEmpty(whole: Described): Described {
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
const orNull = (value: Described): Described =>
  Object.assign(
    { ...value },
    value.type === undefined ? {} : { type: [value.type, 'null'] },
    value.enum === undefined ? {} : { enum: [...value.enum, null] },
  );

/** JSON the way prettier writes it: a mapping over several lines, but a list with all that is in it on one. */
function json(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  const lines = Object.entries(value).map(([key, inner]) => `${indent}  "${key}": ${json(inner, `${indent}  `)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

const onOneLine = (value: unknown): string => json(value).replace(/\n\s*/g, ' ');

/** The reference for people. */
export function configMarkdown(): string {
  const root = described(schema);
  const variables = environmentVariables.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`);
  const keys = ['## Keys', ...keyTexts(root, '')];
  return [intro, reload, ...keys, environmentIntro, variables.join('\n'), outro].join('\n\n');
}

const intro = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs\`; edit it there. -->

The configuration file is YAML. A key that is not listed here is refused; one that has a default may be left out or left
empty. All problems are reported at once. \`vb365-exporter check\` reports them without starting anything.
[config.schema.json](config.schema.json) is the same as a JSON Schema, and
[vb365-exporter.yaml](../examples/vb365-exporter.yaml) an example.

A **duration** is written with its units, as in \`500ms\`, \`30s\` or \`1h30m\` (units: \`d h m s ms\`, the largest first).`;

const reload = `## Reload

On SIGHUP the file is read again, and, with \`--web.enable-lifecycle\`, on \`POST\` or \`PUT\` of \`/-/reload\` (else 403). That path
is behind the password of \`--web.config.file\`, if there is one. The environment is that of the start.

- \`servers\`: one that is added, removed or changed in any key begins or ends; the others go on untouched, with their login.
  No cursor is lost and nothing is counted twice: what a server has in hand ends (within 5 s) before it is read in the new way.
- \`history\` and \`abandon_after\` count for all servers, so every one begins anew, where it was.
- A login that was refused is tried again at once. A changed password file needs no reload: it is read for every login.
- Every other setting counts from the next start on. One that differs is named in the log, and in the answer.
- A configuration that cannot be used changes nothing: the one in force stays, one line of the log says why, the answer is 500
  with the reason, and \`vb365_config_last_reload_successful\` is 0.
- The flags are those of the start. The file of \`--web.config.file\` is read again without a reload.

The gauges of a server that is removed vanish from \`/metrics\`. Its counters stay there, and so does what is kept of it: when
it is back, it goes on where it was. What is kept is counters, progress and \`vb365_restore_last_event_timestamp_seconds\`;
\`vb365-exporter state forget\` removes it, see [STATE.md](STATE.md). The other counters of such a server end with the process.

A server that gets another name in one reload keeps its progress when it tells an installation id (v6 and later): the new
name goes on where the old one was, with counters of its own.`;

const environmentIntro = `## Environment

The file wins over the environment. An empty variable counts as not set. When the file lists no servers, the first ones
describe one; when it does, they are ignored, with a warning.`;

const outro = `For each \`OTEL_EXPORTER_OTLP_...\` variable there is an \`OTEL_EXPORTER_OTLP_LOGS_...\` and an \`OTEL_EXPORTER_OTLP_TRACES_...\`
variable, which win over it for their signal; headers of both are sent. They count only when the signal is sent at all. Every other variable that begins with \`VB365_\` is ignored.
`;

function keyTexts(parent: Described, prefix: string): readonly string[] {
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

/** What can be said of a key beside its description, as a list. */
function facts(key: Described, required: boolean): string {
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
