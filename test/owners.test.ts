import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { systemClock } from '../src/kernel/clock.js';
import { milliseconds } from '../src/model/time.js';
import type { Quirks } from '../src/simulator/quirks.js';
import { simulate, type Simulator } from '../src/simulator/simulate.js';
import { nobody } from '../src/simulator/world.js';
import { inFolder } from './support/folder.js';
import { otlpReceiver } from './support/otlp-receiver.js';
import { program, type Program } from './support/program.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

const alice = 'alice@contoso.com';
type Owned = Readonly<{ app: Program; simulator: Simulator; sent: () => string; state: () => string }>;

/** Alice opens two items of her own, one of Bob, and one of somebody who no longer exists. */
async function owned(
  { quirks, resolveOwners }: Readonly<{ quirks: Partial<Quirks>; resolveOwners: boolean }>,
  look: (of: Owned) => Promise<void>,
): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock, quirks });
    const { world } = simulator;
    const receiver = await otlpReceiver();
    const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8', resolveOwners }), receiver.url);
    const app = await program(config);
    for (const [id, email] of [
      ['a', alice],
      ['b', 'bob@contoso.com'],
    ] as const)
      world.addOwner({ kind: 'user', id, name: `Name of ${id}`, organizationId: 'o', email });
    try {
      await until(async () => (await app.get('/-/ready')).status === 200);
      const startedAt = milliseconds(systemClock.now());
      const session = world.addSession({ createdAt: startedAt, initiatedBy: 'Alice@Contoso.com' });
      for (const userId of ['a', 'a', 'b', 'gone'])
        world.appendEvent(session.id, { startedAt, type: 'View', touched: { ...nobody, userId } });
      await until(async () => (await relations(app)).reduce((sum, count) => sum + count, 0) === 4);
      await until(() => receiver.requests.some(({ body }) => body.toString().includes('veeam.restore.owner.id')));
      const state = () =>
        ['', '-wal']
          .map(end => config.state.path + end)
          .map(path => (existsSync(path) ? readFileSync(path, 'latin1') : ''))
          .join('');
      await look({ app, simulator, sent: () => receiver.requests.map(({ body }) => body.toString()).join(''), state });
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await simulator.close();
    }
  });
}

const relations = async (app: Program): Promise<readonly number[]> =>
  Promise.all(
    ['self', 'other', 'unknown'].map(
      async relation =>
        (await app.value(
          `vb365_restore_owner_events_total{server="hq",organization="example.onmicrosoft.com",relation="${relation}"}`,
        )) ?? 0,
    ),
  );

describe('whose data it is', () => {
  test('is looked up, counted and sent, and names are not stored', async () => {
    await owned({ quirks: {}, resolveOwners: true }, async ({ app, simulator, sent, state }) => {
      expect(await relations(app)).toEqual([2, 1, 1]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBe(3);
      expect(await app.value('vb365_owner_lookups_total{server="hq",outcome="found"}')).toBe(2);
      expect(await app.value('vb365_owner_lookups_total{server="hq",outcome="not_found"}')).toBe(1);
      for (const text of ['Name of a', 'Name of b', alice]) {
        expect(sent()).toContain(text);
        expect([text, state().includes(text)]).toEqual([text, false]);
        expect([text, (await app.get('/metrics')).text.includes(text)]).toEqual([text, false]);
      }
    });
  });

  test('is the id alone where the server refuses, which the log says once', async () => {
    await owned({ quirks: { owners: 'refused' }, resolveOwners: true }, async ({ app, simulator }) => {
      expect(await relations(app)).toEqual([0, 0, 4]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBeLessThanOrEqual(3);
      expect(app.said.filter(line => line.includes('may not read the owners'))).toHaveLength(1);
    });
  });

  test('is the id alone, without a request, when look-ups are switched off', async () => {
    await owned({ quirks: {}, resolveOwners: false }, async ({ app, simulator }) => {
      expect(await relations(app)).toEqual([0, 0, 4]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBe(0);
    });
  });
});
