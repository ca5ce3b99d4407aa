import { describe, expect, test } from '@jest/globals';
import { attackNames } from '../../src/simulator/attack-names.js';
import { attack } from '../../src/simulator/attacks.js';
import { drivenClock, visiting } from '../support/simulator.js';

const going = new AbortController().signal;

describe('an attack', () => {
  const inWorld = attackNames.filter(name => name !== 'blind-exporter' && name !== 'failed-logins');

  test.each(inWorld)('%s writes sessions that have stopped', async name => {
    await visiting(8, {}, async (_, simulator) => {
      await attack(name, simulator, drivenClock(), going);
      expect(simulator.world.changes.last).toBeGreaterThan(0);
      expect(simulator.world.sessions().map(({ state }) => state)).not.toContain('Working');
    });
  });

  test('failed-logins ends tokens and refuses logins', async () => {
    await visiting(8, {}, async (visitor, simulator) => {
      await attack('failed-logins', simulator, drivenClock(), going);
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(401);
      expect((await visitor.login(8)).status).toBe(400);
    });
  });

  test('blind-exporter breaks every connection after that', async () => {
    await visiting(8, {}, async (visitor, simulator) => {
      await attack('blind-exporter', simulator, drivenClock(), going);
      await expect(visitor.login(8)).rejects.toThrow('fetch failed');
    });
  });

  test('delete-sessions removes what it wrote', async () => {
    await visiting(8, {}, async (_, simulator) => {
      await attack('delete-sessions', simulator, drivenClock(), going);
      expect(simulator.world.sessions()).toEqual([]);
      expect(simulator.world.changes.after(0).at(-1)?.kind).toBe('deleted');
    });
  });

  test('stops between two steps', async () => {
    await visiting(8, {}, async (_, simulator) => {
      const stop = new AbortController();
      const clock = { ...drivenClock(), sleep: async () => stop.abort() };
      await attack('delete-sessions', simulator, clock, stop.signal);
      expect(simulator.world.sessions()).toHaveLength(1);
    });
  });
});
