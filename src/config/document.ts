import { type Described, described, itemsOf, propertiesOf } from './described.js';
import { environmentVariables } from './environment.js';
import { schema } from './schema.js';

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
  return [intro, '## Keys', ...keyTexts(root, ''), environmentIntro, variables.join('\n'), outro].join('\n\n');
}

const intro = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs\`; edit it there. -->

The configuration file is YAML. A key that is not listed here is refused; one that has a default may be left out or left
empty. All problems are reported at once. \`vb365-exporter check\` reports them without starting anything.
[config.schema.json](config.schema.json) is the same as a JSON Schema, and
[vb365-exporter.yaml](../examples/vb365-exporter.yaml) an example.

A **duration** is written with its units, as in \`500ms\`, \`30s\` or \`1h30m\` (units: \`d h m s ms\`, the largest first).`;

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
