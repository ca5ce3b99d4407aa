import { describe, expect, test } from '@jest/globals';
import { type HistoryPart, readHistory, type Window } from '../../src/history/reader.js';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds, type Nanos, seconds } from '../../src/model/time.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import type { Intercept } from '../../src/simulator/traffic.js';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import type { PastSource } from '../../src/source/past.js';
import { simulatedPast } from '../support/past-source.js';
import { fakeServer, session as sessionWith } from '../support/server-run.js';

const nowNanos = (): Nanos => milliseconds(systemClock.now());
const day: Nanos = seconds(86_400);

const failing: Intercept = ({ route }, { response, proceed }) =>
  route.endsWith('/Events') ? void response.writeHead(500).end() : proceed();

type Stage = Readonly<{ simulator: Simulator; source: PastSource }>;

async function onStage(options: Partial<SimulateOptions>, play: (stage: Stage) => Promise<void>): Promise<void> {
  const simulator = await simulate({ clock: systemClock, ...options });
  const source = simulatedPast(simulator.url, { apiVersion: 'auto', eventLimit: 7, requestTimeoutMs: 5_000 });
  try {
    await play({ simulator, source });
  } finally {
    await source.close();
    await simulator.close();
  }
}

async function read(source: PastSource, window: Window): Promise<readonly HistoryPart[]> {
  const parts: HistoryPart[] = [];
  const options = { window, signal: new AbortController().signal };
  for await (const part of readHistory(source, options)) parts.push(part);
  return parts;
}

const idsOf = (parts: readonly HistoryPart[]): readonly string[] =>
  parts.flatMap(({ events }) => events.map(({ event }) => event.id)).toSorted();

const all = (): Window => ({ from: 0n, to: nowNanos() });
const history = { sessions: 30, eventsEach: 20, days: 10 } as const;

describe('the reader of history', () => {
  test.each(simulatedVersions)('reads every event of the book once, over v%i', async version => {
    await onStage({ history, versions: [version] }, async ({ simulator, source }) => {
      const parts = await read(source, all());
      expect(idsOf(parts)).toEqual([...simulator.world.book()].map(({ event }) => event.id).toSorted());
      expect(parts.filter(({ end }) => end?.stopped === true)).toHaveLength(history.sessions);
      const created = parts.map(({ session }) => session.createdAt);
      expect(created).toEqual(created.toSorted((a, b) => Number(a - b)));
    });
  });

  test('reads what happened in its window, in sessions that began before it too', async () => {
    await onStage({}, async ({ simulator: { world }, source }) => {
      const now = nowNanos();
      const { id } = world.addSession({ createdAt: now - 10n * day });
      for (let age = 9n; age > 0n; age -= 1n) world.appendEvent(id, { startedAt: now - age * day, type: 'Restore' });
      world.stopSession(id, { endedAt: now - day / 2n });
      const parts = await read(source, { from: now - 3n * day, to: now - day });
      const days = parts.flatMap(({ events }) => events.map(({ event }) => (now - event.startedAt) / day));
      expect(days).toEqual([3n, 2n]);
      expect(parts.at(-1)?.end).toEqual({ stopped: false, unfinished: 0, failure: undefined, deleted: false });
    });
  });

  test('reads a stopped session that has no end, whenever it began', async () => {
    await onStage({}, async ({ simulator: { world }, source }) => {
      const { id } = world.addSession({ createdAt: nowNanos() - 10n * day, state: 'Stopped' });
      world.appendEvent(id, { startedAt: nowNanos() - day });
      expect(idsOf(await read(source, { from: nowNanos() - 3n * day, to: nowNanos() }))).toHaveLength(1);
    });
  });

  test('leaves out what still runs, and counts it', async () => {
    await onStage({}, async ({ simulator: { world }, source }) => {
      const { id } = world.addSession({ createdAt: nowNanos() - day });
      world.appendEvent(id, { startedAt: nowNanos() - day, status: 'Running' });
      world.appendEvent(id, { startedAt: nowNanos() - day });
      const [part] = await read(source, all());
      expect([part?.events.length, part?.end]).toEqual([
        1,
        { stopped: false, unfinished: 1, failure: undefined, deleted: false },
      ]);
    });
  });

  test('has one request in flight at a time, logs in once and out, and retries a page after a transient error', async () => {
    let [inFlight, most, failures] = [0, 0, 2];
    const intercept: Intercept = ({ route }, { response, proceed }) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      response.on('close', () => (inFlight -= 1));
      if (!route.endsWith('/Events') || failures === 0) return proceed();
      failures -= 1;
      return void response.writeHead(503).end();
    };
    await onStage({ history, intercept }, async ({ simulator, source }) => {
      expect(idsOf(await read(source, all()))).toHaveLength(600);
      await source.close();
      expect(most).toBe(1);
      expect([simulator.traffic.count('/token'), simulator.traffic.count('/token/logout')]).toEqual([1, 1]);
    });
  });

  test('an answer that stays wrong is an error, not a shorter history', async () => {
    await onStage({ history, intercept: failing }, async ({ source }) => {
      await expect(read(source, all())).rejects.toThrow('Could not read restore events: HTTP 500');
    });
  });

  test('a session that the server deletes while it is read is marked', async () => {
    await onStage({ history }, async ({ simulator, source }) => {
      const gone = simulator.world.sessions()[0]?.id ?? '';
      const parts: HistoryPart[] = [];
      const options = { window: all(), signal: new AbortController().signal };
      for await (const part of readHistory(source, options)) {
        if (parts.length === 0) simulator.world.purgeSession(gone);
        parts.push(part);
      }
      expect(parts.filter(({ end }) => end?.deleted === true).map(({ session }) => session.id)).toEqual([gone]);
    });
  });
});

describe('statistics', () => {
  test('are those of the server from v8 on', async () => {
    await onStage({ history }, async ({ simulator, source }) => {
      const { id } = simulator.world.sessions()[0] ?? { id: '' };
      const items = simulator.world
        .events(id)
        .slice()
        .filter(({ type }) => type !== 'None');
      expect(await source.statistics(id, new AbortController().signal)).toMatchObject({ total: items.length });
      expect(await source.statistics('none', new AbortController().signal)).toBeUndefined();
    });
    await onStage({ history, versions: [7] }, async ({ simulator, source }) => {
      const { id } = simulator.world.sessions()[0] ?? { id: '' };
      expect(await source.statistics(id, new AbortController().signal)).toBeUndefined();
      expect(simulator.traffic.count('/RestoreSessions/{id}/Statistics')).toBe(0);
    });
  });
});

test('refuses more sessions than fit into memory, with the remedy', async () => {
  const ids = Array.from({ length: 60_000 }, (_, n) => sessionWith({ id: String(n) }));
  const sessions: PastSource['sessions'] = async (_from, _signal, isKept = async page => page) => {
    for (let at = 0; at < ids.length; at += 2_500) await isKept(ids.slice(at, at + 2_500));
    return { sessions: ids, rejects: [] };
  };
  const options = { window: all(), signal: new AbortController().signal };
  await expect(readHistory({ ...fakeServer(), sessions }, options).next()).rejects.toMatchObject({
    reason: 'rejected',
    message: 'Could not read more than 40000 restore sessions at once; choose a shorter time with "--from" and "--to"',
  });
});
