import { describe, expect, test } from '@jest/globals';
import { bench } from '../support/discovery-rig.js';
import { event, page, second, session } from '../support/server-run.js';

/** Delivers once from a server that has another page after each page. */
async function readEndless(pages: Readonly<{ rows: number; short: boolean }>) {
  const { server, step } = bench();
  await step();
  server.at = 1_000n * second;
  server.held.set('s1', session({ createdAt: server.at }));
  let asked = 0;
  server.events = async (_, offset) => {
    asked += 1;
    const rows = Array.from({ length: pages.rows }, (__, index) => ({
      order: offset + index,
      event: event(offset + index, { startedAt: server.at }),
    }));
    return page(rows, { offset, last: false, readAt: server.at, ...(pages.short ? { short: true } : {}) });
  };
  const [report] = await step();
  return { asked, errors: report?.errors.map(({ reason, message }) => `${reason}: ${message}`) ?? [] };
}

describe('a session whose pages never end', () => {
  test('is read for 100 pages that are not full', async () => {
    const { asked, errors } = await readEndless({ rows: 1, short: true });
    expect(asked).toBe(101);
    expect(errors).toEqual(['rejected: Could not read the events of a restore session: more than 100 short pages']);
  });

  test('is read for 10,000 full pages', async () => {
    const { asked, errors } = await readEndless({ rows: 1, short: false });
    expect(asked).toBe(10_001);
    expect(errors).toEqual(['rejected: Could not read the events of a restore session: more than 10000 pages']);
  });
});

test('a page of long texts is delivered in batches of a million characters', async () => {
  const { server, step, sinks } = bench();
  await step();
  server.at = 1_000n * second;
  server.held.set('s1', session({ createdAt: server.at }));
  const rows = Array.from({ length: 1000 }, (_, order) => ({
    order,
    event: event(order, { startedAt: server.at, message: 'm'.repeat(4096) }),
  }));
  server.events = async (_, offset) => page(rows.slice(offset), { offset, readAt: server.at });
  await step();
  const sizes = sinks[0]?.batches.map(({ events }) => events.length).filter(size => size > 0) ?? [];
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1000);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
});
