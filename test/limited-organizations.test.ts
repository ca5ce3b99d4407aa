import { expect, test } from '@jest/globals';
import type { Config } from '../src/config/parse.js';
import { systemClock } from '../src/kernel/clock.js';
import { simulate } from '../src/simulator/simulate.js';
import { linesOf } from './support/exposition.js';
import { program, type Program } from './support/program.js';
import { inFolder } from './support/folder.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

const now = (): bigint => BigInt(systemClock.now()) * 1_000_000n;

/** The organizations that the page has restore events of, with how many. */
async function counted(app: Program): Promise<Readonly<Record<string, number>>> {
  const sums: Record<string, number> = {};
  for (const line of linesOf((await app.get('/metrics')).text, 'vb365_restore_events_total')) {
    const [, organization = '', value = ''] = /organization="([^"]*)".* (\d+)$/.exec(line) ?? [];
    sums[organization] = (sums[organization] ?? 0) + Number(value);
  }
  return sums;
}

test('an organization keeps its label value over a restart, and one above the limit stays under overflow', async () => {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const config: Config = {
      ...configOf(folder, serverConfig(simulator.url)),
      metrics: { organizationLabel: true, maxOrganizations: 1, firstIncrementHold: false },
    };
    const restore = (organization: string): void => {
      const { id } = simulator.world.addSession({ createdAt: now(), organization });
      simulator.world.appendEvent(id, { startedAt: now(), type: 'Restore', message: 'x' });
    };
    const run = async (meet: readonly string[], expected: Readonly<Record<string, number>>): Promise<void> => {
      const app = await program(config);
      try {
        await until(async () => (await app.get('/-/ready')).status === 200);
        for (const organization of meet) {
          restore(organization);
          const total = async () => Object.values(await counted(app)).reduce((a, b) => a + b, 0);
          const before = await total();
          await until(async () => (await total()) > before);
        }
        expect(await counted(app)).toEqual(expected);
      } finally {
        await app.stop(5_000);
      }
    };
    try {
      await run(['first', 'late'], { first: 1, overflow: 1 });
      await run(['late', 'later', 'first'], { first: 2, overflow: 3 });
    } finally {
      await simulator.close();
    }
  });
});
