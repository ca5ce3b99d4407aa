import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { Secret } from '../../src/kernel/secret.js';
import { parseConfig } from '../../src/config/parse.js';
import { environment, fromFile, refusal, serverWhere, serverWith, smallest } from '../support/config.js';

const receiver = 'http://collector:4318';

describe('a configuration file', () => {
  test('requires four keys of a server; every other key has a default', () => {
    expect(fromFile(smallest)).toEqual({
      servers: [
        {
          name: 'hq',
          url: new URL('https://vb365.example.com:4443'),
          apiVersion: 'auto',
          login: {
            kind: 'password',
            username: 'EXAMPLE\\svc-monitor',
            secret: { file: '/run/secrets/vb365-password' },
          },
          tls: { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: false },
          proxy: undefined,
          pollIntervalMs: 30_000,
          openPollIntervalMs: 5000,
          reconcileIntervalMs: 900_000,
          requestTimeoutMs: 60_000,
          pageSize: 1000,
          resolveOwners: true,
        },
      ],
      history: { kind: 'now' },
      abandonAfterMs: 3_600_000,
      maxConcurrentRequests: 32,
      state: { path: './data/vb365-exporter.db' },
      metrics: { organizationLabel: true, maxOrganizations: 1000, firstIncrementHold: true },
      logs: undefined,
      personalData: { person: 'keep', item: 'keep', path: 'keep', client: 'keep' },
      warnings: [],
    });
  });

  test('is converted to the units of the code', () => {
    const lines = [
      'api_version: v8',
      'poll_interval: 1m',
      'open_poll_interval: 1m',
      'request_timeout: 1m30s',
      'page_size: 30',
    ];
    const [server] = fromFile(`${serverWith(lines.join('\n    '))}abandon_after: 1d\nstate: { path: /s.db }\n`).servers;
    expect(server).toMatchObject({
      apiVersion: 'v8',
      pollIntervalMs: 60_000,
      openPollIntervalMs: 60_000,
      requestTimeoutMs: 90_000,
      pageSize: 30,
    });
  });

  test('can list several servers', () => {
    const file = smallest + smallest.replace('servers:\n', '').replace('hq', 'branch');
    expect(fromFile(file).servers.map(({ name }) => name)).toEqual(['hq', 'branch']);
  });

  test('can leave a key with a default empty', () => {
    const empty = `${serverWith('poll_interval:')}history:\nabandon_after: ~\nstate: null\nlogs:\notlp: { endpoint: null }\n`;
    expect(fromFile(empty)).toEqual(fromFile(smallest));
  });

  test.each([
    'http://localhost:4443',
    'http://vb365.localhost',
    'http://127.0.0.1:80',
    'http://127.1.2.3',
    'http://[::1]:4443',
  ])('can use %s, which does not leave the machine', url => {
    expect(fromFile(serverWhere('url', `url: ${url}`)).servers[0]?.url).toEqual(new URL(url));
  });

  test('can use http to another machine with allow_http', () => {
    const file = serverWhere('url', 'url: http://vb365.example.com').concat('    allow_http: true\n');
    expect(fromFile(file).servers[0]?.url.origin).toBe('http://vb365.example.com');
  });

  test('is frozen at every level', () => {
    const config = fromFile(smallest, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver });
    const parts = [
      config,
      config.servers,
      config.servers[0],
      config.servers[0]?.login,
      config.servers[0]?.tls,
      config.history,
      config.state,
    ];
    expect([...parts, config.logs, config.logs?.headers, config.warnings].map(Object.isFrozen)).not.toContain(false);
  });

  test('wins over the variables of a server, which are named in a warning', () => {
    const config = fromFile(smallest, { ...environment, VB365_URL: 'nonsense', VB365_PORT_4443_TCP: 'x' });
    expect(config.servers.map(({ name }) => name)).toEqual(['hq']);
    expect(config.warnings).toEqual([
      'Ignoring VB365_URL, VB365_USERNAME, VB365_PASSWORD: the configuration file lists servers',
    ]);
  });

  test('wins over the variable of the state file', () => {
    expect(fromFile(`${smallest}state: { path: /a }`, { VB365_STATE_PATH: '/b' }).state.path).toBe('/a');
    expect(fromFile(smallest, { VB365_STATE_PATH: '/b' }).state.path).toBe('/b');
  });

  test.each([
    ['now', { kind: 'now' }],
    ['all', { kind: 'all' }],
    ['36h', { kind: 'ago', ms: 129_600_000 }],
    ['2026-01-31', { kind: 'since', at: 1_769_817_600_000_000_000n }],
    ['2026-01-31T12:00:00.1234567Z', { kind: 'since', at: 1_769_860_800_123_456_700n }],
    ['2026-01-31T12:00:00+01:00', { kind: 'since', at: 1_769_857_200_000_000_000n }],
  ])('reads the history %s', (text, history) => {
    expect(fromFile(`${smallest}history: ${text}`).history).toEqual(history);
  });
});

describe('the environment', () => {
  test('alone can describe a server, which is named after its host', () => {
    expect(parseConfig({ env: environment }).servers).toEqual([
      {
        ...fromFile(smallest).servers[0],
        name: 'vb365.example.com',
        login: { kind: 'password', username: 'EXAMPLE\\svc-monitor', secret: { value: new Secret('a password') } },
      },
    ]);
  });

  test('describes the server when the file lists none', () => {
    const config = fromFile('history: all', environment);
    expect(config.servers.map(({ name }) => name)).toEqual(['vb365.example.com']);
    expect(config.warnings).toEqual([]);
  });

  test('can name a file for the password; an empty variable counts as not set', () => {
    const env = { ...environment, VB365_PASSWORD: '', VB365_PASSWORD_FILE: '/p' };
    expect(parseConfig({ env }).servers[0]?.login.secret).toEqual({ file: '/p' });
  });

  test.each([
    ['https://10.0.0.7:4443', '10.0.0.7'],
    ['https://[2001:db8::5]:4443', '2001-db8-5'],
    [`https://${'a'.repeat(60)}.example.com`, `${'a'.repeat(60)}.ex`],
    ['https://-', 'server'],
  ])('names the server %s as %s', (url, name) => {
    expect(parseConfig({ env: { ...environment, VB365_URL: url } }).servers[0]?.name).toBe(name);
  });
});

const logs = (sections: string, env: Record<string, string> = {}) => fromFile(smallest + sections, env).logs;

describe('logs', () => {
  test('go to the endpoint of the file, by default as JSON', () => {
    expect(logs(`otlp: { endpoint: "${receiver}" }`)).toMatchObject({
      url: new URL('http://collector:4318/v1/logs'),
      protocol: 'http/protobuf',
      headers: {},
      compression: 'none',
      timeoutMs: 10_000,
      tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
      personalData: { person: 'keep', item: 'keep', path: 'keep', client: 'keep' },
      maxAgeMs: undefined,
      maxBehindMs: undefined,
    });
  });

  test.each([
    ['a base endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: receiver }, 'http://collector:4318/v1/logs'],
    ['one with a path', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a/otlp/' }, 'https://a/otlp/v1/logs'],
    ['one with too many slashes', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a//b//' }, 'https://a//b/v1/logs'],
    ['an endpoint for logs', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://a/insert' }, 'https://a/insert'],
    ['both', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://b', OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' }, 'http://b/'],
  ])('go where the environment says: %s', (_, env, url) => {
    expect(logs('', env)?.url.href).toBe(url);
  });

  test('take every setting from the environment; the variable for logs wins', () => {
    expect(
      logs('', {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
      }),
    ).toMatchObject({ protocol: 'http/json', compression: 'gzip', timeoutMs: 2500 });
  });

  test('take the settings of the file, and do not validate their variables', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'nonsense',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'nonsense',
      OTEL_EXPORTER_OTLP_TIMEOUT: 'nonsense',
    };
    const otlp = `{ endpoint: "${receiver}", protocol: http/json, compression: gzip, timeout: 1s }`;
    expect(logs(`otlp: ${otlp}`, env)).toMatchObject({
      protocol: 'http/json',
      compression: 'gzip',
      timeoutMs: 1000,
    });
  });

  test('combine headers: the file wins, then the variable for logs, in any letter case', () => {
    const target = logs('otlp: { headers: { X-File: f, X-Both: f } }', {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver,
      OTEL_EXPORTER_OTLP_HEADERS: ' Authorization = Basic%20YTpi== , x-both=e,x-general=e,x-signal=e,,x-empty=',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'X-SIGNAL=s,x-both=s',
    });
    const revealed = Object.entries(target?.headers ?? {}).map(([name, value]) => [name, value.reveal()]);
    expect(Object.fromEntries(revealed)).toEqual({
      authorization: 'Basic YTpi==',
      'x-both': 'f',
      'x-empty': '',
      'x-file': 'f',
      'x-general': 'e',
      'x-signal': 's',
    });
  });

  test('are off when there is no endpoint, whatever else the environment says', () => {
    expect(logs('', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_HEADERS: 'nonsense' })).toBeUndefined();
  });

  test('are off when the file disables them; gRPC in the environment is then no error', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    expect(logs('logs: { enabled: false }', env)).toBeUndefined();
  });
});

describe('a secret', () => {
  const canary = 'canary7f3a';
  const places: ReadonlyArray<readonly [string, string, Record<string, string>]> = [
    ['a password in the file', serverWith(`password: ${canary}`), {}],
    ['the value of an unknown key', `${smallest}token: { ${canary}: ${canary} }`, {}],
    ['a key that is no name', `${smallest}"Bearer ${canary}": 1`, {}],
    ['a header of the wrong kind', `${smallest}otlp: { headers: { a: [${canary}] } }`, {}],
    ['a header with a line end', `${smallest}otlp: { headers: { a: "${canary}\\n" } }`, {}],
    ['the name of a header', `${smallest}otlp: { headers: { "Bearer ${canary}": a } }`, {}],
    ['credentials in a url', serverWhere('url', `url: https://me:${canary}@example.com`), {}],
    ['credentials in an endpoint', `${smallest}otlp: { endpoint: "http://me:${canary}@a" }`, {}],
    ['a name', serverWhere('name', `name: "${canary} "`), {}],
    ['an option', `${smallest}otlp: { protocol: ${canary} }`, {}],
    ['an alias', `${smallest}history: *${canary}`, {}],
    ['a tag', `${smallest}history: !${canary} a`, {}],
    ['nonsense', `${smallest}history: "${canary}`, {}],
    ['a colon', `${smallest}history: ${canary}: ${canary}`, {}],
    ['a duplicate', `${smallest}${canary}: 1\n${canary}: 1`, {}],
    ['a variable of headers', smallest, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver, OTEL_EXPORTER_OTLP_HEADERS: canary }],
    ['a variable of an endpoint', smallest, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://a?key=${canary}` }],
    ['a password and a password file', '', { ...environment, VB365_PASSWORD: canary, VB365_PASSWORD_FILE: '/p' }],
    ['a url in the environment', '', { ...environment, VB365_URL: `https://me:${canary}@a` }],
  ];

  test.each(places)('is in no error: %s', (_, file, env) => {
    const error = refusal({ file, env });
    expect(`${inspect(error, { depth: null, showHidden: true })} ${error.message}`).not.toContain(canary);
  });

  test('is in no print of the configuration', () => {
    const config = fromFile(`otlp: { headers: { authorization: ${canary} } }`, {
      ...environment,
      VB365_PASSWORD: canary,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver,
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${canary}`,
    });
    const prints = [JSON.stringify(config), inspect(config, { depth: null, showHidden: true })];
    expect(prints.join(' ')).not.toContain(canary);
    expect(JSON.stringify(config)).toContain('[redacted]');
    expect(config.logs?.headers['x-key']?.reveal()).toBe(canary);
  });
});

test('any text is a configuration or an error with reason config', () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const sections = { servers: value, history: value, logs: value, otlp: value, state: value };
  const keyed = fc.record(sections, { requiredKeys: [] });
  const added = fc.string().map(text => smallest + text);
  const file = fc.oneof(fc.string(), added, keyed.map(JSON.stringify));
  fc.assert(
    fc.property(file, text => {
      try {
        parseConfig({ file: text, env: environment });
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'ExporterError', reason: 'config' });
      }
    }),
  );
});
