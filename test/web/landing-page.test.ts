import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { program, type Program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { until } from '../support/until.js';
import { onStage, openSession, running } from '../support/stage.js';

const eventId = '755d207e-ebd6-49da-9943-3b9e5eb31dee';
const counted = (id: string): RegExp => new RegExp(`<code>${id}<[^]*?data-label="Events"><div>1<`);
const textOf = async (app: Program): Promise<string> => (await app.get('/')).text;

test('the page shows a failed event and the events counted of its session; a restart forgets only the failed event', async () => {
  await onStage({}, async ({ folder, simulator: { url, world } }) => {
    const config = configOf(folder, serverConfig(url));
    let session = '';
    await running(await program(config), async app => {
      await until(async () => (await app.get('/-/ready')).status === 200);
      expect(await textOf(app)).toContain('None since the exporter started');
      session = openSession(world);
      const startedAt = BigInt(systemClock.now()) * 1_000_000n;
      world.appendEvent(session, { id: eventId, startedAt, type: 'Restore', status: 'Failed', message: 'canary-mail' });
      await until(async () => (await textOf(app)).includes(eventId));
      await until(async () => counted(session).test(await textOf(app)));
      expect(await textOf(app)).not.toContain('canary');
    });
    await running(await program(config), async app => {
      await until(async () => counted(session).test(await textOf(app)));
      expect(await textOf(app)).toContain('None since the exporter started');
    });
  });
});
