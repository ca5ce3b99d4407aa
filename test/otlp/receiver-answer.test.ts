import { describe, expect, test } from '@jest/globals';
import { quoteAnswer } from '../../src/otlp/receiver-answer.js';

const nothing = { values: [], secrets: [] };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const quote = (text: string, values: readonly string[] = [], secrets: readonly string[] = []): string =>
  quoteAnswer({ body: bytes(text), contentType: 'text/plain' }, { values, secrets });

/** A `google.rpc.Status` in protobuf: code 3 and a message. */
const status = (message: string): Uint8Array => {
  const text = bytes(message);
  const length = text.length < 128 ? [text.length] : [(text.length % 128) + 128, Math.floor(text.length / 128)];
  return Uint8Array.from([8, 3, 18, ...length, ...text]);
};

describe('the answer of a receiver', () => {
  test.each([
    ['a status in JSON', 'application/json', bytes('{"code":8,"message":"tenant limit reached"}')],
    ['a status in JSON without a type', '', bytes('{"message":"tenant limit reached"}')],
    ['a status in protobuf', 'application/x-protobuf', status('tenant limit reached')],
    ['plain text', 'text/plain; charset=utf-8', bytes('tenant limit reached\n')],
    ['text that claims to be protobuf', 'application/x-protobuf', bytes('tenant limit reached')],
    ['text that claims to be JSON', 'application/json', bytes('tenant limit reached')],
  ])('is quoted from %s', (_, contentType, body) => {
    expect(quoteAnswer({ body, contentType }, nothing)).toBe('tenant limit reached');
  });

  test('may be a status of more than 127 bytes', () => {
    const message = 'too many outstanding requests '.repeat(6).trim();
    expect(quoteAnswer({ body: status(message), contentType: 'application/x-protobuf' }, nothing)).toBe(message);
  });

  test.each(['', '{}', '\n', '\u0000\u0001'])('is empty for %j', text => {
    expect(quote(text)).toBe('');
  });

  test('has 200 printable characters at most', () => {
    expect(quote('x'.repeat(300))).toBe('x'.repeat(200));
    expect(quote('a\u001B[31mb\r\nc\u202Ed\u0000e\u2028f')).toBe('a [31mb c d e f');
    expect(quote('\\u001b[31mred')).toBe('[31mred');
  });

  test('of a receiver that sends bytes is no control character', () => {
    const body = Uint8Array.from([0xff, 0xfe, 0x1f, 0x8b, 65, 66, 67]);
    expect(quoteAnswer({ body, contentType: 'application/octet-stream' }, nothing)).toMatch(/^[^\p{C}]*$/u);
  });
});

describe('what was sent is removed from the answer', () => {
  const value = 'Müller & Söhne canary7f3a';
  test.each([
    ['as it is', value],
    ['in capitals', value.toUpperCase()],
    ['in parts', 'Söhne'],
    ['cut at its end', 'Müller & Söhne canary7'],
    ['cut at its start', 'anary7f3a'],
    ['joined to other text', 'nameMüllerx canary7f3ay'],
    ['behind an escaped line break', String.raw`\nMüller\tcanary7f3a`],
    ['escaped for JSON', String.raw`M\u00fcller \u0026 S\u00F6hne canary7f3a`],
    ['escaped by Go', String.raw`M\xc3\xbcller & S\xc3\xb6hne canary7f3a`],
    ['escaped for a URL', encodeURIComponent(value)],
    ['escaped for HTML', 'M&#252;ller &amp; S&#xf6;hne canary7f3a'],
    ['decomposed', value.normalize('NFD')],
  ])('%s', (_, quoted) => {
    const text = quote(`entry ${quoted} rejected`, [value]);
    expect(text).not.toMatch(/m.{0,6}ller|s.{0,6}hne|ller|anary|7f3/i);
    expect(text).toMatch(/^entry .*\[removed\].* rejected$/);
  });

  test('signs without letters, and words without spaces between them', () => {
    expect(quote('entry ★★ rejected', ['★★'])).toBe('entry [removed] rejected');
    expect(quote('错误：发票失败', ['发票'])).toBe('错误：[removed]');
  });

  test('a word that a receiver needs to explain itself stays, unless it is a secret, or next to what it was sent with', () => {
    const text = 'too many requests for tenant 12345: limit of 512 records';
    expect(quote(text, ['many records of a tenant', '12345', '512'])).toBe(
      'too many requests for tenant [removed]: limit of 512 records',
    );
    expect(quote(text, ['too many records of tenant 12345'])).toBe(
      '[removed] requests for [removed]: limit of 512 records',
    );
    expect(quote(text, [], ['tenant'])).toBe('too many requests for [removed] 12345: limit of 512 records');
  });
});
