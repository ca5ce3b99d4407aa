import { describe, expect, test } from '@jest/globals';
import { changesThatNeedRestart, configEquals } from '../../src/config/compare.js';
import { type Config, parseConfig } from '../../src/config/parse.js';
import { Secret } from '../../src/kernel/secret.js';

const file = (over: object = {}, server: object = {}): string =>
  JSON.stringify({
    servers: [{ name: 'hq', url: 'https://a.example:4443', username: 'u', password_file: '/p', ...server }],
    ...over,
  });
const read = (over: object = {}, server: object = {}, env = {}): Config =>
  parseConfig({ file: file(over, server), env });
const proxy = (word: string) => ({ HTTPS_PROXY: `http://user:${word}@proxy.example` });
const only = ({ servers: [server] }: Config): unknown => server;

describe('two server configurations', () => {
  test('with the same settings are equal', () => {
    expect(configEquals(only(read()), only(read()))).toBe(true);
  });

  test.each([
    { url: 'https://b.example:4443' },
    { api_version: 'v7' },
    { username: 'v' },
    { password_file: '/q' },
    { username: undefined, password_file: undefined, client_id: 'u', assertion_file: '/p' },
    { poll_interval: '31s' },
    { page_size: 999 },
    { tls: { ca_file: '/ca' } },
    { proxy_url: 'http://proxy.example:3128' },
  ])('differ when one has %j', over => {
    expect(configEquals(only(read()), only(read({}, over)))).toBe(false);
    expect(configEquals(only(read({}, over)), only(read({}, over)))).toBe(true);
  });

  test('differ when the value of a secret does', () => {
    const [one, again, other] = ['one', 'one', 'two'].map(word => only(read({}, {}, proxy(word))));
    expect(configEquals(one, again)).toBe(true);
    expect(configEquals(one, other)).toBe(false);
    expect(configEquals(new Secret('a'), 'a')).toBe(false);
  });
});

test('a list differs from a mapping; an absent key equals an undefined one', () => {
  expect(configEquals([1, 2], [1, 2, 3])).toBe(false);
  expect(configEquals(['a'], { 0: 'a' })).toBe(false);
  expect(configEquals({ a: undefined }, {})).toBe(true);
  expect(configEquals({ at: 1n }, { at: 1n })).toBe(true);
});

describe('a change that needs a restart', () => {
  const otlp = { endpoint: 'http://a.example:4318' };
  test.each([
    [{}, []],
    [{ history: '7d', abandon_after: '2h' }, []],
    [{ state: { path: '/elsewhere' } }, ['state.path']],
    [{ max_concurrent_requests: 3 }, ['max_concurrent_requests']],
    [{ metrics: { max_organizations: 3 } }, ['metrics']],
    [{ otlp: { endpoint: 'http://b.example:4318' } }, ['logs or otlp', 'traces or otlp', 'own_telemetry or otlp']],
    [{ traces: { enabled: false } }, ['traces or otlp']],
    [{ own_telemetry: { enabled: false } }, ['own_telemetry or otlp']],
    [{ personal_data: { hash_key_file: '/key' } }, ['personal_data.hash_key_file']],
  ])('of %j is %j', (over, names) => {
    const base = { otlp, traces: { enabled: true }, own_telemetry: { enabled: true } };
    expect(changesThatNeedRestart(read(base), read({ ...base, ...over }))).toEqual(names);
  });
});
