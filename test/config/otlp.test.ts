import { describe, expect, test } from '@jest/globals';
import { fromFile, problems, smallest } from '../support/config.js';

const receiver = 'http://collector:4318';
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver };
const config = (sections: string, env: Record<string, string> = endpoint) => fromFile(smallest + sections, env);
const wrong = (sections: string, env: Record<string, string> = endpoint) =>
  problems({ file: smallest + sections, env });

describe('traces', () => {
  test('are off unless the file enables them, whatever the environment says', () => {
    expect(config('').traces).toBeUndefined();
    expect(config('', { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }).traces).toBeUndefined();
  });

  test('go to the endpoint of the file, like logs', () => {
    const { logs, traces } = config(`traces: { enabled: true }\notlp: { endpoint: "${receiver}/x" }`, {});
    expect([logs?.url.href, traces?.url.href]).toEqual([`${receiver}/x/v1/logs`, `${receiver}/x/v1/traces`]);
  });

  test('have their own variables, which do not affect logs', () => {
    const env = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://tempo/insert',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=t',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1500',
      OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: '/tempo.pem',
    };
    const { logs, traces } = config('traces: { enabled: true }', env);
    expect(traces).toMatchObject({ protocol: 'http/json', compression: 'gzip', timeoutMs: 1500 });
    expect(traces?.url.href).toBe('https://tempo/insert');
    expect(traces?.headers['x-key']?.reveal()).toBe('t');
    expect(traces?.tls.caFile).toBe('/tempo.pem');
    expect(logs).toMatchObject({
      protocol: 'http/protobuf',
      compression: 'none',
      headers: {},
      tls: { caFile: undefined },
    });
  });

  test('need an endpoint', () => {
    expect(wrong('traces: { enabled: true }', {})).toEqual([
      'traces.enabled: needs an endpoint: set "otlp.endpoint", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT',
    ]);
  });

  test.each(['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'])('refuse gRPC in %s', name => {
    const refused = wrong('logs: { enabled: false }\ntraces: { enabled: true }', { ...endpoint, [name]: 'grpc' });
    expect(refused).toEqual([
      expect.stringMatching(`^${name}: must be http/json or http/protobuf: gRPC is not supported`),
    ]);
  });

  test('a problem that they share with logs is reported once', () => {
    expect(wrong('traces: { enabled: true }', { ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' })).toHaveLength(1);
  });
});

describe('TLS', () => {
  const tls = 'otlp: { tls: { ca_file: /ca, cert_file: /cert, key_file: /key } }';

  test('files come from the file, then the environment', () => {
    const env = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/e-ca',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/e-cert',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/e-key',
      OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY: '/l-key',
    };
    expect(config('', env).logs?.tls).toEqual({ caFile: '/e-ca', certFile: '/e-cert', keyFile: '/l-key' });
    expect(config(tls, env).logs?.tls).toEqual({ caFile: '/ca', certFile: '/cert', keyFile: '/key' });
  });

  test.each([
    ['cert', 'key'],
    ['key', 'cert'],
  ])('a client %s without %s is an error', (has, lacks) => {
    expect(wrong(`otlp: { tls: { ${has}_file: /x } }`)).toEqual([
      `otlp.tls.${lacks}_file: is missing; it is required with "otlp.tls.${has}_file" or its environment variable`,
    ]);
  });
});

describe('personal data', () => {
  test('is kept by default, for each signal and class', () => {
    const { logs, traces } = config(
      'traces: { enabled: true, personal_data: { item: drop } }\nlogs: { personal_data: { path: drop } }',
    );
    expect(logs?.personalData).toEqual({ person: 'keep', item: 'keep', path: 'drop', client: 'keep' });
    expect(traces?.personalData).toEqual({ person: 'keep', item: 'drop', path: 'keep', client: 'keep' });
  });

  test('is hashed with a key, which is required only then', () => {
    const hashing = 'logs: { personal_data: { person: hash } }\n';
    expect(config(`${hashing}personal_data: { hash_key_file: /key }`).hashKeyFile).toBe('/key');
    expect(wrong(hashing)).toEqual(['personal_data.hash_key_file: is missing; it is required by "logs.personal_data"']);
    expect(config(hashing, {}).logs).toBeUndefined();
  });

  test('has no other treatment or class', () => {
    expect(wrong('logs: { personal_data: { person: mask } }')).toEqual([
      'logs.personal_data.person: must be keep, hash or drop',
    ]);
    expect(wrong('logs: { personal_data: { mail: drop } }')[0]).toContain('logs.personal_data.mail: unknown key');
  });
});

describe('limits of age', () => {
  test.each([
    ['traces: { enabled: true }', 60_000, 60_000],
    ['logs: { max_ahead: off }\ntraces: { enabled: true, max_ahead: 5m }', undefined, 300_000],
  ])('a record or span may be ahead of the clock with %j', (keys, ofLogs, ofTraces) => {
    const { logs, traces } = config(keys);
    expect([logs?.maxAheadMs, traces?.maxAheadMs]).toEqual([ofLogs, ofTraces]);
  });

  test('come out in milliseconds', () => {
    expect(config('logs: { max_age: 7d, max_behind: 1h }').logs).toMatchObject({
      maxAgeMs: 604_800_000,
      maxBehindMs: 3_600_000,
    });
  });
});

const urls = (file: string, env?: Record<string, string>) => {
  const { ownTelemetry } = env === undefined ? config(file) : config(file, env);
  return ownTelemetry && [ownTelemetry.traces?.url.href, ownTelemetry.logs?.url.href];
};

describe('own telemetry', () => {
  test.each(['own_telemetry', 'self_tracing'])('of %s goes where traces and logs go, even if those are off', key => {
    const on = `${key}: { enabled: true }\n`;
    const both = [`${receiver}/v1/traces`, `${receiver}/v1/logs`];
    expect(urls('')).toBeUndefined();
    expect(urls(on)).toEqual(both);
    expect(config(on).traces).toBeUndefined();
    expect(urls(`${on}traces: { enabled: true }\nlogs: { enabled: false }`)).toEqual(both);
  });

  test('needs an endpoint for traces; without one for logs it sends no log lines', () => {
    const on = 'own_telemetry: { enabled: true }\n';
    expect(wrong(on, {})[0]).toMatch(/^own_telemetry.enabled: needs an endpoint/);
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver}/v1/traces` };
    expect(urls(on, env)).toEqual([`${receiver}/v1/traces`, undefined]);
  });
});
