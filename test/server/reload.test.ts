import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config, ServerConfig } from '../../src/config/parse.js';
import { systemClock } from '../../src/kernel/clock.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Simulator } from '../../src/simulator/simulate.js';
import { heldAnswer } from '../support/exporter-stage.js';
import { program, type Program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { until } from '../support/until.js';
import {
  addEvents,
  oldSession,
  onStage,
  openSession,
  polled,
  restored,
  restoredOf,
  running,
} from '../support/stage.js';

/** The program, and what it reads at a reload. */
type Reloaded = Readonly<{
  app: Program;
  wanted: { config: Config };
  /** Plans other servers. */
  others: (servers: readonly ServerConfig[]) => void;
  /** How often the configuration was read again. */
  reads: () => number;
}>;

async function reloadable(config: Config, play: (one: Reloaded) => Promise<void>): Promise<void> {
  const wanted = { config };
  const others = (servers: readonly ServerConfig[]): void => {
    wanted.config = { ...wanted.config, servers };
  };
  let reads = 0;
  const reread = (): Config => {
    reads += 1;
    return wanted.config;
  };
  const app = await program(config, 0, systemClock, { reread });
  await running(app, async () => play({ app, wanted, others, reads: () => reads }));
}

const logins = ({ traffic }: Simulator): number => traffic.count('/token');
const gauges = (text: string, server: string): readonly string[] =>
  text.split('\n').filter(line => line.startsWith('vb365_server_up') && line.includes(`server="${server}"`));
const said = ({ said: lines }: Program, text: string): readonly string[] => lines.filter(line => line.includes(text));
const uidsOf = (records: readonly Readonly<{ attributes: readonly Readonly<{ key: string; value: unknown }>[] }>[]) =>
  new Set(records.map(({ attributes }) => JSON.stringify(attributes.find(({ key }) => key === 'log.record.uid'))));
const success = 'vb365_config_last_reload_successful';

const badFile = (): never => {
  throw new ExporterError('config', 'Could not read the configuration:\n  servers: is missing');
};

describe('a reload', () => {
  test('History is not news: adds a server, and leaves the other one its token', async () => {
    await onStage({}, async ({ folder, simulator: hq }) => {
      await onStage({ seed: 2 }, async ({ simulator: branch }) => {
        oldSession(branch.world, 2, 50);
        const one = serverConfig(hq.url);
        await reloadable(configOf(folder, one), async ({ app, others }) => {
          await until(async () => polled(app));
          others([one, serverConfig(branch.url, { name: 'branch' })]);
          expect(await app.reload()).toBe('Configuration reloaded');
          expect((await app.get('/-/ready')).status).toBe(200);
          expect(await app.value('vb365_polls_total{server="branch",result="failed"}')).toBe(0);
          await until(async () => polled(app, 'branch'));
          addEvents(branch.world, openSession(branch.world), 4);
          addEvents(hq.world, openSession(hq.world), 3);
          await until(async () => (await app.value(restoredOf('branch'))) === 4 && (await app.value(restored)) === 3);
          expect([logins(hq), logins(branch)]).toEqual([1, 1]);
          expect((await app.get('/')).text).toContain('branch');
        });
      });
    });
  });

  test('Nothing lost: a server that is removed loses its gauges, keeps its counters, and goes on when it is back', async () => {
    await onStage({}, async ({ folder, simulator: hq }) => {
      await onStage({ seed: 2 }, async ({ simulator: branch }) => {
        const both = [serverConfig(hq.url), serverConfig(branch.url, { name: 'branch' })] as const;
        await reloadable({ ...configOf(folder, both[0]), servers: both }, async ({ app, others }) => {
          await until(async () => (await polled(app)) && polled(app, 'branch'));
          const session = openSession(branch.world);
          addEvents(branch.world, session, 2);
          await until(async () => (await app.value(restoredOf('branch'))) === 2);
          others([both[0]]);
          await app.reload();
          const { text } = await app.get('/metrics');
          expect([gauges(text, 'hq').length, gauges(text, 'branch').length]).toEqual([1, 0]);
          expect(text).not.toContain('vb365_restore_sessions_open{server="branch"');
          expect(await app.value(restoredOf('branch'))).toBe(2);
          const asked = branch.traffic.count('/RestoreSessions');
          addEvents(branch.world, session, 3);
          await until(async () => polled(app, 'hq', 5));
          expect(branch.traffic.count('/RestoreSessions')).toBe(asked);
          others(both);
          await app.reload();
          await until(async () => (await app.value(restoredOf('branch'))) === 5);
          expect([logins(hq), logins(branch)]).toEqual([1, 2]);
        });
      });
    });
  });

  test.each(['v6', 'v8'] as const)(
    'Nothing counted twice: a server (%s) that changes again and again is counted and delivered once',
    async apiVersion => {
      await onStage({}, async ({ folder, simulator: { url, world }, receiver }) => {
        await reloadable(configOf(folder, serverConfig(url, { apiVersion }), receiver.url), async ({ app, others }) => {
          await until(async () => polled(app));
          const session = openSession(world);
          for (let round = 1; round <= 8; round += 1) {
            addEvents(world, session, 20);
            others([serverConfig(url, { apiVersion, openPollIntervalMs: 20 + round })]);
            await app.reload();
          }
          await until(async () => (await app.value(restored)) === 160 && receiver.records().length >= 160);
          expect(said(app, 'changed=hq')).toHaveLength(8);
        });
        expect([receiver.records().length, uidsOf(receiver.records()).size]).toEqual([160, 160]);
      });
    },
  );

  test('Nothing counted twice: what is being delivered ends before the new line begins, and a second reload waits', async () => {
    await onStage({}, async ({ folder, simulator, receiver }) => {
      const { url, world } = simulator;
      await reloadable(configOf(folder, serverConfig(url), receiver.url), async ({ app, others, reads }) => {
        await until(async () => polled(app));
        const { hold, held } = heldAnswer();
        receiver.answers.push(hold);
        addEvents(world, openSession(world), 5);
        const release = await held;
        others([serverConfig(url, { pageSize: 500 })]);
        const first = app.reload();
        await until(() => reads() === 1);
        others([serverConfig(url, { pageSize: 400 })]);
        const second = app.reload();
        await app.get('/metrics');
        expect([logins(simulator), said(app, 'Configuration reloaded').length, reads()]).toEqual([1, 0, 1]);
        release();
        await Promise.all([first, second]);
        await until(async () => (await app.value(restored)) === 5 && receiver.records().length >= 5);
        expect(said(app, 'changed=hq')).toHaveLength(2);
      });
      expect(uidsOf(receiver.records()).size).toBe(receiver.records().length);
    });
  });

  test('Nothing counted twice: a server with another URL and another account keeps its cursors, a renamed one too', async () => {
    await onStage({}, async ({ folder, simulator: { url, world } }) => {
      await reloadable(configOf(folder, serverConfig(url)), async ({ app, others }) => {
        await until(async () => polled(app));
        const session = openSession(world);
        addEvents(world, session, 3);
        await until(async () => (await app.value(restored)) === 3);
        others([serverConfig(url.replace('127.0.0.1', 'localhost'), { password: { file: join(folder, 'password') } })]);
        writeFileSync(join(folder, 'password'), 'simulator');
        await app.reload();
        addEvents(world, session, 2);
        await until(async () => (await app.value(restored)) === 5);
        others([serverConfig(url, { name: 'main' })]);
        await app.reload();
        addEvents(world, session, 4);
        await until(async () => (await app.value(restoredOf('main'))) === 4);
        expect(await app.value(restored)).toBe(5);
      });
    });
  });

  test('with a bad file keeps the configuration in force, says so in one line, in metrics and in the answer', async () => {
    await onStage({}, async ({ folder, simulator: { url, world } }) => {
      const config = configOf(folder, serverConfig(url));
      let read: () => Config = badFile;
      await running(await program(config, 0, systemClock, { reread: () => read() }), async app => {
        await until(async () => polled(app));
        expect(await app.value(success)).toBe(1);
        await expect(app.reload()).rejects.toMatchObject({ reason: 'config' });
        expect(await app.value(success)).toBe(0);
        const lines = said(app, 'Configuration reload failed, keeping the current configuration');
        expect([lines.length, lines[0]?.trimEnd().includes('\n')]).toEqual([1, false]);
        addEvents(world, openSession(world), 2);
        await until(async () => (await app.value(restored)) === 2);
        const readAt = (await app.value('vb365_config_last_reload_success_timestamp_seconds')) ?? 0;
        read = () => config;
        await app.reload();
        expect(await app.value(success)).toBe(1);
        expect(await app.value('vb365_config_last_reload_success_timestamp_seconds')).toBeGreaterThan(readAt);
      });
    });
  });

  test('names the settings that wait for the next start', async () => {
    await onStage({}, async ({ folder, simulator: { url } }) => {
      await reloadable(configOf(folder, serverConfig(url)), async ({ app, wanted }) => {
        wanted.config = { ...wanted.config, maxConcurrentRequests: 1, state: { path: '/elsewhere' } };
        const names = 'state.path, max_concurrent_requests';
        expect(await app.reload()).toContain(names);
        expect(said(app, names)).toHaveLength(1);
      });
    });
  });

  test('tries a refused login again at once, with the same secret and with another', async () => {
    await onStage({}, async ({ folder, simulator }) => {
      const file = join(folder, 'password');
      writeFileSync(file, 'wrong');
      const server = serverConfig(simulator.url, { password: { file }, pollIntervalMs: 3_600_000 });
      await reloadable(configOf(folder, server), async ({ app }) => {
        const failed = 'vb365_polls_total{server="hq",result="failed"}';
        await until(async () => (await app.value(failed)) === 1);
        await app.reload();
        await until(async () => (await app.value(failed)) === 2);
        expect(logins(simulator)).toBe(2);
        writeFileSync(file, 'simulator');
        await app.reload();
        await until(async () => (await app.value('vb365_server_up{server="hq"}')) === 1);
        expect(said(app, 'retried=hq')).toHaveLength(2);
      });
    });
  });

  test('while the program stops does no harm', async () => {
    await onStage({}, async ({ folder, simulator: { url }, receiver }) => {
      const config = configOf(folder, serverConfig(url), receiver.url);
      const changed = { ...config, servers: [serverConfig(url, { pageSize: 40 })] };
      const app = await program(config, 0, systemClock, { reread: () => changed });
      await until(async () => polled(app));
      const before = app.reload().catch((thrown: unknown) => thrown);
      const stopped = app.stop(5_000);
      await expect(app.reload()).rejects.toMatchObject({ reason: 'aborted' });
      expect(await stopped).toBe('drained');
      await before;
      await expect(app.reload()).rejects.toMatchObject({ reason: 'aborted' });
      expect(said(app, 'level=error')).toEqual([]);
    });
  });
});
