import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../support/scripted-server.js';
import { bench, grant, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

describe('a login', () => {
  test('that is answered with a wait is not tried again before that is over', async () => {
    const reply: Reply = { status: 429, headers: { 'retry-after': '7' } };
    const one = await begin(() => page, { tokens: (_, n) => (n === 1 ? reply : grant(n)) });
    await expect(read(one)).rejects.toMatchObject({ reason: 'throttled', retryAfterMs: 7_000 });
    one.clock.move(6_999);
    await expect(read(one)).rejects.toMatchObject({ reason: 'throttled', retryAfterMs: 1 });
    expect(one.logins()).toHaveLength(1);
    one.clock.move(1);
    await expect(read(one)).resolves.toBeDefined();
  });

  test('that fails over and over is tried again after a wait that grows up to 30 s', async () => {
    const one = await begin(() => page, { tokens: () => ({ status: 500 }), random: () => 0.5 });
    for (const [wait, logins] of [
      [0, 1],
      [499, 1],
      [1, 2],
      [999, 2],
      [1, 3],
      [2_000, 4],
      [4_000, 5],
      [8_000, 6],
      [14_999, 6],
      [1, 7],
      [14_999, 7],
      [1, 8],
    ] as const) {
      one.clock.move(wait);
      await expect(read(one)).rejects.toMatchObject({ reason: 'server', message: 'Could not log in: HTTP 500' });
      expect(one.logins()).toHaveLength(logins);
    }
  });
});
