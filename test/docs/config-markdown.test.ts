import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import {
  configDocs,
  configJsonSchema,
  configMarkdown,
  itemsOf,
  type JsonSchema,
  propertiesOf,
} from '../../docs/src/config-markdown.js';
import { fromFile, serverWhere, serverWith, smallest } from '../support/config.js';

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(configJsonSchema());

const read = (path: string) => readFileSync(path, 'utf8');

/** Every key below a piece of the schema that holds a value rather than keys. */
function leaves(key: JsonSchema, path: string): ReadonlyArray<readonly [string, JsonSchema]> {
  const inner = Object.entries(propertiesOf(itemsOf(key) ?? key));
  return inner.length === 0 ? [[path, key]] : inner.flatMap(([name, value]) => leaves(value, `${path}.${name}`));
}

const keys = leaves(configJsonSchema(), 'file');

test.each(await configDocs())('$path is what the schema says (if not: npm run docs)', ({ path, text }) => {
  expect(read(path)).toBe(text);
});

describe('the example', () => {
  const example = read('examples/vb365-exporter.yaml');

  test('is a configuration', () => {
    expect(fromFile(example).servers.map(({ name }) => name)).toEqual(['hq', 'branch', 'tenant']);
  });

  test('satisfies the JSON Schema', () => {
    validate(parse(example));
    expect(validate.errors).toBeNull();
  });

  test('shows every key', () => {
    expect(keys.map(([path]) => path.split('.').at(-1) ?? '').filter(key => !example.includes(`${key}:`))).toEqual([]);
  });
});

test.each(keys)('%s has a description, and an example or a default that it accepts', (path, key) => {
  expect(key.description).toMatch(/^[A-Z][^]*\.$/);
  const shown = [...(key.examples ?? []), ...(key.default === undefined ? [] : [key.default])];
  const accepts = new Ajv({ allowUnionTypes: true }).compile(key);
  expect(shown.map(value => accepts(value))).toEqual(shown.map(() => true));
  expect([path, shown.length]).not.toEqual([path, 0]);
});

test('the reference has a part for every key', () => {
  const parts = [...configMarkdown().matchAll(/^### `(?:.*\.)?(.+)`$/gm)].map(match => match[1]);
  expect(keys.map(([path]) => path.split('.').at(-1)).filter(key => !parts.includes(key))).toEqual([]);
});

test.each([
  ['a missing key', serverWhere('url', '')],
  ['an unknown key', serverWith('tsl: {}')],
  ['a plain number as duration', serverWith('poll_interval: 30')],
  ['a url with a path', serverWhere('url', 'url: https://a/b')],
  ['an unknown version', serverWith('api_version: v9')],
  ['an empty list', 'servers: []'],
])('the JSON Schema refuses what the parser refuses: %s', (_, file) => {
  expect(validate(parse(file))).toBe(false);
  expect(() => fromFile(file)).toThrow('Could not read the configuration');
});

test('the JSON Schema allows an empty key, as the parser does', () => {
  const file = `${serverWith('poll_interval:')}history:\nlogs: { enabled: }\notlp: ~\n`;
  expect(validate(parse(file))).toBe(true);
  expect(fromFile(file)).toEqual(fromFile(smallest));
});
