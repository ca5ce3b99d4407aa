import { expect, test } from '@jest/globals';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';

const seen = (eTag: string) => ({ eTag, open: false, read: true });

const one = (id: string, eTag = '1') => new Map([[id, seen(eTag)]]);

test('an update leaves the snapshots that it is made from as they were', () => {
  const before = new SessionSnapshots().with(one('a'));
  const after = before.with(
    new Map([
      ['a', undefined],
      ['b', seen('1')],
    ]),
  );
  expect([before.get('a'), before.get('b')]).toEqual([seen('1'), undefined]);
  expect([after.get('a'), after.get('b')]).toEqual([undefined, seen('1')]);
});

test('keeps 20,000 sessions and forgets the one seen longest ago', () => {
  const many = new Map(Array.from({ length: 20_000 }, (_, n) => [`s${String(n)}`, seen('1')]));
  let snapshots = new SessionSnapshots().with(many).with(one('s0', '2'));
  for (let n = 0; n < 1_002; n += 1) snapshots = snapshots.with(one(`new${String(n)}`));
  const kept = [...many.keys()].filter(id => snapshots.get(id) !== undefined);
  expect(snapshots.get('s0')).toEqual(seen('2'));
  expect(snapshots.get('new0')).toEqual(seen('1'));
  expect(snapshots.get('s1')).toBeUndefined();
  expect(kept.length).toBeGreaterThanOrEqual(18_998);
  expect(kept.length).toBeLessThan(19_600);
});

test('a change is cheap among 20,000 sessions, however often it happens', () => {
  const many = new Map(Array.from({ length: 20_000 }, (_, n) => [`s${String(n)}`, seen('1')]));
  let snapshots = new SessionSnapshots().with(many);
  const startedMs = process.cpuUsage().user;
  for (let n = 0; n < 1_000; n += 1) snapshots = snapshots.with(one(`s${String(n % 10)}`, String(n)));
  expect(snapshots.get('s9')).toEqual(seen('999'));
  expect((process.cpuUsage().user - startedMs) / 1_000).toBeLessThan(500);
});
