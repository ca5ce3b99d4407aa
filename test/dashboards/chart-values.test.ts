import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { clientAuthTypes, parseWebConfig, tlsVersions } from '../../src/config/web-config.js';
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
const ajv = new Ajv({ strict: false });
const taken = (of: unknown) => ajv.compile(of as Map);

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

/** As much of the schema as is needed to try a rule in it: all of it takes long to compile, and there are a hundred. */
function partOf([room = '', key = '']: readonly string[]): Map {
  const { properties, definitions, allOf, ...top } = schema as Readonly<Record<string, Map>>;
  const { config: _, ...shared } = definitions ?? {};
  const whole = { ...top, properties, allOf, definitions: { ...shared, config: {} } };
  return room === 'properties' ? { definitions: whole.definitions, properties: { [key]: properties?.[key] } } : whole;
}

const ofAnotherType = (value: unknown): unknown => (isMap(value) ? 'text' : { of: 'another type' });

describe('the schema of the values', () => {
  test('takes the default values of the chart together with one server', () => {
    expect(taken(schema)(oneServer)).toBe(true);
  });

  test('refuses every bad value', () => {
    const valid = taken(schema);
    expect(refusedValues.filter((_, row) => valid(rows[row]))).toEqual([]);
  });

  test('has no rule without a bad value that only that rule refuses', () => {
    const all = places(schema);
    expect(all.length).toBeGreaterThan(80);
    const idle = all.filter(place => {
      const part = partOf(place);
      const [valid, freed] = [taken(part), taken(without(part, place))];
      return !rows.some(row => !valid(row) && freed(row));
    });
    expect(idle.map(place => place.join('/'))).toEqual([]);
  });

  test('takes and refuses web configurations as the exporter does', () => {
    const valid = taken(schema);
    const users = { prometheus: `$2y$10$${'a'.repeat(53)}` };
    const tls = { cert_file: 'a', key_file: 'b' };
    const good = [
      { basic_auth_users: users },
      ...clientAuthTypes.map(type => ({
        tls_server_config: {
          ...tls,
          client_auth_type: type,
          ...(type === 'NoClientCert' ? {} : { client_ca_file: 'c' }),
        },
      })),
      ...tlsVersions.map(version => ({ tls_server_config: { ...tls, min_version: 'TLS10', max_version: version } })),
      { tls_server_config: tls, http_server_config: { headers: { 'X-Frame-Options': 'DENY' } } },
    ];
    const bad = refusedValues.flatMap(([key, value]) => {
      const [top, content, part = '', ...rest] = key.split('.');
      return top === 'webConfig' && content === 'content' && rest.length === 0 ? [{ [part]: value }] : [];
    });
    expect(bad.length).toBeGreaterThan(9);
    for (const content of [...good, ...bad]) {
      const takes = valid(overlaid(oneServer, { webConfig: { content } }));
      const parsed = (): unknown => parseWebConfig(JSON.stringify(content), 'web.yml');
      if (takes) expect(parsed).not.toThrow();
      else expect(parsed).toThrow('Could not read the web configuration');
    }
    expect(good.filter(content => !valid(overlaid(oneServer, { webConfig: { content } })))).toEqual([]);
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
