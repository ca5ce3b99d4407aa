import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alerts, type GeneratedFile } from './rule-files.js';

const chart = 'helm/vb365-exporter';

/** Folders copied into the chart, because Helm reads no files outside a chart. */
const copies = [
  { from: 'dashboards/prometheus', to: `${chart}/files/prometheus`, suffix: '.yml' },
  { from: 'dashboards/grafana', to: `${chart}/files/grafana`, suffix: '.json' },
  { from: 'dashboards/grafana-victorialogs', to: `${chart}/files/grafana-victorialogs`, suffix: '.json' },
] as const;

/** Generated files of the chart: rules, dashboards, version and the schema of the values. `root` is the repository. */
export function chartFiles(root = '.'): readonly GeneratedFile[] {
  const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
  const copied = copies.flatMap(({ from, to, suffix }) =>
    filesOf(join(root, from), suffix).map(name => ({ path: `${to}/${name}`, text: textOf(`${from}/${name}`) })),
  );
  const version = textIn(JSON.parse(textOf('package.json')), 'version');
  const manifest = `${chart}/Chart.yaml`;
  const schema = `${chart}/values.schema.json`;
  return [
    ...copied,
    { path: manifest, text: manifestOf(textOf(manifest), version) },
    { path: schema, text: schemaOf(textOf(schema), textOf('docs/config.schema.json')) },
  ];
}

/** The copies that are in the chart now. */
export const copiesInChart = (root = '.'): readonly string[] =>
  copies.flatMap(({ to, suffix }) => filesOf(join(root, to), suffix).map(name => `${to}/${name}`));

/** The names in a folder with that suffix, sorted; empty if the folder does not exist. */
const filesOf = (folder: string, suffix: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter(name => name.endsWith(suffix))
        .toSorted()
    : [];

/** Chart and program have the version of the package. */
const manifestOf = (text: string, version: string): string =>
  text.replaceAll(/^((?:version|appVersion): ).*$|^( +image: \S+:).*$/gm, `$1$2${version}`);

/** The schema of the values, with the schema of the configuration file and the names of the alerts. */
function schemaOf(text: string, config: string): string {
  const schema = objectOf(JSON.parse(text));
  const { $schema: _, ...configuration } = objectOf(JSON.parse(config, withoutLookahead));
  const alert = { enum: alerts.map(({ name }) => name) };
  const definitions = { ...objectOf(schema['definitions']), alert, config: configuration };
  return `${JSON.stringify({ ...schema, definitions }, undefined, 2)}\n`;
}

/** @throws {TypeError} if the value is not an object. */
function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('Not an object');
  return { ...value };
}

const textIn = (value: unknown, key: string): string => String(objectOf(value)[key]);

/** Go patterns have no lookahead: the one for "not empty" becomes `minLength`. */
function withoutLookahead(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('pattern' in value)) return value;
  const notEmpty = '^(?!$)';
  if (typeof value.pattern !== 'string' || !value.pattern.startsWith(notEmpty)) return value;
  return { ...value, pattern: `^${value.pattern.slice(notEmpty.length)}`, minLength: 1 };
}
