import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import type { FeedAnswer } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { put, stop } from '../support/discovery-rig.js';
import { fedLine } from '../support/fed.js';
import { append, change, following, minute, open } from '../support/following.js';
import { event, session } from '../support/server-run.js';

describe('the change feed', () => {
  test('is asked for its end before the list, and its token is stored with what the list found', async () => {
    const store = memoryStore();
    const commits: unknown[] = [];
    const watched = {
      ...store,
      commit: async (all: Parameters<typeof store.commit>[0]) => (commits.push(all), store.commit(all)),
    };
    const line = fedLine({ store: watched });
    line.server.report({ id: 'earlier' });
    line.server.held.set('s1', session({ createdAt: line.server.at }));
    line.start();
    await line.clock.advance(0);
    expect(line.server.asked.slice(0, 2)).toEqual(['changes latest', 'sessions']);
    expect(commits).toContainEqual(
      expect.objectContaining({ facts: { changeToken: '1' }, rows: [expect.objectContaining({ session: 's1' })] }),
    );
    expect(line.states.at(-1)).toEqual({ active: true, error: undefined });
    await line.stop();
  });

  test('wakes the sinks at once, without waiting for the interval', async () => {
    const line = await following();
    await line.clock.advance(7_000);
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(0);
    expect(line.sink.taken()).toEqual(['s1-0']);
    await line.clock.advance(600);
    append(line, 's1', 1);
    line.server.report({ id: 's1', eTag: '2' });
    await line.clock.advance(0);
    expect(line.sink.taken()).toEqual(['s1-0', 's1-1']);
    await line.stop();
  });

  test('Nothing lost: the interval finds the events of open sessions that the feed does not report', async () => {
    const line = await following();
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(1_000);
    append(line, 's1', 1);
    await line.clock.advance(5_000);
    expect(line.sink.taken()).toEqual(['s1-0', 's1-1']);
    expect(line.reports.filter(({ listed }) => listed > 1)).toEqual([]);
    await line.stop();
  });

  test('Nothing lost: the reconcile finds the sessions that the feed does not report, and counts them', async () => {
    const line = await following();
    await line.clock.advance(minute);
    open(line, 'silent');
    open(line, 'reported');
    line.server.report({ id: 'reported', eTag: '1' });
    await line.clock.advance(13 * minute);
    expect(line.sink.taken()).toEqual(['reported-0']);
    await line.clock.advance(2 * minute);
    expect(line.sink.taken().toSorted()).toEqual(['reported-0', 'silent-0']);
    expect(line.gaps).toEqual([1]);
    await line.stop();
  });

  test('has not missed what it reports only after the list was read', async () => {
    const line = await following();
    const sessions = line.server.sessions.bind(line.server);
    await line.clock.advance(14.9 * minute);
    line.server.sessions = async (...asked) => {
      open(line, 'late');
      const list = await sessions(...asked);
      line.server.report({ id: 'late', eTag: '1' });
      line.server.sessions = sessions;
      return list;
    };
    await line.clock.advance(2 * minute);
    expect(line.sink.taken()).toEqual(['late-0']);
    expect(line.gaps).toEqual([]);
    await line.stop();
  });

  test('a stopped session is read again only when its eTag has changed', async () => {
    const line = await following();
    open(line, 's1');
    stop(line.server, 's1', line.server.at);
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(3 * minute);
    expect(await line.store.pending('hq', 'metrics')).toEqual([]);
    const before = line.server.asked.length;
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(1_000);
    expect(line.askedSince(before).filter(what => !what.startsWith('changes'))).toEqual([]);
    append(line, 's1', 1);
    change(line, 's1', '2');
    line.server.report({ id: 's1', eTag: '2' });
    await line.clock.advance(1_000);
    expect(line.sink.taken()).toEqual(['s1-0', 's1-1']);
    await line.clock.advance(3 * minute);
    expect(await line.store.pending('hq', 'metrics')).toEqual([]);
    await line.stop();
  });

  test('a deleted session is no longer open, and done', async () => {
    const line = await following();
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(1_000);
    expect(line.open.at(-1)).toEqual(['s1']);
    line.server.held.delete('s1');
    line.server.report({ id: 's1', deleted: true });
    await line.clock.advance(1_000);
    expect(line.open.at(-1)).toEqual([]);
    expect(await line.store.pending('hq', 'metrics')).toEqual([]);
    await line.stop();
  });

  test('an outdated token has everything listed again, after a new end of the feed', async () => {
    const line = await following();
    open(line, 's1');
    const before = line.server.asked.length;
    let left = 1;
    line.server.answer = () => (left-- > 0 ? { kind: 'outdated' } : undefined);
    await line.clock.advance(30_000);
    expect(line.askedSince(before).slice(0, 3)).toEqual(['changes 0', 'changes latest', 'sessions']);
    expect(line.askedSince(before).slice(0, 5)).toContain('events s1 0');
    expect(line.gaps).toEqual([0]);
    expect(line.sink.taken()).toEqual(['s1-0']);
    await line.stop();
  });

  const badRequest = new ExporterError('rejected', 'Could not read the change feed: HTTP 400');
  test.each<FeedAnswer>([{ kind: 'outdated' }, { kind: 'refused', error: badRequest }])(
    'lists replace a feed that refuses its own tokens, which is tried every 10 minutes: $kind',
    async refusal => {
      const line = fedLine();
      line.server.answer = token => (token === undefined ? undefined : refusal);
      line.start();
      await line.clock.advance(9.9 * minute);
      expect(line.server.asked.filter(what => what === 'changes latest')).toHaveLength(1);
      expect(line.server.asked.filter(what => what.startsWith('sessions')).length).toBeLessThanOrEqual(21);
      expect(line.states.at(-1)).toMatchObject({ active: false });
      line.server.answer = undefined;
      await line.clock.advance(minute);
      expect(line.states.at(-1)).toEqual({ active: true, error: undefined });
      await line.stop();
    },
  );

  test('lists replace a feed that is refused, which is tried every 10 minutes', async () => {
    const line = fedLine();
    const error = new ExporterError('auth', 'Could not read the change feed: HTTP 403');
    line.server.answer = () => ({ kind: 'refused', error });
    line.start();
    await line.clock.advance(9.9 * minute);
    expect(line.server.asked.filter(what => what === 'changes latest')).toHaveLength(1);
    expect(line.server.asked.filter(what => what.startsWith('sessions'))).toHaveLength(20);
    expect(line.states.at(-1)).toEqual({ active: false, error });
    line.server.answer = undefined;
    await line.clock.advance(minute);
    expect(line.states.at(-1)).toEqual({ active: true, error: undefined });
    await line.stop();
  });

  test('a list is read at once when the feed fails, and the feed goes on from its token', async () => {
    const line = await following();
    const error = new ExporterError('network', 'Could not connect');
    line.server.answer = () => error;
    const before = line.server.asked.length;
    await line.clock.advance(26_000);
    expect(line.askedSince(before).slice(0, 2)).toEqual(['changes 0', expect.stringMatching(/^sessions \d/)]);
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    line.server.answer = undefined;
    await line.clock.advance(2_000);
    expect(line.sink.taken()).toEqual(['s1-0']);
    expect(line.states.at(-1)).toEqual({ active: true, error: undefined });
    await line.stop();
  });

  test('a feed that returns at once with nothing is asked no more often than a list', async () => {
    const line = await following();
    line.server.answer = () => ({
      kind: 'changes',
      token: '0',
      updated: new Map(),
      deleted: new Set(),
      entries: 0,
      unreadable: 0,
      more: false,
    });
    const before = line.server.asked.length;
    await line.clock.advance(85_000);
    expect(line.askedSince(before).length).toBeLessThanOrEqual(13);
    await line.stop();
  });

  test('a feed that never answers keeps no open session from being read', async () => {
    const line = await following();
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    line.server.answer = () => 'silence';
    await line.clock.advance(1_000);
    append(line, 's1', 1);
    await line.clock.advance(10_000);
    expect(line.sink.taken()).toEqual(['s1-0', 's1-1']);
    await line.stop();
  });

  test('goes on from the stored token after a restart and reads what has changed since', async () => {
    const first = await following();
    open(first, 's1');
    stop(first.server, 's1', first.server.at);
    first.server.report({ id: 's1', eTag: '1' });
    await first.clock.advance(3 * minute);
    await first.stop();
    const again = fedLine({ store: first.store });
    again.server.held.set('s1', {
      ...session({ createdAt: again.server.at }),
      open: false,
      endedAt: again.server.at,
      eTag: '2',
    });
    put(
      again.server,
      's1',
      event(0, { id: 's1-0', endedAt: again.server.at }),
      event(1, { id: 's1-1', endedAt: again.server.at }),
    );
    again.server.report({ id: 's1', eTag: '1' }, { id: 's1', eTag: '2' });
    again.start();
    await again.clock.advance(2_000);
    expect(again.server.asked.slice(0, 2)).toEqual(['sessions', 'changes 1']);
    expect(again.sink.taken()).toEqual(['s1-1']);
    await again.stop();
  });

  test('a reported session that cannot be read is asked for again and does not delay the others', async () => {
    const line = await following();
    const read = line.server.session.bind(line.server);
    open(line, 'bad');
    open(line, 'good');
    line.server.session = async (id, signal) => {
      if (id === 'bad') throw new ExporterError('decode', 'Could not read a restore session');
      return read(id, signal);
    };
    line.server.report({ id: 'bad', eTag: '1' }, { id: 'good', eTag: '1' });
    await line.clock.advance(1_000);
    expect(line.sink.taken()).toEqual(['good-0']);
    expect(line.reports.at(-1)?.result).toBe('partial');
    line.server.session = read;
    await line.clock.advance(30_000);
    expect(line.sink.taken()).toEqual(['good-0', 'bad-0']);
    await line.stop();
  });

  test('a thousand reported sessions are read by one list', async () => {
    const line = await following();
    const ids = Array.from({ length: 1_000 }, (_, n) => `s${String(n)}`);
    for (const id of ids)
      line.server.held.set(id, session({ id, createdAt: line.server.at, endedAt: line.server.at, open: false }));
    const before = line.server.asked.length;
    line.server.report(...ids.map(id => ({ id, eTag: '1' })));
    await line.clock.advance(0);
    expect(line.askedSince(before).filter(what => !what.startsWith('events'))).toEqual(['sessions']);
    await line.stop();
  });

  test('stores a token that came without news only once a minute', async () => {
    const line = await following();
    const tokens: unknown[] = [];
    const commit = line.store.commit.bind(line.store);
    line.store.commit = async all => (tokens.push(all.facts?.changeToken), commit(all));
    const entry = { updated: new Map(), deleted: new Set<string>(), entries: 1, unreadable: 0, more: false } as const;
    let token = 0;
    line.server.answer = () => ({ kind: 'changes', token: String((token += 1)), ...entry });
    await line.clock.advance(3 * minute);
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens.length).toBeLessThan(5);
    expect(line.server.asked.length).toBeLessThan(200);
    await line.stop();
  });
});
