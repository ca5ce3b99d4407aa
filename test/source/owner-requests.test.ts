import { expect, test } from '@jest/globals';
import { type Script } from '../support/scripted-server.js';
import { bench, never } from '../support/source-rig.js';
import { guid } from '../support/restore.js';

const { begin } = bench();

const rows = Array.from({ length: 10_000 }, (_, order) => ({
  id: guid(order + 1),
  type: 'View',
  status: 'Success',
  startTime: '2026-01-01T00:00:00Z',
  message: 'x',
  order,
  userId: `u${order % 50}`,
}));

const script: Script = ({ url }) => {
  if (!url.includes('/Events')) return { json: { displayName: 'Alice', mailboxes: [], oneDrives: [] } };
  const offset = Number(/offset=(\d+)/.exec(url)?.[1]);
  return { json: { offset, limit: 1_000, results: rows.slice(offset, offset + 1_000) } };
};

/** Reads the events twice, page by page. */
async function requests(resolveOwners: boolean): Promise<number> {
  const rig = await begin(script, { apiVersion: 'v8', resolveOwners });
  for (let offset = 0; offset < 2 * rows.length; offset += 1_000)
    await rig.source.events(guid(1), offset % rows.length, never);
  return rig.reads().length;
}

test('10,000 events of 50 owners are 50 requests more than without looking owners up, however often they are read', async () => {
  expect(await requests(false)).toBe(20);
  expect(await requests(true)).toBe(70);
});

const longTexts: Script = ({ url }) => {
  if (!url.includes('/Events')) return { json: { displayName: 'n'.repeat(1_000) } };
  const offset = Number(/offset=(\d+)/.exec(url)?.[1]);
  const results = rows
    .slice(offset, offset + 1_000)
    .map((row, n) => ({ ...row, userId: `u${String(n)}`.padEnd(1_000) }));
  return { json: { offset, limit: 1_000, results } };
};

test('owners with long texts are forgotten before they fill the memory, and looked up again', async () => {
  const rig = await begin(longTexts, { apiVersion: 'v8', resolveOwners: true, ownerWaitMs: 60_000 });
  for (const offset of [0, 1_000]) await rig.source.events(guid(1), offset, never);
  expect(rig.reads().length).toBeGreaterThan(1_100);
});
