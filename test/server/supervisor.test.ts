import { describe, expect, test } from '@jest/globals';
import { createLines, type LinePlan, type ServerLine } from '../../src/server/supervisor.js';
import { watchServer } from '../../src/server/status-observer.js';
import { fakeClock, settle } from '../support/fake-clock.js';
import { serverConfig } from '../support/program.js';

const plan = (name: string, pageSize = 1000): LinePlan => ({
  server: serverConfig('http://127.0.0.1:1', { name, pageSize }),
  history: { kind: 'now' },
  abandonAfterMs: 1,
});

/** Lines that note what becomes of them. One whose server's name begins with `slow` ends only when it is cut. */
function stage() {
  const clock = fakeClock();
  const told: string[] = [];
  const make = ({ server }: LinePlan): ServerLine => ({
    watch: watchServer(server, ['metrics'], { ours: clock, server: { now: () => 0n } }),
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
  const lines = createLines({ clock, make, gone: server => void told.push(`${server} is gone`) });
  return { clock, told, lines, take: () => told.splice(0) };
}

const nothing = { added: [], removed: [], changed: [], triedAgain: [], cut: [] };

describe('the lines', () => {
  test('end before any begins, and only those that have to', async () => {
    const { lines, take } = stage();
    expect(await lines.follow([plan('a'), plan('b'), plan('c')])).toEqual({ ...nothing, added: ['a', 'b', 'c'] });
    expect(take()).toEqual(['a begins', 'b begins', 'c begins']);
    const changes = await lines.follow([plan('d'), plan('c'), plan('a', 7)]);
    expect(changes).toEqual({ ...nothing, added: ['d'], changed: ['a'], removed: ['b'] });
    const [ends, rest] = [take(), lines.watches().map(watch => watch.view().name)];
    expect(ends.slice(0, 4).sort()).toEqual(['a closes', 'a ends', 'b closes', 'b ends']);
    expect(ends.slice(4)).toEqual(['b is gone', 'd begins', 'a begins']);
    expect(rest).toEqual(['d', 'c', 'a']);
  });

  test('with nothing to change are left alone, but for one whose login was refused', async () => {
    const { lines, take } = stage();
    const plans = [plan('a'), plan('refused')];
    await lines.follow(plans);
    take();
    expect(await lines.follow(plans)).toEqual({ ...nothing, triedAgain: ['refused'] });
    expect(take()).toEqual(['refused ends', 'refused closes', 'refused begins']);
  });

  test('are cut after 5 s, which is told, and only then does the next begin', async () => {
    const { lines, clock, take } = stage();
    await lines.follow([plan('slow')]);
    const following = lines.follow([plan('slow', 7)]);
    await clock.advance(4_999);
    expect(take()).toEqual(['slow begins']);
    await clock.advance(1);
    expect(await following).toMatchObject({ changed: ['slow'], cut: ['slow'] });
    expect(take()).toEqual(['slow ends', 'slow closes', 'slow begins']);
  });

  test('that are to stop end once, and none begins any more', async () => {
    const { lines, clock, take } = stage();
    await lines.follow([plan('slow'), plan('a')]);
    const following = lines.follow([plan('slow', 7), plan('b')]).catch((thrown: unknown) => thrown);
    const stopped = lines.stop(5_000);
    await settle();
    await clock.advance(5_000);
    expect(await stopped).toBe('cut');
    expect(await following).toMatchObject({ reason: 'aborted' });
    await expect(lines.follow([plan('c')])).rejects.toMatchObject({ reason: 'aborted' });
    await lines.running;
    expect(take().sort()).toEqual(['a begins', 'a closes', 'a ends', 'slow begins', 'slow closes', 'slow ends']);
  });

  test('reject when one ends that should not have', async () => {
    const { lines } = stage();
    await lines.follow([plan('broken')]);
    await lines.follow([]);
    await expect(lines.running).rejects.toThrow('broken');
  });
});
