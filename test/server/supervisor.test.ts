import { describe, expect, test } from '@jest/globals';
import { type ManagedServer, type ServerSpec, Supervisor } from '../../src/server/supervisor.js';
import { RecentFailures } from '../../src/server/recent-failures.js';
import { statusObserver } from '../../src/server/status-observer.js';
import { fakeClock, settle } from '../support/fake-clock.js';
import { serverConfig } from '../support/program-config.js';

const spec = (name: string, pageSize = 1000): ServerSpec => ({
  server: serverConfig('http://127.0.0.1:1', { name, pageSize }),
  history: { kind: 'now' },
  abandonAfterMs: 1,
});

/** Servers that log what happens to them. One whose name begins with `slow` ends only when it is cut. */
function stage() {
  const clock = fakeClock();
  const log: string[] = [];
  const create = ({ server }: ServerSpec): ManagedServer => ({
    status: statusObserver(server, ['metrics'], { clock, source: { now: () => 0n }, failures: new RecentFailures(1) }),
    run: async ({ quit, cut }) => {
      log.push(`${server.name} starts`);
      const end = server.name.startsWith('slow') ? cut : quit;
      await new Promise(resolve => {
        end.addEventListener('abort', resolve);
      });
      if (server.name === 'broken') throw new Error('broken');
      log.push(`${server.name} ends`);
    },
    loginRefused: () => server.name === 'refused',
    close: async () => void log.push(`${server.name} closes`),
  });
  const supervisor = new Supervisor({ clock, create, removed: server => void log.push(`${server} is removed`) });
  return { clock, supervisor, take: () => log.splice(0) };
}

const nothing = { added: [], removed: [], changed: [], retried: [], cut: [] };

describe('the supervisor', () => {
  test('ends removed and changed servers before it starts others, and leaves the rest alone', async () => {
    const { supervisor, take } = stage();
    expect(await supervisor.apply([spec('a'), spec('b'), spec('c')])).toEqual({ ...nothing, added: ['a', 'b', 'c'] });
    expect(take()).toEqual(['a starts', 'b starts', 'c starts']);
    const changes = await supervisor.apply([spec('d'), spec('c'), spec('a', 7)]);
    expect(changes).toEqual({ ...nothing, added: ['d'], changed: ['a'], removed: ['b'] });
    const [ends, rest] = [take(), supervisor.statuses().map(status => status.view().name)];
    expect(ends.slice(0, 4).sort()).toEqual(['a closes', 'a ends', 'b closes', 'b ends']);
    expect(ends.slice(4)).toEqual(['b is removed', 'd starts', 'a starts']);
    expect(rest).toEqual(['d', 'c', 'a']);
  });

  test('restarts an unchanged server only if its login was refused', async () => {
    const { supervisor, take } = stage();
    const specs = [spec('a'), spec('refused')];
    await supervisor.apply(specs);
    take();
    expect(await supervisor.apply(specs)).toEqual({ ...nothing, retried: ['refused'] });
    expect(take()).toEqual(['refused ends', 'refused closes', 'refused starts']);
  });

  test('restarts it at most three times in half an hour, so that the account does not lock', async () => {
    const { clock, supervisor } = stage();
    await supervisor.apply([spec('refused')]);
    const retries: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      if ((await supervisor.apply([spec('refused')])).retried.length > 0) retries.push(minute);
      await clock.advance(60_000);
    }
    expect(retries).toEqual([0, 1, 2, 30, 31, 32]);
  });

  test('cuts a server after 5 s, reports it, and only then starts the next', async () => {
    const { supervisor, clock, take } = stage();
    await supervisor.apply([spec('slow')]);
    const following = supervisor.apply([spec('slow', 7)]);
    await clock.advance(4_999);
    expect(take()).toEqual(['slow starts']);
    await clock.advance(1);
    expect(await following).toMatchObject({ changed: ['slow'], cut: ['slow'] });
    expect(take()).toEqual(['slow ends', 'slow closes', 'slow starts']);
  });

  test('ends each server once on stop, and starts none after it', async () => {
    const { supervisor, clock, take } = stage();
    await supervisor.apply([spec('slow'), spec('a')]);
    const following = supervisor.apply([spec('slow', 7), spec('b')]).catch((thrown: unknown) => thrown);
    const stopped = supervisor.stop(5_000);
    await settle();
    await clock.advance(5_000);
    expect(await stopped).toBe('cut');
    expect(await following).toMatchObject({ reason: 'aborted' });
    await expect(supervisor.apply([spec('c')])).rejects.toMatchObject({ reason: 'aborted' });
    await supervisor.running;
    expect(take().sort()).toEqual(['a closes', 'a ends', 'a starts', 'slow closes', 'slow ends', 'slow starts']);
  });

  test('rejects if a server ends unexpectedly', async () => {
    const { supervisor } = stage();
    await supervisor.apply([spec('broken')]);
    await supervisor.apply([]);
    await expect(supervisor.running).rejects.toThrow('broken');
  });
});
