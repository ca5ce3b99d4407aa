import { describe, expect, test } from '@jest/globals';
import { createSupervisor, type ServerSpec, type ManagedServer } from '../../src/server/supervisor.js';
import { statusObserver } from '../../src/server/status-observer.js';
import { fakeClock, settle } from '../support/fake-clock.js';
import { serverConfig } from '../support/program.js';

const plan = (name: string, pageSize = 1000): ServerSpec => ({
  server: serverConfig('http://127.0.0.1:1', { name, pageSize }),
  history: { kind: 'now' },
  abandonAfterMs: 1,
});

/** Lines that note what becomes of them. One whose server's name begins with `slow` ends only when it is cut. */
function stage() {
  const clock = fakeClock();
  const told: string[] = [];
  const make = ({ server }: ServerSpec): ManagedServer => ({
    status: statusObserver(server, ['metrics'], { ours: clock, server: { now: () => 0n } }),
    run: async ({ quit, cut }) => {
      told.push(`${server.name} begins`);
      const end = server.name.startsWith('slow') ? cut : quit;
      await new Promise(resolve => {
        end.addEventListener('abort', resolve);
      });
      if (server.name === 'broken') throw new Error('broken');
      told.push(`${server.name} ends`);
    },
    loginRefused: () => server.name === 'refused',
    close: async () => void told.push(`${server.name} closes`),
  });
  const supervisor = createSupervisor({ clock, make, gone: server => void told.push(`${server} is gone`) });
  return { clock, told, lines: supervisor, take: () => told.splice(0) };
}

const nothing = { added: [], removed: [], changed: [], triedAgain: [], cut: [] };

describe('the lines', () => {
  test('end before any begins, and only those that have to', async () => {
    const { lines: supervisor, take } = stage();
    expect(await supervisor.apply([plan('a'), plan('b'), plan('c')])).toEqual({ ...nothing, added: ['a', 'b', 'c'] });
    expect(take()).toEqual(['a begins', 'b begins', 'c begins']);
    const changes = await supervisor.apply([plan('d'), plan('c'), plan('a', 7)]);
    expect(changes).toEqual({ ...nothing, added: ['d'], changed: ['a'], removed: ['b'] });
    const [ends, rest] = [take(), supervisor.watches().map(status => status.view().name)];
    expect(ends.slice(0, 4).sort()).toEqual(['a closes', 'a ends', 'b closes', 'b ends']);
    expect(ends.slice(4)).toEqual(['b is gone', 'd begins', 'a begins']);
    expect(rest).toEqual(['d', 'c', 'a']);
  });

  test('with nothing to change are left alone, but for one whose login was refused', async () => {
    const { lines: supervisor, take } = stage();
    const plans = [plan('a'), plan('refused')];
    await supervisor.apply(plans);
    take();
    expect(await supervisor.apply(plans)).toEqual({ ...nothing, triedAgain: ['refused'] });
    expect(take()).toEqual(['refused ends', 'refused closes', 'refused begins']);
  });

  test('are cut after 5 s, which is told, and only then does the next begin', async () => {
    const { lines: supervisor, clock, take } = stage();
    await supervisor.apply([plan('slow')]);
    const following = supervisor.apply([plan('slow', 7)]);
    await clock.advance(4_999);
    expect(take()).toEqual(['slow begins']);
    await clock.advance(1);
    expect(await following).toMatchObject({ changed: ['slow'], cut: ['slow'] });
    expect(take()).toEqual(['slow ends', 'slow closes', 'slow begins']);
  });

  test('that are to stop end once, and none begins any more', async () => {
    const { lines: supervisor, clock, take } = stage();
    await supervisor.apply([plan('slow'), plan('a')]);
    const following = supervisor.apply([plan('slow', 7), plan('b')]).catch((thrown: unknown) => thrown);
    const stopped = supervisor.stop(5_000);
    await settle();
    await clock.advance(5_000);
    expect(await stopped).toBe('cut');
    expect(await following).toMatchObject({ reason: 'aborted' });
    await expect(supervisor.apply([plan('c')])).rejects.toMatchObject({ reason: 'aborted' });
    await supervisor.running;
    expect(take().sort()).toEqual(['a begins', 'a closes', 'a ends', 'slow begins', 'slow closes', 'slow ends']);
  });

  test('reject when one ends that should not have', async () => {
    const { lines: supervisor } = stage();
    await supervisor.apply([plan('broken')]);
    await supervisor.apply([]);
    await expect(supervisor.running).rejects.toThrow('broken');
  });
});
