import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate, type Simulator } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { program, type Program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { until } from '../support/until.js';
import { addEvents, oldSession, openSession, polled, restored, restoredOf, running } from '../support/stage.js';

/** A VB365 installation with its own sessions. */
const installation = (seed: number) => {
  const world = new World(seed);
  const run = async (port = 0): Promise<Simulator> => simulate({ clock: systemClock, seed, world, port });
  return { world, run };
};
const portOf = ({ url }: Simulator): number => Number(new URL(url).port);
const changes = 'vb365_installation_changes_total{server="hq"}';
const counts = async (app: Program, events: number, series = restored): Promise<void> => {
  await until(async () => (await app.value(series)) === events);
};
/** Waits for three more complete polls. */
const on = async (app: Program, server = 'hq'): Promise<void> => {
  const polls = (await app.value(`vb365_polls_total{server="${server}",result="complete"}`)) ?? 0;
  await until(async () => polled(app, server, polls + 3));
};

describe('a server that becomes another installation', () => {
  test('History is not news: starts without cursors, counters continue, and the first one continues where it was when it returns', async () => {
    await inFolder(async folder => {
      const [a, b] = [installation(1), installation(2)];
      oldSession(b.world, 2, 50);
      let running1 = await a.run();
      const port = portOf(running1);
      await running(await program(configOf(folder, serverConfig(running1.url))), async app => {
        await until(async () => polled(app));
        const open = openSession(a.world);
        addEvents(a.world, open, 5);
        await counts(app, 5);
        expect(await app.value(changes)).toBe(0);

        await running1.close();
        running1 = await b.run(port);
        await until(async () => (await app.value(changes)) === 1);
        await on(app);
        expect(await app.value(restored)).toBe(5);
        addEvents(b.world, openSession(b.world), 3);
        await counts(app, 8);
        addEvents(a.world, open, 2);

        await running1.close();
        running1 = await a.run(port);
        await counts(app, 10);
        await on(app);
        expect([await app.value(restored), await app.value(changes)]).toEqual([10, 2]);
        const warned = app.said.filter(line => line.includes('level=warn') && line.includes('installation'));
        expect(warned.join('')).toContain('its history is not counted, the old cursors are archived');
        expect(warned.join('')).toContain('that was known before; continuing from its cursors');
      });
      await running1.close();
    });
  });

  test('is noticed before anything of it is used when it was replaced while the exporter was down', async () => {
    await inFolder(async folder => {
      const [a, b] = [installation(1), installation(2)];
      oldSession(b.world, 2, 50);
      const first = await a.run();
      const config = configOf(folder, serverConfig(first.url));
      await running(await program(config), async app => {
        await until(async () => polled(app));
        addEvents(a.world, openSession(a.world), 5);
        await counts(app, 5);
      });
      await first.close();
      const second = await b.run(portOf(first));
      await running(await program(config), async app => {
        await on(app);
        expect([await app.value(restored), await app.value(changes)]).toEqual([5, 1]);
        addEvents(b.world, openSession(b.world), 1);
        await counts(app, 6);
      });
      await second.close();
    });
  });
});

test('an installation under a new name continues where it was: nothing lost, nothing counted twice', async () => {
  await inFolder(async folder => {
    const a = installation(1);
    const simulator = await a.run();
    const config = configOf(folder, serverConfig(simulator.url));
    const open = openSession(a.world);
    await running(await program(config), async app => {
      await until(async () => polled(app));
      addEvents(a.world, open, 5);
      await counts(app, 5);
    });
    addEvents(a.world, open, 3);
    const renamed = { ...config, servers: [serverConfig(simulator.url, { name: 'main' })] };
    await running(await program(renamed), async app => {
      await counts(app, 3, restoredOf('main'));
      await on(app, 'main');
      expect([await app.value(restoredOf('main')), await app.value(restored)]).toEqual([3, 5]);
      expect(app.said.join('')).toContain('known under another name; continuing');
    });
    await simulator.close();
  });
});

test('Nothing counted twice: one installation under two names is read through the first, and the other says why not', async () => {
  await inFolder(async folder => {
    const a = installation(1);
    const simulator = await a.run();
    const servers = ['hq', 'again'].map(name => serverConfig(simulator.url, { name }));
    await running(await program({ ...configOf(folder, serverConfig(simulator.url)), servers }), async app => {
      await until(async () => (await polled(app)) && (await app.get('/-/ready')).status === 200);
      addEvents(a.world, openSession(a.world), 4);
      await counts(app, 4);
      await on(app);
      expect(await app.value(restoredOf('again'))).toBeUndefined();
      expect([
        await app.value('vb365_server_up{server="hq"}'),
        await app.value('vb365_server_up{server="again"}'),
      ]).toEqual([1, 0]);
      expect(await app.value('vb365_poll_errors_total{server="again",reason="config"}')).toBeGreaterThan(0);
      expect(app.said.join('')).toContain('server \\"hq\\" is the same installation');
    });
    await simulator.close();
  });
});
