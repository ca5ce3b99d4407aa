import { expect, test } from '@jest/globals';
import { observe } from '../../src/discovery/observe.js';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';
import { changes, listed, rules, steady, summary } from '../support/observations.js';
import { session } from '../support/server-run.js';

/** Open sessions s0, s1, ... that have been seen with these eTags. */
const seenBefore = (...eTags: readonly string[]): SessionSnapshots =>
  new SessionSnapshots().with(
    new Map(eTags.map((eTag, index) => [`s${String(index)}`, { eTag, open: true, read: true }])),
  );

const stopped = (id: string, eTag: string) => session({ id, eTag, open: false });

test('candidates are what a list shows to be new, changed or gone, and nothing else', () => {
  const sessions = [
    session({ id: 's0', eTag: '1' }),
    session({ id: 's1', eTag: '2' }),
    session({ id: 's2', eTag: '1', open: false }),
    session({ id: 'new', eTag: '1' }),
  ];
  const candidates = { ids: new Set(['earlier']), listedMs: 1 };
  const before = { ...steady, snapshots: seenBefore('1', '1', '1', '1'), candidates };
  const { state } = observe(before, listed({ sessions, gone: new Set(['s3']), atMs: 10 }), rules);
  expect([...state.candidates.ids]).toEqual(['earlier', 's1', 's2', 'new', 's3']);
  expect(state.candidates.listedMs).toBe(10);
});

test.each([
  { askedMs: 9, reported: ['a'], left: ['b', 'c'], missed: [], rule: 'a request begun before the list was read' },
  { askedMs: 10, reported: ['a'], left: [], missed: ['missed 2'], rule: 'a request begun after the list was read' },
  { askedMs: 10, reported: ['a', 'b', 'c', 'd'], left: [], missed: [], rule: 'a feed that reports all' },
])('candidates count as missed only after the list: $rule', ({ askedMs, reported, left, missed }) => {
  const before = { ...steady, candidates: { ids: new Set(['a', 'b', 'c']), listedMs: 10 } };
  const updated = new Map(reported.map(id => [id, '1']));
  const step = observe(before, changes({ updated }, { askedMs }), rules);
  expect([...step.state.candidates.ids]).toEqual(left);
  expect(summary(step).deltas).toEqual(missed);
});

test('a stopped session that is seen for the first time, or as it was, has not changed', () => {
  const snapshots = seenBefore('1', '1', '1').with(new Map([['s0', { eTag: '1', open: false, read: true }]]));
  const sessions = [stopped('s0', '1'), stopped('s1', '2'), stopped('new', '1'), session({ id: 's2', eTag: '2' })];
  const step = observe({ ...steady, snapshots }, listed({ sessions }), rules);
  expect(summary(step).wake).toEqual(['open', 's1']);
});
