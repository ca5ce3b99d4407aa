import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../../src/config/parse.js';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import { keepAll, target } from '../support/logs.js';
import { otlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.js';
import { type OtlpSpan, otlpSpans } from '../support/otlp-spans.js';
import { configOf, inFolder, program, serverConfig, until } from '../support/program.js';

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

type OtlpScopes = Readonly<{
  resourceSpans: readonly Readonly<{
    resource: Readonly<{ attributes: readonly Readonly<{ key: string; value: Readonly<{ stringValue?: string }> }>[] }>;
    scopeSpans: readonly Readonly<{ scope: Readonly<{ name: string }>; spans: readonly OtlpSpan[] }>[];
  }>[];
}>;

/** Service, scope and name of every span. */
const labelled = ({ requests }: OtlpReceiver): readonly string[] =>
  requests
    .flatMap(({ body }) => (JSON.parse(body.toString()) as OtlpScopes).resourceSpans)
    .flatMap(({ resource, scopeSpans }) => {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      return scopeSpans.flatMap(({ scope, spans }) => spans.map(span => `${service} ${scope.name} ${span.name}`));
    });

describe('self-tracing', () => {
  test('has a span for every turn, with its requests as children, and none is taken for a restore', async () => {
    await onStage(async ({ config, receiver }) => {
      const to = target(new URL('/v1/traces', receiver.url));
      const app = await program({ ...config, traces: { ...to, personalData: keepAll }, selfTracing: to });
      await until(
        async () =>
          (await app.value('vb365_sink_delivered_total{server="hq",sink="traces",outcome="delivered"}')) === 1,
      );
      expect(await app.stop(5_000)).toBe('drained');
      const names = new Set(labelled(receiver));
      const self = 'vb365-exporter.self vb365-exporter.self';
      for (const name of [
        'turn discovery',
        'turn metrics',
        'turn traces',
        'request sessions',
        'request events',
        'request token',
      ])
        expect(names).toContain(`${self} ${name}`);
      expect(names).toContain('vb365-exporter vb365-exporter restore item');
      expect([...names].filter(one => !one.startsWith(self))).toEqual(['vb365-exporter vb365-exporter restore item']);
      const spans = otlpSpans(receiver);
      const turns = new Set(spans.filter(({ name }) => name.startsWith('turn')).map(({ spanId }) => spanId));
      const events = spans.filter(({ name }) => name === 'request events');
      expect(events.every(({ parentSpanId = '' }) => turns.has(parentSpanId))).toBe(true);
    });
  }, 30_000);

  test('tells what failed, and neither a receiver that is down nor one that hangs holds up the end', async () => {
    await onStage(async ({ config, receiver }) => {
      const to = target(new URL('/v1/traces', receiver.url), { timeoutMs: 60_000 });
      const [server] = config.servers;
      if (server === undefined) throw new TypeError('no server');
      const servers = [{ ...server, login: { ...server.login, kind: 'password' as const, username: 'nobody' } }];
      receiver.answers.push(() => undefined);
      const app = await program({ ...config, servers, selfTracing: to });
      await until(async () => ((await app.value('vb365_polls_total{server="hq",result="failed"}')) ?? 0) >= 1);
      expect(await app.stop(5_000)).toBe('drained');
      const turn = otlpSpans(receiver).find(({ name }) => name === 'turn discovery');
      expect(turn?.status.code).toBe(2);
      expect(turn?.attributes).toContainEqual({ key: 'error.type', value: { stringValue: 'auth' } });
    });
  }, 30_000);
});

/** Runs the real program until it says that it listens; the modules that it loaded. */
async function loadedBy({ folder, url, receiver }: Stage, enabled: boolean): Promise<readonly string[]> {
  writeFileSync(join(folder, 'password'), 'simulator');
  const server = { name: 'hq', url, username: 'simulator', password_file: join(folder, 'password') };
  const settings = {
    servers: [server],
    state: { path: join(folder, 'state.db') },
    otlp: { endpoint: receiver.url.origin },
    traces: { enabled: true },
    self_tracing: { enabled },
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
  test('is not loaded unless self-tracing is on', async () => {
    await onStage(async stage => {
      const off = await loadedBy(stage, false);
      expect(off.some(line => line.includes('/otlp/traces-sink.js'))).toBe(true);
      expect(off.filter(line => /\/self-tracing\.js|opentelemetry\/(sdk-node|instrumentation)\//.test(line))).toEqual(
        [],
      );
      const on = await loadedBy(stage, true);
      expect(on.some(line => line.includes('opentelemetry/sdk-node/'))).toBe(true);
    });
  }, 120_000);
});
