import { describe, expect, test } from '@jest/globals';
import { isDirect, proxyFor, proxyName } from '../../src/config/proxy.js';
import { parseConfig } from '../../src/config/parse.js';
import { Secret } from '../../src/kernel/secret.js';

const found = (url: string, env: Readonly<Record<string, string>>): string | undefined => {
  const read = proxyFor(new URL(url), env);
  if ('problems' in read) throw new Error(read.problems[0]?.what);
  return read.value?.url.reveal();
};

describe('NO_PROXY', () => {
  test.each([
    ['*', 'https://a.example', true],
    ['other, *', 'https://a.example', true],
    ['*:4443', 'https://a.example', false],
    ['a.example', 'https://a.example', true],
    ['A.EXAMPLE.', 'https://a.example.', true],
    ['example', 'https://a.example', true],
    ['.example', 'https://a.example', true],
    ['.a.example', 'https://a.example', true],
    ['*.example', 'https://a.example', true],
    ['*.a.example', 'https://a.example', false],
    ['ample', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['a.example:4443', 'https://a.example', false],
    ['a.example:4443', 'https://a.example:4443', true],
    ['10.0.0.5', 'https://10.0.0.5', true],
    ['10.0.0.0/8', 'https://10.200.0.5', true],
    ['10.0.0.0/33', 'https://10.200.0.5', false],
    ['10.0.0.0/8', 'https://11.0.0.5', false],
    ['0.0.5', 'https://10.0.0.5', false],
    ['10.0.0.5:4443', 'https://10.0.0.5:4443', true],
    ['fd00::1', 'https://[fd00::1]', true],
    ['FD00:0::1', 'https://[fd00::1]', true],
    ['fd00::/8', 'https://[fd12::1]:4443', true],
    ['fd00::/8', 'https://[fe80::1]', false],
    ['[fd00::]/8', 'https://[fd12::1]:4443', true],
    ['[fd00::]/8', 'https://[fe80::1]', false],
    ['[fd00::]/8:4443', 'https://[fd12::1]:4443', true],
    ['[fd00::]/8:4443', 'https://[fd12::1]', false],
    ['[fd00::1]:4443', 'https://[fd00::1]:4443', true],
    ['[fd00::1]:4443', 'https://[fd00::1]', false],
    ['a b.example\tc', 'https://b.example', true],
    ['', 'https://a.example', false],
    ['bücher.example', 'https://bücher.example', true],
    ['.Bücher.example:4443', 'https://a.bücher.example:4443', true],
    ['xn--bcher-kva.example', 'https://bücher.example', true],
    ['*.bücher.example', 'https://a.bücher.example', true],
    ['bücher.example', 'https://a.example', false],
  ])('%j for %s: direct is %s', (noProxy, url, direct) => {
    expect(isDirect(new URL(url), noProxy)).toBe(direct);
  });
});

describe('the proxy for a URL', () => {
  test('follows its scheme', () => {
    const env = { HTTPS_PROXY: 'secure:1', http_proxy: 'plain:2' };
    expect(found('https://a.example', env)).toBe('http://secure:1');
    expect(found('http://a.example', env)).toBe('http://plain:2');
  });

  test.each(['https://localhost:4443', 'http://127.0.0.1:4318', 'https://[::1]'])('is none for %s', url => {
    expect(found(url, { HTTPS_PROXY: 'p:1', HTTP_PROXY: 'p:1' })).toBeUndefined();
  });

  test.each([
    [' p:1 ', 'http://p:1'],
    ['\thttps://p:1\n', 'https://p:1'],
    ['EXAMPLE\\me:canary@p:1', 'http://EXAMPLE%5Cme:canary@p:1'],
    ['http://me@a.example:c/n#r?@y@p:1', 'http://me%40a.example:c%2Fn%23r%3F%40y@p:1'],
    ['http://m%C3%BC:100%@p:1', 'http://m%C3%BC:100%25@p:1'],
    ['http://mü:😀@p:1', 'http://m%C3%BC:%F0%9F%98%80@p:1'],
  ])('is taken from %j', (value, url) => {
    expect(found('https://a.example', { HTTPS_PROXY: value })).toBe(url);
  });

  test('of a variable that is blank is the other one, or none', () => {
    expect(found('https://a.example', { https_proxy: ' ', HTTPS_PROXY: 'p:1' })).toBe('http://p:1');
    expect(found('https://a.example', { https_proxy: ' ' })).toBeUndefined();
  });

  test.each([
    ['socks5://a:1', /^must be a URL such as .*; SOCKS and other kinds of proxy are not supported$/],
    ['SOCKS5h://me:canary@a:1', /^must be a URL such as .*; SOCKS and other kinds of proxy are not supported$/],
    ['a:99999', /^must have a port from 1 to 65535$/],
    ['http://me:canary@a:0/', /^must have a port from 1 to 65535$/],
    ['http://me:%FF@a:1', /^must be a URL such as/],
    ['http://', /^must be a URL such as/],
    ['a b', /^must be a URL such as/],
    ['http://a/path', /^must be a URL such as/],
  ])('%j is an error where it is used only', (value, says) => {
    expect(() => found('https://a.example', { HTTPS_PROXY: value })).toThrow(says);
    expect(found('https://a.example', { HTTPS_PROXY: value, NO_PROXY: 'a.example' })).toBeUndefined();
    expect(found('http://a.example', { HTTPS_PROXY: value })).toBeUndefined();
  });

  test('is named without its password', () => {
    expect(proxyName({ url: new Secret('http://me:canary@proxy.example:3128') })).toBe('proxy.example:3128');
  });
});

const servers = 'servers: [{ name: hq, url: "https://a.example:4443", username: u, password_file: p }]\n';

const logsProxy = (otlp: string, env: Readonly<Record<string, string>>): string | undefined =>
  parseConfig({ file: `${servers}otlp: { ${otlp} }\n`, env }).logs?.proxy?.url.reveal();

describe('the proxy of an OTLP endpoint', () => {
  test('is that of the environment, unless it has one', () => {
    const env = { HTTPS_PROXY: 'p:1', NO_PROXY: 'a.example' };
    expect(logsProxy('endpoint: "https://otlp.example"', env)).toBe('http://p:1');
    expect(logsProxy('endpoint: "https://b.a.example"', env)).toBeUndefined();
    expect(logsProxy('endpoint: "https://b.a.example", proxy_url: "own:2"', env)).toBe('http://own:2');
  });

  test('is an error when it cannot be used', () => {
    const env = { HTTPS_PROXY: 'socks5://me:canary@p', NO_PROXY: 'a.example' };
    expect(() => logsProxy('endpoint: "https://otlp.example"', env)).toThrow(/^(?!.*canary).*HTTPS_PROXY: must be/s);
  });
});
