import { describe, expect, test } from '@jest/globals';
import { idsOfInterest } from '../../src/discovery/interest.js';
import { sessionsToRead } from '../../src/discovery/observe.js';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';
import { changes, rules, s1, steady, stopped, feedEnd } from '../support/observations.js';

describe('the sessions that a poll has to look at', () => {
  test.each([
    { why: 'its reported state is new', last: { eTag: '1' }, read: ['s1'] },
    { why: 'it was open in its reported state', last: { open: true }, read: ['s1'] },
    { why: 'not every sink has read its reported state', last: { read: false }, read: ['s1'] },
    { why: 'its reported state has no tag', last: { eTag: '' }, eTag: '', read: ['s1'] },
    { why: 'it could not be read before', before: { unread: new Set(['s1']) }, read: ['s1'] },
    { why: 'its reported state has been read', read: [] },
    { why: 'it is deleted', before: { unread: new Set(['s1']) }, deleted: new Set(['s1']), read: [] },
  ])('reads $read of a report about s1: $why', ({ last, eTag = '2', before, deleted = new Set<string>(), read }) => {
    const snapshot = { eTag: '2', open: false, read: true, ...last };
    const state = { ...steady, ...before, snapshots: new SessionSnapshots().with(new Map([['s1', snapshot]])) };
    const { changed, unread } = sessionsToRead(state, { ...feedEnd('t2'), updated: new Map([['s1', eTag]]), deleted });
    expect([...changed, ...unread]).toEqual(read);
  });

  test.each([
    { why: 'it is open', sessions: [s1], ids: ['s1'] },
    { why: 'it ended since a sink began', sessions: [stopped], since: { metrics: 2n }, ids: ['s1'] },
    { why: 'a sink that is new begins before its end', sessions: [stopped], since: {}, ids: ['s1'] },
    { why: 'it is history for every sink', sessions: [stopped], since: { metrics: 3n }, startedAt: 3n, ids: [] },
  ])('needs the stored rows of $ids for s1: $why', ({ sessions, since = steady.since, startedAt = 2n, ids }) => {
    const read = changes({}, { sessions, startedAt });
    expect(idsOfInterest({ ...steady, since }, read, rules)).toEqual(ids);
  });

  test('needs the stored rows of sessions that are gone or deleted', () => {
    const read = changes({ deleted: new Set(['s3']) }, { gone: new Set(['s2']) });
    expect(idsOfInterest(steady, read, rules)).toEqual(['s2', 's3']);
  });
});
