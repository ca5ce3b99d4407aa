import { describe, expect, test } from '@jest/globals';
import { environment, problems, refusal, serverWhere, serverWith, smallest } from '../support/config.js';

const duration = (bounds: string, example: string) =>
  `must be a duration with units, from ${bounds}, such as ${example}`;
const name = 'must be 1 to 63 letters, digits, dots, dashes or underscores, and start with a letter or digit';
const origin = 'must be an origin such as https://vb365.example.com:4443, without path, query or credentials';
const https = 'must use https: http is allowed only for this machine, unless "allow_http" is true';
const history =
  'must be now, all, a duration such as 7d, a date such as 2026-01-31, or a time with its time zone such as 2026-01-31T12:00:00Z';
const endpoint = 'must be a URL such as http://localhost:4318, without query or credentials (put secrets in a header)';
const text = 'must be text, not empty and without control characters';
const anyPort = 'must have a port from 1 to 65535';
const grpc = 'must be http/json or http/protobuf: gRPC is not supported, and OTLP over HTTP has its own port (4318)';
const listKnown =
  'servers, history, abandon_after, max_concurrent_requests, state, metrics, logs, traces, personal_data, otlp, own_telemetry, self_tracing';

describe('an invalid file gives exactly this error', () => {
  test.each([
    ['no list', 'servers: hq', 'servers: must be a list'],
    ['an empty list', 'servers: []', 'servers: must list at least one server'],
    ['an entry that is not a mapping', 'servers: [hq]', 'servers[0]: must be a mapping of keys to values'],
    ['an entry that is a list', 'servers: [[]]', 'servers[0]: must be a mapping of keys to values'],
    ['an entry that is empty', 'servers: [~]', 'servers[0]: is missing'],
    ['a list as the file', '- servers', 'the file: must be a mapping of keys to values'],
    ['a text as the file', 'servers', 'the file: must be a mapping of keys to values'],
    ['no name', serverWhere('name', 'name:'), 'servers[0].name: is missing'],
    ['a name with a blank', serverWhere('name', 'name: head quarters'), `servers[0].name: ${name}`],
    ['a name that is too long', serverWhere('name', `name: ${'x'.repeat(64)}`), `servers[0].name: ${name}`],
    ['a name that is a number', serverWhere('name', 'name: 365'), 'servers[0].name: must be text; write it in quotes'],
    [
      'a name twice',
      smallest + smallest.replace('servers:\n', ''),
      'servers[1].name: is already the name of servers[0]',
    ],
    ['a url with port 0', serverWhere('url', 'url: https://vb365.example.com:0'), `servers[0].url: ${anyPort}`],
    ['no url', serverWhere('url', 'url:'), 'servers[0].url: is missing'],
    ['a url without scheme', serverWhere('url', 'url: vb365.example.com:4443'), `servers[0].url: ${origin}`],
    [
      'a url with an impossible port',
      serverWhere('url', 'url: https://vb365.example.com:99999'),
      `servers[0].url: ${anyPort}`,
    ],
    [
      'an endpoint with an impossible port',
      `${smallest}otlp: { endpoint: 'http://localhost:99999/base' }`,
      `otlp.endpoint: ${anyPort}`,
    ],
    ['a proxy with an impossible port', serverWith('proxy_url: proxy:99999'), `servers[0].proxy_url: ${anyPort}`],
    ['a url with a path', serverWhere('url', 'url: https://vb365.example.com/v7'), `servers[0].url: ${origin}`],
    ['a url with a query', serverWhere('url', 'url: https://vb365.example.com?a=b'), `servers[0].url: ${origin}`],
    ['a url with credentials', serverWhere('url', 'url: https://me:pw@example.com'), `servers[0].url: ${origin}`],
    ['a url of another scheme', serverWhere('url', 'url: ftp://vb365.example.com'), `servers[0].url: ${origin}`],
    ['http to another machine', serverWhere('url', 'url: http://vb365.example.com'), `servers[0].url: ${https}`],
    ['http to a host that looks local', serverWhere('url', 'url: http://127.0.0.1.nip.io'), `servers[0].url: ${https}`],
    ['no user', serverWhere('username', 'username:'), 'servers[0].username: is missing'],
    [
      'an escape in the user',
      serverWhere('username', String.raw`username: "EXAMPLE\nobody"`),
      `servers[0].username: ${text}`,
    ],
    ['no password', serverWhere('password_file', ''), 'servers[0].password_file: is missing'],
    ['an empty file name', serverWhere('password_file', 'password_file: ""'), `servers[0].password_file: ${text}`],
    [
      'a password itself',
      serverWith('password: hunter2'),
      'servers[0].password: unknown key; did you mean "password_file"?',
    ],
    ['a boolean in words', serverWith('allow_http: yes'), 'servers[0].allow_http: must be true or false'],
    [
      'an unknown version',
      serverWith('api_version: v9'),
      'servers[0].api_version: must be auto, v2, v3, v4, v5, v6, v7 or v8',
    ],
    [
      'a number as interval',
      serverWith('poll_interval: 30'),
      `servers[0].poll_interval: ${duration('5s to 1h', '30s')}`,
    ],
    [
      'a number in quotes',
      serverWith('poll_interval: "30"'),
      `servers[0].poll_interval: ${duration('5s to 1h', '30s')}`,
    ],
    [
      'too short an interval',
      serverWith('poll_interval: 4s999ms'),
      `servers[0].poll_interval: ${duration('5s to 1h', '30s')}`,
    ],
    [
      'too long an interval',
      serverWith('poll_interval: 1h1ms'),
      `servers[0].poll_interval: ${duration('5s to 1h', '30s')}`,
    ],
    [
      'too long an open interval',
      serverWith('open_poll_interval: 31s'),
      'servers[0].open_poll_interval: must not be longer than "poll_interval"',
    ],
    [
      'units in the wrong order',
      serverWith('request_timeout: 5s1m'),
      `servers[0].request_timeout: ${duration('1s to 10m', '60s')}`,
    ],
    ['too small a page', serverWith('page_size: 29'), 'servers[0].page_size: must be at least 30'],
    ['too big a page', serverWith('page_size: 10001'), 'servers[0].page_size: must be at most 10000'],
    ['half an event', serverWith('page_size: 100.5'), 'servers[0].page_size: must be a whole number'],
    ['a page in words', serverWith('page_size: many'), 'servers[0].page_size: must be a whole number'],
    ['no number at all', serverWith('page_size: .nan'), 'servers[0].page_size: must be a whole number'],
    [
      'a misspelt key',
      serverWith('pol_interval: 5s'),
      'servers[0].pol_interval: unknown key; did you mean "poll_interval"?',
    ],
    ['a history of nothing', `${smallest}history: yesterday`, `history: ${history}`],
    ['a history without its zone', `${smallest}history: 2026-01-31T12:00:00`, `history: ${history}`],
    ['an impossible date', `${smallest}history: 2026-02-30`, `history: ${history}`],
    ['a year alone', `${smallest}history: 2026`, `history: ${history}`],
    ['too long a grace time', `${smallest}abandon_after: 31d`, `abandon_after: ${duration('1s to 30d', '1h')}`],
    ['a state that is a path', `${smallest}state: ./data`, 'state: must be a mapping of keys to values'],
    ['an unknown section', `${smallest}prometheus: {}`, `prometheus: unknown key; known keys are ${listKnown}`],
    ['a misspelt section', `${smallest}log: {}`, 'log: unknown key; did you mean "logs"?'],
    ['logs neither on nor off', `${smallest}logs: { enabled: maybe }`, 'logs.enabled: must be auto, true or false'],
    [
      'logs without an endpoint',
      `${smallest}logs: { enabled: true }`,
      'logs.enabled: needs an endpoint: set "otlp.endpoint", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT',
    ],
    ['an endpoint without scheme', `${smallest}otlp: { endpoint: "localhost:4318" }`, `otlp.endpoint: ${endpoint}`],
    ['an endpoint with a key', `${smallest}otlp: { endpoint: "http://a/?key=b" }`, `otlp.endpoint: ${endpoint}`],
    [
      'a misspelt endpoint',
      `${smallest}otlp: { endpont: "http://a" }`,
      'otlp.endpont: unknown key; did you mean "endpoint"?',
    ],
    ['gRPC', `${smallest}otlp: { protocol: grpc }`, `otlp.protocol: ${grpc}`],
    ['another protocol', `${smallest}otlp: { protocol: udp }`, 'otlp.protocol: must be http/json or http/protobuf'],
    ['headers as text', `${smallest}otlp: { headers: a=b }`, 'otlp.headers: must be a mapping of names to values'],
    [
      'a header that is a number',
      `${smallest}otlp: { headers: { a: 1 } }`,
      'otlp.headers.a: must be text; write it in quotes',
    ],
    [
      'a header with a line end',
      `${smallest}otlp: { headers: { a: "b\\n" } }`,
      'otlp.headers.a: must be printable ASCII text',
    ],
    [
      'an invalid header name',
      `${smallest}otlp: { headers: { "a b": c } }`,
      'otlp.headers.?: is not a valid HTTP header name',
    ],
    ['another compression', `${smallest}otlp: { compression: zstd }`, 'otlp.compression: must be none or gzip'],
    ['an endless timeout', `${smallest}otlp: { timeout: 1d }`, `otlp.timeout: ${duration('100ms to 10m', '10s')}`],
  ])('%s', (_, file, problem) => {
    expect(problems({ file, env: {} })).toEqual([problem]);
  });

  test('an empty file and an empty environment explain how to configure a server', () => {
    expect(refusal({ file: '', fileName: 'vb365-exporter.yaml', env: {} }).message).toBe(
      'Could not read the configuration "vb365-exporter.yaml":\n- servers: is missing; list at least one server, or set VB365_URL, VB365_USERNAME and VB365_PASSWORD or VB365_PASSWORD_FILE',
    );
  });

  test('all problems are reported at once', () => {
    const file = `
servers:
  - { name: "", url: http://a.example, username: a, poll_interval: 10s, open_poll_interval: 20s, page_size: 100.5 }
  - { name: b, url: http://b.example, username: b, password_file: p, tls: { ca: {} } }
  - { name: b, url: 5, username: [], password_file: p, poll_interval: x }
history: [now]
abandon_after: 0s
otlp: { endpoint: http://a, headers: { a: [] }, tiemout: 5s }
`;
    expect(problems({ file, env: {} }).map(line => line.split(':')[0])).toEqual([
      'servers[0].name',
      'servers[0].page_size',
      'servers[0].password_file',
      'servers[0].url',
      'servers[0].open_poll_interval',
      'servers[1].tls.ca',
      'servers[1].url',
      'servers[2].url',
      'servers[2].username',
      'servers[2].poll_interval',
      'servers[2].name',
      'history',
      'abandon_after',
      'otlp.headers.a',
      'otlp.tiemout',
    ]);
  });

  test('problems of the file and of the environment are reported together', () => {
    const env = { ...environment, VB365_URL: 'vb365', OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' };
    expect(problems({ file: 'history: never', env })).toEqual([
      `history: ${history}`,
      `VB365_URL: ${origin}`,
      `OTEL_EXPORTER_OTLP_ENDPOINT: ${endpoint}`,
    ]);
  });

  test('they are also reported together when both concern OTLP', () => {
    const file = `${smallest}otlp: { endpoint: nowhere, tls: { cert_file: "" } }\nlogs: { personal_data: { item: hash, mail: drop } }\ntraces: { enabled: 1 }`;
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'udp' };
    expect(problems({ file, env })).toEqual([
      'logs.personal_data.mail: unknown key; known keys are person, item, path, client',
      'traces.enabled: must be true or false',
      `otlp.endpoint: ${endpoint}`,
      `otlp.tls.cert_file: ${text}`,
      `OTEL_EXPORTER_OTLP_PROTOCOL: ${grpc}`,
      'otlp.tls.key_file: is missing; it is required with "otlp.tls.cert_file" or its environment variable',
      'personal_data.hash_key_file: is missing; it is required by "logs.personal_data"',
    ]);
  });
});

describe('an invalid environment gives exactly this error', () => {
  test.each([
    ['no url', { VB365_URL: '' }, 'VB365_URL: is missing'],
    ['http to another machine', { VB365_URL: 'http://vb365.example.com' }, `VB365_URL: ${https}`],
    ['no user', { VB365_USERNAME: undefined }, 'VB365_USERNAME: is missing'],
    ['no password', { VB365_PASSWORD: undefined }, 'VB365_PASSWORD: is missing; set it or VB365_PASSWORD_FILE'],
    [
      'two passwords',
      { VB365_PASSWORD_FILE: '/p' },
      'VB365_PASSWORD: must not be set together with VB365_PASSWORD_FILE',
    ],
    ['gRPC', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, `OTEL_EXPORTER_OTLP_PROTOCOL: ${grpc}`],
    ['gRPC for logs', { OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' }, `OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: ${grpc}`],
    [
      'headers that are not a list',
      { OTEL_EXPORTER_OTLP_HEADERS: 'authorization' },
      'OTEL_EXPORTER_OTLP_HEADERS: must be a list such as name=value,name2=value2, percent-encoded',
    ],
    [
      'headers with broken percent signs',
      { OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'a=%E0%A4' },
      'OTEL_EXPORTER_OTLP_LOGS_HEADERS: must be a list such as name=value,name2=value2, percent-encoded',
    ],
    [
      'a header that hides a line end',
      { OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0d%0ac: d' },
      'OTEL_EXPORTER_OTLP_HEADERS: must be a list such as name=value,name2=value2, percent-encoded',
    ],
    [
      'another compression',
      { OTEL_EXPORTER_OTLP_COMPRESSION: 'br' },
      'OTEL_EXPORTER_OTLP_COMPRESSION: must be none or gzip',
    ],
    [
      'a timeout with a unit',
      { OTEL_EXPORTER_OTLP_TIMEOUT: '10s' },
      'OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number of milliseconds, 100 to 600000',
    ],
    [
      'a timeout of nothing',
      { OTEL_EXPORTER_OTLP_TIMEOUT: '0' },
      'OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number of milliseconds, 100 to 600000',
    ],
  ])('%s', (_, env, problem) => {
    const base = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };
    expect(problems({ env: { ...base, ...env } })).toEqual([problem]);
  });
});

const tooDeep = 'it is nested too deeply';
const endless = 'it is nested too deeply, or an alias (`*name`) contains itself';

describe('a text that is not YAML is one line', () => {
  test.each([
    ['a key twice', 'history: now\nhistory: all\n', 'line 2, column 1: duplicate key'],
    ['a tab', 'servers:\n\t- name: hq\n', 'line 2, column 1: the line is indented with a tab; use spaces'],
    [
      'an unknown escape',
      String.raw`a: "EXAMPLE\svc"`,
      'line 1, column 12: unknown escape in double quotes; write text with backslashes in single quotes',
    ],
    ['an open quote', 'a: "b\n', 'line 2, column 1: a quote, bracket, comma or colon is missing'],
    [
      'a colon in a value',
      'a: b: c\n',
      'line 1, column 4: a value contains ": "; write it in quotes, or start a new line',
    ],
    ['two documents', 'a: 1\n---\nb: 2\n', 'line 2, column 1: only one document is allowed'],
    ['a tag', 'a: !vault b\n', 'line 1, column 4: unknown tag'],
    ['nonsense', 'a: @b\n', 'line 1, column 4: the text is not valid YAML'],
    ['a key that is a list', '? [a]\n: b\n', 'line 1, column 3: a key must be text'],
    ['nesting deeper than any key', `a: ${'['.repeat(40)}${']'.repeat(40)}`, tooDeep],
    ['nesting deeper than any stack', '['.repeat(5_000), tooDeep],
    ['an alias that contains itself', 'a: &b [*b]\n', endless],
    ['an alias that contains itself in a mapping', 'servers: &b { url: { a: *b } }\n', endless],
    ['an undefined alias', 'a: *b\n', 'an alias (`*name`) has no anchor (`&name`), or there are too many'],
  ])('%s', (_, file, problem) => {
    const error = refusal({ file, fileName: 'vb365-exporter.yaml', env: environment });
    expect(error.message).toBe(`Could not read the configuration "vb365-exporter.yaml": ${problem}`);
    expect(error.reason).toBe('config');
  });
});
