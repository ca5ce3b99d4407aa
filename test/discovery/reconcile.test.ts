import { expect, test } from '@jest/globals';
import { knownOf } from '../../src/discovery/list-scan.js';
import { changedSince, clearSuspects, suspect } from '../../src/discovery/reconcile.js';
import { session } from '../support/server-run.js';

const seenBefore = (...eTags: readonly string[]) => {
  const known = knownOf({ since: {}, facts: { changeToken: 't' } });
  for (const [index, eTag] of eTags.entries()) known.feed.seen.put(session({ id: `s${String(index)}`, eTag }), true);
  return known;
};

const stopped = (id: string, eTag: string) => session({ id, eTag, open: false });

test('suspects what is new, changed or gone, and nothing else', () => {
  const known = seenBefore('1', '1', '1', '1');
  const gone = session({ id: 's3', eTag: '1' });
  known.open = new Map([['s3', gone]]);
  const sessions = [
    session({ id: 's0', eTag: '1' }),
    session({ id: 's1', eTag: '2' }),
    session({ id: 's2', eTag: '1', open: false }),
    session({ id: 'new', eTag: '1' }),
  ];
  suspect(known, { sessions, open: new Map() }, 10);
  expect([...known.feed.suspects]).toEqual(['s1', 's2', 'new', 's3']);
});

test('calls missed only what an answer to a request begun after the list does not tell', () => {
  const { feed } = seenBefore();
  feed.suspects.add('a').add('b').add('c');
  feed.suspectedMs = 10;
  clearSuspects(feed, ['a'], 9);
  expect(feed.gaps).toEqual([]);
  clearSuspects(feed, ['b'], 10);
  expect(feed.gaps).toEqual([1]);
  clearSuspects(feed, [], 11);
  expect(feed.gaps).toEqual([1]);
});

test('a stopped session that is seen for the first time, or as it was, has not changed', () => {
  const { feed } = seenBefore('1', '1', '1');
  feed.seen.put(stopped('s0', '1'), true);
  const sessions = [stopped('s0', '1'), stopped('s1', '2'), stopped('new', '1'), session({ id: 's2', eTag: '2' })];
  expect([...changedSince(feed.seen, sessions)]).toEqual(['s1']);
});
