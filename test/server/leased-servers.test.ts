import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { createLog } from '../../src/kernel/log.js';
import { LeasedServers } from '../../src/server/leased-servers.js';
import type { ServerSpec } from '../../src/server/supervisor.js';
import type { Leases } from '../../src/store/postgresql/leases.js';
import { fakeClock, settle } from '../support/fake-clock.js';
import { isPromised, quotedLines, runbooks } from '../support/log-promises.js';
import { serverConfig } from '../support/program-config.js';

const specs = (...names: readonly string[]): readonly ServerSpec[] =>
  names.map(name => ({
    server: serverConfig('http://127.0.0.1:1', { name }),
    history: { kind: 'now' },
    abandonAfterMs: 1,
  }));

const leaseMs = 15_000;
const down = new ExporterError('store', 'Could not renew leases in the state in PostgreSQL: connection refused');

/** A database of leases for replicas on one clock; one of them can be cut off. */
function stage() {
  const clock = fakeClock();
  const holders = new Map<string, Readonly<{ id: string; untilMs: number }>>();
  const replicas = new Map<string, boolean>();
  const isCutOff = new Set<string>();
  const isFree = (server: string): boolean => (holders.get(server)?.untilMs ?? 0) <= clock.monotonic();
  const leasesOf = (id: string): Leases => {
    const own = new Map<string, number>();
    const held = (): readonly string[] => [...own].flatMap(([server, ms]) => (ms > clock.monotonic() ? [server] : []));
    const grant = (server: string): void => {
      own.set(server, clock.monotonic() + leaseMs * 0.8);
      holders.set(server, { id, untilMs: clock.monotonic() + leaseMs });
    };
    const connect = async (): Promise<void> => {
      if (isCutOff.has(id)) throw down;
    };
    return {
      held,
      numberOf: () => '1',
      enroll: connect,
      acquire: async servers => {
        await connect();
        const gained = servers.filter(isFree);
        gained.forEach(grant);
        return gained;
      },
      renew: async (servers, draining) => {
        await connect();
        replicas.set(id, draining);
        const mine = held().filter(server => holders.get(server)?.id === id);
        const lost = held().filter(server => !mine.includes(server));
        lost.forEach(server => own.delete(server));
        mine.forEach(grant);
        const others = [...replicas].filter(([other]) => other !== id);
        const count = (other: string): number =>
          servers.filter(one => !isFree(one) && holders.get(one)?.id === other).length;
        return {
          lost,
          free: servers.filter(isFree),
          others: others.map(([other, isDraining]) => ({ id: other, draining: isDraining, servers: count(other) })),
        };
      },
      release: async servers => {
        await connect();
        for (const server of servers.filter(one => own.delete(one))) holders.delete(server);
      },
      drop: servers => servers.forEach(server => own.delete(server)),
      leave: async () => {
        await connect();
        for (const [server, holder] of holders) if (holder.id === id) holders.delete(server);
        replicas.delete(id);
      },
    };
  };
  const replica = (id: string) => {
    const log: string[] = [];
    const lines: string[] = [];
    let fails = false;
    const servers = new LeasedServers({
      leases: leasesOf(id),
      renewMs: leaseMs / 3,
      supervisor: {
        apply: async (wanted, options) => {
          log.push(
            `runs ${wanted.map(({ server }) => server.name).join(' ')}${options?.drainMs === 0 ? ', at once' : ''}`,
          );
          return { added: [], removed: [], changed: [], retried: [], cut: [] };
        },
        stop: async () => 'drained',
      },
      configured: () => undefined,
      load: async names => {
        if (fails) throw down;
        log.push(`loads ${names.join(' ')}`);
      },
      unload: async names => void (names.length > 0 && log.push(`unloads ${names.join(' ')}`)),
      renewed: () => undefined,
      moved: (change, count) => void log.push(`${change} ${String(count)}`),
      clock,
      random: () => 0,
      log: createLog({ level: 'info', format: 'logfmt', write: line => void lines.push(line) }),
    });
    return { servers, lines, take: () => log.splice(0), fail: (isFailing: boolean) => void (fails = isFailing) };
  };
  return { clock, holders, isCutOff, replica };
}

/** For each line that the runbook quotes, whether it was logged. */
const promisedIn = (lines: readonly string[], runbook: string): readonly boolean[] =>
  runbooks
    .filter(({ name }) => name === runbook)
    .flatMap(({ text }) => quotedLines(text))
    .map(quoted => lines.some(line => isPromised(quoted, line)));

describe('a replica', () => {
  test('alone runs every server, whose state it has loaded before', async () => {
    const { replica } = stage();
    const { servers, take } = replica('one');
    await servers.start(specs('a', 'b'));
    expect(take()).toEqual(['runs ', 'loads a b', 'acquired 2', 'runs a b']);
    await servers.stop(0);
  });

  test('gives servers to one that joins, and each runs on one of them', async () => {
    const { clock, replica, holders } = stage();
    const [one, two] = [replica('one'), replica('two')];
    await one.servers.start(specs('a', 'b', 'c', 'd'));
    await two.servers.start(specs('a', 'b', 'c', 'd'));
    one.take();
    await clock.advance(30_000);
    expect(one.take()).toEqual(['runs b c d', 'unloads a', 'released 1', 'runs c d', 'unloads b', 'released 1']);
    expect(two.take()).toEqual(['runs ', 'loads a', 'acquired 1', 'runs a', 'loads b', 'acquired 1', 'runs a b']);
    expect([...holders].map(([server, { id }]) => `${server} ${id}`).toSorted()).toEqual([
      'a two',
      'b two',
      'c one',
      'd one',
    ]);
    await Promise.all([one.servers.stop(0), two.servers.stop(0)]);
  });

  test('that is cut off ends its servers at once, before another one can have them, and goes on serving them', async () => {
    const { clock, replica, isCutOff } = stage();
    const [one, two] = [replica('one'), replica('two')];
    await one.servers.start(specs('a'));
    await two.servers.start(specs('a'));
    one.take();
    isCutOff.add('one');
    await clock.advance(11_000);
    expect(one.take()).toEqual([]);
    await clock.advance(3_000);
    expect(one.take()).toEqual(['lost 1', 'runs , at once']);
    expect(two.take()).toEqual(['runs ']);
    await clock.advance(10_000);
    expect(two.take()).toEqual(['loads a', 'acquired 1', 'runs a']);
    isCutOff.delete('one');
    await clock.advance(2_000);
    expect(one.take()).toEqual(['unloads a']);
    expect(promisedIn(one.lines, 'VB365LeaseRenewalFailing')).toEqual([true]);
    expect(one.lines.at(-1)).toContain('msg="Leases recovered"');
    await Promise.all([one.servers.stop(0), two.servers.stop(0)]);
  });

  test('that wakes up does not serve what another one serves, from its first page on', async () => {
    const { clock, replica, isCutOff } = stage();
    const [one, two] = [replica('one'), replica('two')];
    await one.servers.start(specs('a'));
    isCutOff.add('one');
    await two.servers.start(specs('a'));
    await clock.advance(25_000);
    one.take();
    await one.servers.beforePage();
    expect(one.take()).toEqual([]);
    isCutOff.delete('one');
    await one.servers.beforePage();
    expect(one.take()).toEqual(['unloads a']);
    await Promise.all([one.servers.stop(0), two.servers.stop(0)]);
  });

  test('that returns before anybody has its servers loads them again', async () => {
    const { clock, replica, isCutOff } = stage();
    const { servers, take } = replica('one');
    await servers.start(specs('a'));
    take();
    isCutOff.add('one');
    await clock.advance(20_000);
    isCutOff.delete('one');
    await clock.advance(5_000);
    expect(take()).toEqual(['lost 1', 'runs , at once', 'loads a', 'acquired 1', 'runs a']);
    await servers.stop(0);
  });

  test('that cannot load a server releases it and tries again', async () => {
    const { clock, replica, holders } = stage();
    const { servers, lines, take, fail } = replica('one');
    fail(true);
    await servers.start(specs('a'));
    expect([take(), holders.size]).toEqual([['runs '], 0]);
    expect(promisedIn(lines, 'VB365ServerWithoutReplica')).toEqual([true]);
    fail(false);
    await clock.advance(3_000);
    expect(take()).toEqual(['loads a', 'acquired 1', 'runs a']);
    await servers.stop(0);
  });

  test('that stops keeps its leases until it leaves, and then they are free', async () => {
    const { replica, holders } = stage();
    const { servers } = replica('one');
    await servers.start(specs('a', 'b'));
    expect(await servers.stop(0)).toBe('drained');
    expect(holders.size).toBe(2);
    await servers.leave();
    expect(holders.size).toBe(0);
  });

  test('releases a server that is not configured any more', async () => {
    const { clock, replica, holders } = stage();
    const { servers, take } = replica('one');
    await servers.start(specs('a', 'b'));
    take();
    await servers.apply(specs('b'));
    await clock.advance(6_000);
    await settle();
    expect(take()).toEqual(['runs b', 'unloads a', 'released 1']);
    expect([...holders.keys()]).toEqual(['b']);
    await servers.stop(0);
  });
});
