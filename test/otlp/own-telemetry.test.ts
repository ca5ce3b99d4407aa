import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../../src/config/parse.js';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { Secret } from '../../src/kernel/secret.js';
import { milliseconds } from '../../src/model/time.js';
import { startOwnTelemetry } from '../../src/otlp/own-telemetry.js';
import { simulate } from '../../src/simulator/simulate.js';
import { createAuthority } from '../support/authority.js';
import { keepAll, target } from '../support/otlp-target.js';
import { type OtlpRecord, otlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.js';
import { type OtlpSpan, otlpSpans } from '../support/otlp-spans.js';
import { program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { until } from '../support/until.js';

type Stage = Readonly<{ folder: string; config: Config; receiver: OtlpReceiver; url: string }>;

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const receiver = await otlpReceiver();
    try {
      const { id } = simulator.world.addSession({ createdAt: milliseconds(systemClock.now()) });
      simulator.world.appendEvent(id, { startedAt: milliseconds(systemClock.now() + 60_000), type: 'Restore' });
      const config = configOf(folder, serverConfig(simulator.url));
      await play({ folder, config, receiver, url: simulator.url });
    } finally {
      await receiver.close();
      await simulator.close();
    }
  });
}

type Attributed = Readonly<{ attributes: OtlpSpan['attributes'] }>;
type Scoped = Readonly<{
  scope: Readonly<{ name: string }>;
  spans?: readonly OtlpSpan[];
  logRecords?: readonly OtlpRecord[];
}>;
type Body = Readonly<{
  resourceSpans?: readonly Readonly<{ resource: Attributed; scopeSpans: readonly Scoped[] }>[];
  resourceLogs?: readonly Readonly<{ resource: Attributed; scopeLogs: readonly Scoped[] }>[];
}>;

/** Service, scope and name of every span, and of every log record its body. */
const labels = ({ requests }: OtlpReceiver): readonly string[] =>
  requests
    .map(({ body }) => JSON.parse(body.toString()) as Body)
    .flatMap(({ resourceSpans = [], resourceLogs = [] }) => [
      ...resourceSpans.map(({ resource, scopeSpans }) => ({ resource, scopes: scopeSpans })),
      ...resourceLogs.map(({ resource, scopeLogs }) => ({ resource, scopes: scopeLogs })),
    ])
    .flatMap(({ resource, scopes }) => {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value['stringValue'];
      return scopes.flatMap(({ scope, spans = [], logRecords = [] }) =>
        [...spans.map(span => span.name), ...logRecords.map(({ body }) => body.stringValue)].map(
          what => `${String(service)} ${scope.name} ${what}`,
        ),
      );
    });

const attributesOf = ({ attributes }: Attributed) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe('own telemetry', () => {
  test('has a span for each poll and delivery and the lines of the log, none of them taken for a restore', async () => {
    await onStage(async ({ config, receiver }) => {
      const to = target(new URL('/v1/traces', receiver.url));
      const ownTelemetry = { traces: to, logs: target(receiver.url) };
      const app = await program({
        ...config,
        traces: { ...to, personalData: keepAll, maxAheadMs: undefined },
        ownTelemetry,
      });
      await until(
        async () =>
          (await app.value('vb365_sink_delivered_total{server="hq",sink="traces",outcome="delivered"}')) === 1,
      );
      expect(await app.stop(5_000)).toBe('drained');
      const own = 'vb365-exporter.self vb365-exporter.self';
      const restore = 'vb365-exporter vb365-exporter restore item';
      expect(labels(receiver)).toEqual(
        expect.arrayContaining([`${own} poll`, `${own} delivery`, `${own} Listening`, restore]),
      );
      expect([...new Set(labels(receiver))].filter(label => !label.startsWith(own))).toEqual([restore]);
      const spans = otlpSpans(receiver);
      expect(spans.filter(({ name }) => name === 'delivery').map(attributesOf)).toContainEqual({
        'vb365.server': 'hq',
        'vb365.sink': 'traces',
        'vb365.events': 1,
      });
      expect(spans.filter(({ name }) => name === 'poll').map(attributesOf)).toContainEqual(
        expect.objectContaining({ 'vb365.server': 'hq', 'vb365.result': 'complete' }),
      );
      expect(spans.every(span => BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano))).toBe(true);
    });
  }, 60_000);

  test('holds what failed, and neither a receiver that is down nor one that hangs delays the end', async () => {
    await onStage(async ({ config, receiver }) => {
      const to = target(new URL('/v1/traces', receiver.url), { timeoutMs: 60_000 });
      const [server] = config.servers;
      if (server === undefined) throw new TypeError('no server');
      const servers = [{ ...server, login: { ...server.login, kind: 'password' as const, username: 'nobody' } }];
      const ownTelemetry = { traces: to, logs: target(new URL('http://127.0.0.1:1/v1/logs')) };
      receiver.answers.push(() => undefined);
      const app = await program({ ...config, servers, ownTelemetry });
      await until(async () => ((await app.value('vb365_polls_total{server="hq",result="failed"}')) ?? 0) >= 1);
      expect(await app.stop(5_000)).toBe('drained');
      const poll = otlpSpans(receiver).find(({ name }) => name === 'poll');
      expect(poll?.status.code).toBe(2);
      expect(poll && attributesOf(poll)).toMatchObject({ 'error.type': 'auth' });
    });
  }, 60_000);

  test('sends the fields and the level of a line, and no line below the level of the log', async () => {
    await onStage(async ({ receiver }) => {
      const own = startOwnTelemetry({ traces: undefined, logs: target(receiver.url) }, '1.2.3', systemClock);
      const written: string[] = [];
      const log = own.log(createLog({ level: 'warn', format: 'json', write: line => void written.push(line) }));
      log.info('Listening');
      log.child({ server: 'hq' }).warn('Delivering failed', { sink: 'logs', status: 429 });
      await own.close();
      expect(written).toHaveLength(1);
      const [record, ...more] = receiver.records();
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        severityNumber: 13,
        severityText: 'WARN',
        body: { stringValue: 'Delivering failed' },
      });
      expect(record && attributesOf(record)).toEqual({
        'vb365.server': 'hq',
        'vb365.sink': 'logs',
        'vb365.status': 429,
      });
    });
  }, 60_000);

  test('shows the client certificate and sends the headers of the configuration', async () => {
    await onStage(async ({ folder }) => {
      const authority = await createAuthority();
      const seen: unknown[] = [];
      const identity = await authority.issue([{ type: 'dns', value: 'localhost' }]);
      const options = { ...identity, ca: authority.cert, requestCert: true };
      const server = createServer(options, (request, response) => {
        seen.push(request.headers['x-scope-orgid']);
        request.resume().on('end', () => response.end('{}'));
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { cert, key } = await authority.issue([{ type: 'dns', value: 'vb365-exporter' }]);
      const files = { caFile: join(folder, 'ca'), certFile: join(folder, 'cert'), keyFile: join(folder, 'key') };
      writeFileSync(files.caFile, authority.cert);
      writeFileSync(files.certFile, cert);
      writeFileSync(files.keyFile, key);
      const url = new URL(`https://localhost:${String((server.address() as AddressInfo).port)}/v1/logs`);
      const to = target(url, { tls: files, headers: { 'x-scope-orgid': new Secret('tenant-1') } });
      const own = startOwnTelemetry({ traces: undefined, logs: to }, '1.2.3', systemClock);
      own.log(createLog({ level: 'info', format: 'json', write: () => undefined })).info('Listening');
      await own.close();
      server.closeAllConnections();
      server.close();
      expect(seen).toEqual(['tenant-1']);
    });
  }, 60_000);
});

/** Runs the real program until it says that it listens; the modules that it loaded. */
async function loadedBy({ folder, url, receiver }: Stage, enabled: boolean): Promise<readonly string[]> {
  writeFileSync(join(folder, 'password'), 'simulator');
  const server = { name: 'hq', url, username: 'simulator', password_file: join(folder, 'password') };
  const settings = {
    servers: [server],
    state: { path: join(folder, 'state.db') },
    otlp: { endpoint: receiver.url.origin, protocol: 'http/json' },
    traces: { enabled: true },
    own_telemetry: { enabled },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings));
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
     registerHooks({ load: (url, context, next) => { process.stdout.write('loaded ' + url + '\\n'); return next(url, context); } });`,
  );
  const argv = [
    'dist/src/main.js',
    '--config.file',
    join(folder, 'config.json'),
    '--web.listen-address',
    '127.0.0.1:0',
  ];
  const child = spawn(process.execPath, ['--import', pathToFileURL(hook).href, ...argv], { stdio: 'pipe' });
  let said = '';
  let printed = '';
  child.stdout.on('data', chunk => (printed += String(chunk)));
  child.stderr.on('data', chunk => (said += String(chunk)));
  const ended = new Promise(resolve => child.once('exit', resolve));
  await until(() => said.includes('Listening') || child.exitCode !== null, 60_000);
  child.kill('SIGTERM');
  expect([await ended, said.includes('Listening')]).toEqual([0, true]);
  return printed.split('\n').filter(line => line.startsWith('loaded '));
}

describe('the SDK', () => {
  const sdk = /\/own-telemetry\.js|opentelemetry\/(sdk-node|instrumentation|exporter-(logs|trace)-otlp-http)\//;

  test('is loaded only if own telemetry is on', async () => {
    await onStage(async stage => {
      const off = await loadedBy(stage, false);
      expect(off.some(line => line.includes('/otlp/traces-sink.js'))).toBe(true);
      expect(off.filter(line => sdk.test(line))).toEqual([]);
      const on = await loadedBy(stage, true);
      expect(on.some(line => line.includes('opentelemetry/sdk-node/'))).toBe(true);
      expect(labels(stage.receiver)).toContain('vb365-exporter.self vb365-exporter.self Listening');
    });
  }, 120_000);
});
