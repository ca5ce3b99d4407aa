import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { refusedValues } from '../support/refused-values.js';

const chart = 'helm/vb365-exporter';
const read = (file: string): unknown => parse(readFileSync(`${chart}/${file}`, 'utf8'));
type Map = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value);

/** As Helm lays values over others: maps key by key, anything else whole. */
function overlaid(below: unknown, above: unknown): unknown {
  if (!isMap(below) || !isMap(above)) return above;
  const entries = Object.entries(above).map(([key, value]) => [
    key,
    key in below ? overlaid(below[key], value) : value,
  ]);
  return { ...below, ...(Object.fromEntries(entries) as Map) };
}

const schema: unknown = read('values.schema.json');
const oneServer = overlaid(read('values.yaml'), read('ci/01-one-server-values.yaml'));
const rows = refusedValues.map(([key, value]) => {
  const keys = key === '' ? [] : key.split('.');
  return overlaid(
    oneServer,
    keys.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value),
  );
});
const taken = (of: unknown) => new Ajv({ strict: false }).compile(of as Map);

/** The words of a JSON schema that forbid something; types are tried apart. */
const rules = 'pattern minLength maxLength enum minimum maximum const not minItems required propertyNames'.split(' ');

/** Where a rule stands in a schema, but for what is generated from elsewhere and tried there. */
function places(node: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof node !== 'object' || node === null || /^definitions\/(?:config|alert)$/.test(path.join('/'))) return [];
  const named = ['properties', 'definitions'].includes(path.at(-1) ?? '');
  return Object.entries(node).flatMap(([key, value]) => {
    const isRule = !named && (rules.includes(key) || (key === 'additionalProperties' && value === false));
    const inner = key === 'not' && !named ? [] : places(value, [...path, key]);
    return isRule ? [[...path, key], ...inner] : inner;
  });
}

/** The schema without what stands at this place. */
function without(node: unknown, [key = '', ...path]: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((one: unknown, index) => (String(index) === key ? without(one, path) : one));
  const { [key]: inner, ...others } = node as Map;
  return path.length === 0 ? others : { ...others, [key]: without(inner, path) };
}

const ofAnotherType = (value: unknown): unknown => (isMap(value) ? 'text' : { of: 'another type' });

describe('the schema of the values', () => {
  test('takes the values that the chart has of its own, beside one server', () => {
    expect(taken(schema)(oneServer)).toBe(true);
  });

  test('refuses every bad value', () => {
    const valid = taken(schema);
    expect(refusedValues.filter((_, row) => valid(rows[row]))).toEqual([]);
  });

  test('has no rule without a bad value that only that rule refuses', () => {
    // The configuration's own schema is left out, because compiling it a hundred times takes long.
    const own = overlaid(without(schema, ['definitions', 'config']), { definitions: { config: {} } });
    const ours = rows.filter((_, row) => refusedValues[row]?.[0].startsWith('config') !== true);
    const all = places(own);
    expect(all.length).toBeGreaterThan(70);
    const idle = all.filter(place => {
      const valid = taken(without(own, place));
      return !ours.some(row => valid(row));
    });
    expect(idle.map(place => place.join('/'))).toEqual([]);
  });

  test('refuses a value of another type, wherever the chart has one', () => {
    const valid = taken(schema);
    const damaged = (node: unknown, path: readonly string[]): readonly string[] =>
      (isMap(node) ? Object.entries(node) : []).flatMap(([key, value]) => {
        const here = [...path, key];
        const values = overlaid(
          oneServer,
          here.reduceRight<unknown>((inner, name) => ({ [name]: inner }), ofAnotherType(value)),
        );
        return [...(valid(values) ? [here.join('.')] : []), ...damaged(value, here)];
      });
    const free =
      /^(?:podSecurityContext|securityContext|resources|startupProbe|livenessProbe|readinessProbe)\.|^dashboards\.grafanaOperator\.instanceSelector\./;
    expect(damaged(read('values.yaml'), []).filter(key => !free.test(key))).toEqual([]);
  });
});
