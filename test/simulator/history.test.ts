import { describe, expect, test } from '@jest/globals';
import { itemMessage } from '../support/item-message.js';
import { writeHistory } from '../../src/simulator/history.js';
import { defaultQuirks, type Quirks } from '../../src/simulator/quirks.js';
import { World } from '../../src/simulator/world.js';
import { atMs, noon2024, visiting } from '../support/simulator.js';

const now = atMs(noon2024);

function past(sessions: number, eventsEach: number, quirks: Partial<Quirks> = {}, seed = 1): World {
  const world = new World();
  writeHistory(world, { sessions, eventsEach, days: 10 }, { seed, quirks: { ...defaultQuirks, ...quirks }, now });
  return world;
}

const events = (world: World): readonly string[] =>
  [...world.book()].map(({ event }) => JSON.stringify(event, bigints));
const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** Name and target of each item that was only viewed. */
const names = (quirks: Partial<Quirks>): readonly string[] =>
  [...past(40, 30, quirks).book()]
    .filter(({ event }) => event.type === 'View')
    .map(({ event }) => `${event.itemName}|${event.target}`);

describe('a made-up history', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(events(past(20, 10))).toEqual(events(past(20, 10)));
    expect(events(past(20, 10))).not.toEqual(events(past(20, 10, {}, 2)));
  });

  test('lies in the past, in order, within its days', () => {
    const sessions = past(200, 10).sessions();
    expect(sessions).toHaveLength(200);
    for (const [index, { createdAt, endedAt = now }] of sessions.entries()) {
      expect(createdAt < endedAt && endedAt <= now).toBe(true);
      expect(createdAt > now - 11n * 86_400_000_000_000n).toBe(true);
      expect(createdAt <= (sessions[index - 1]?.createdAt ?? now)).toBe(true);
    }
  });

  test('has results as bad as the worst event, and details that count successes', () => {
    const world = past(200, 12);
    for (const session of world.sessions()) {
      expect(session.result).toBe(world.worstOf(session.id));
      const items = world.events(session.id).slice(1, -1);
      const good = items.filter(event => event.status === 'Success').length;
      expect(session.details).toBe(`${items.length} items processed (${good} successfully)`);
    }
    expect(new Set(world.sessions().map(({ result }) => result))).toEqual(new Set(['Success', 'Warning', 'Failed']));
  });

  test('ends every event before its session', () => {
    for (const { session, event } of past(50, 40).book())
      expect((event.endedAt ?? now) <= (session.endedAt ?? 0n) && event.startedAt >= session.createdAt).toBe(true);
  });

  test('has messages in the vendor’s grammar, which give back the item', () => {
    const read = new Set<string>();
    for (const { event } of past(100, 30).book()) {
      const match = itemMessage.exec(event.message)?.groups;
      if (!['Success', 'Warning', 'Failed'].includes(event.status) || event.type === 'None') continue;
      expect(match).toMatchObject({
        name: event.itemName,
        type: event.itemType,
        source: event.source,
        target: event.target,
      });
      read.add(`${event.type} ${event.status} ${match?.['sev'] ?? ''}`);
    }
    expect(read).toContain('Restore Failed error');
    expect(read).toContain('View Warning warning');
  });

  test('has names that break parsers, and empty targets, unless they are turned off', () => {
    expect(names({}).some(name => name.includes(' |'))).toBe(true);
    expect(names({}).some(name => name.endsWith('|'))).toBe(true);
    expect(names({ oddNames: false }).some(name => name.includes(' |') || name.includes('previous state'))).toBe(false);
    expect(names({ emptyTargets: false }).some(name => name.endsWith('|'))).toBe(false);
  });

  test('may have sessions that show nothing but their first line', () => {
    const world = past(3, 1);
    expect([...world.book()].map(({ event }) => event.order)).toEqual([0, 0, 0]);
  });

  test('may have no rare status', () => {
    const statuses = new Set([...past(40, 30, { rareStatuses: false }).book()].map(({ event }) => event.status));
    expect([...statuses].sort()).toEqual(['Failed', 'Success', 'Warning']);
  });

  test('of 100,000 events is served without being kept, each event under its own id', async () => {
    const before = process.memoryUsage().heapUsed;
    await visiting(6, { history: { sessions: 100, eventsEach: 1000, days: 90 } }, async (visitor, { world }) => {
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
      expect(world.sessions().reduce((sum, { id }) => sum + world.events(id).length, 0)).toBe(100_000);
      const { id } = world.sessions()[50] ?? { id: '' };
      const page = await visitor.page(`/v6/RestoreSessions/${id}/Events?limit=10000`);
      expect(page.results.map(event => event['order'])).toEqual([...Array(1000).keys()]);
      const again = await visitor.page(`/v6/RestoreSessions/${id}/Events?offset=700&limit=10`);
      expect(again.results).toEqual(page.results.slice(700, 710));
    });
    const ids = new Set<string>();
    const world = past(50, 100);
    for (const { id } of world.sessions()) ids.add(id);
    for (const { event } of world.book()) ids.add(event.id);
    expect(ids.size).toBe(5_050);
  });
});
