import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { until } from '../support/until.js';

test('a session that is open and read to its end is no backlog', async () => {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const app = await program(configOf(folder, serverConfig(simulator.url)));
    try {
      simulator.world.addSession({ createdAt: BigInt(systemClock.now()) * 1_000_000n });
      // Read several times.
      await until(() => simulator.traffic.count('/RestoreSessions/{id}/Events') >= 5);
      await until(async () => (await app.value('vb365_sink_backlog_sessions{server="hq",sink="metrics"}')) === 0);
      const { text } = await app.get('/metrics');
      expect(text).toMatch(/^vb365_restore_sessions_open\{.*\} 1$/m);
    } finally {
      await app.stop(5_000);
      await simulator.close();
    }
  });
});
