import { describe, expect, test } from '@jest/globals';
import { parsePostgresqlUrl, readPostgresqlVariables } from '../../src/config/postgresql.js';
import { parseConfig } from '../../src/config/parse.js';
import { Secret } from '../../src/kernel/secret.js';

const nothing = {
  host: undefined,
  port: undefined,
  user: undefined,
  password: undefined,
  database: undefined,
  sslmode: undefined,
};

describe('a URL of PostgreSQL', () => {
  test.each<[string, Readonly<Record<string, string | number>>]>([
    [
      'postgresql://me:p%40ss@db.example.com:5433/state?sslmode=require',
      { host: 'db.example.com', port: 5433, user: 'me', password: 'p@ss', database: 'state', sslmode: 'verify-full' },
    ],
    ['postgres://db', { host: 'db' }],
    ['postgresql:///state?host=/run/postgresql', { host: '/run/postgresql', database: 'state' }],
    ['postgresql://[::1]/state?sslmode=disable', { host: '::1', database: 'state', sslmode: 'disable' }],
  ])('%s', (url, { password, ...expected }) => {
    const read = parsePostgresqlUrl(url);
    expect({ ...read, password: undefined }).toEqual({ ...nothing, ...expected });
    expect(read?.password?.reveal()).toBe(password);
  });

  test.each([
    'http://db',
    'db',
    'postgresql://one,two:5432/state',
    'postgresql://db:0/state',
    'postgresql://db?sslmode=prefer',
    'postgresql://db?options=-c',
    'postgresql://me:%ff@db',
    'postgresql://db#x',
  ])('is not %s', url => {
    expect(parsePostgresqlUrl(url)).toBeUndefined();
  });
});

describe('the variables of libpq', () => {
  test('are read', () => {
    const env = {
      PGHOST: 'db',
      PGPORT: '5433',
      PGUSER: 'me',
      PGPASSWORD: 'p',
      PGDATABASE: 'state',
      PGSSLMODE: 'disable',
    };
    expect(readPostgresqlVariables(env)).toEqual({
      value: { host: 'db', port: 5433, user: 'me', password: new Secret('p'), database: 'state', sslmode: 'disable' },
    });
    expect(readPostgresqlVariables({})).toEqual({ value: nothing });
  });
  test('have problems that do not show their values', () => {
    expect(readPostgresqlVariables({ PGHOST: 'a,b', PGPORT: '70000', PGSSLMODE: 'prefer' })).toEqual({
      problems: [
        { path: 'PGHOST', what: 'must be one host' },
        { path: 'PGPORT', what: 'must be a port from 1 to 65535' },
        { path: 'PGSSLMODE', what: expect.stringContaining('must be verify-full') },
      ],
    });
  });
});

const file = (state: string): string =>
  `servers: [{ name: hq, url: 'https://a:4443', username: u, password_file: p }]\nstate: ${state}\n`;

describe('state.postgresql', () => {
  test('takes what the URL leaves out from the environment', () => {
    const { state } = parseConfig({
      file: file("{ postgresql: { url: 'postgresql://me:secret@db/x' } }"),
      env: { PGPORT: '6432' },
    });
    expect(state.postgresql).toMatchObject({ fallback: { port: 6432, host: undefined }, leaseMs: 15_000 });
    expect(JSON.stringify(state)).not.toContain('secret');
  });
  test('can be empty: everything is in the environment', () => {
    const env = { PGHOST: '/run/postgresql', PGDATABASE: 'x' };
    expect(parseConfig({ file: file('{ postgresql: {} }'), env }).state.postgresql).toMatchObject({
      url: undefined,
      fallback: { host: '/run/postgresql', database: 'x' },
    });
  });
  test('is off without the key, whatever the environment says', () => {
    expect(parseConfig({ file: file('{}'), env: { PGHOST: 'db', PGPORT: 'wrong' } }).state.postgresql).toBeUndefined();
  });
  test.each([
    ["{ postgresql: { url: 'canary://canary' } }", 'state.postgresql.url: must be a URL such as'],
    ["{ postgresql: { url: 'postgresql://db', url_file: f } }", 'state.postgresql.url: must not be set together with'],
    ['{ path: x, postgresql: {} }', 'state.path: must not be set together with "state.postgresql"'],
    [
      '{ postgresql: { tls: { cert_file: x } } }',
      'state.postgresql.tls: must have "cert_file" and "key_file" together',
    ],
    ['{ postgresql: { lease_time: 1s } }', 'state.postgresql.lease_time: must be a duration'],
  ])('%s is refused', (state, problem) => {
    const read = (): unknown => parseConfig({ file: file(state), env: {} });
    expect(read).toThrow(problem);
    expect(read).not.toThrow('canary');
  });
});
