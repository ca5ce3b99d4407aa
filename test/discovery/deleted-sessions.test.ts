import { describe, expect, test } from '@jest/globals';
import { observe } from '../../src/discovery/observe.js';
import { seconds } from '../../src/model/time.js';
import { changes, listed, rowOf, rules, steady } from '../support/observations.js';

const week = seconds(7 * 86_400);
const gone = new Set(['s1']);
/** The session was created at 1 ns. */
const stored = [rowOf(true), { ...rowOf(true), sink: 'logs' as const }];

describe('a session that is gone', () => {
  test.each([
    ['a nanosecond before it is a week old', week, ['s1']],
    ['when it is a week old', week + 1n, []],
  ])('%s', (_, startedAt, deleted) => {
    const step = observe(steady, changes({ deleted: gone }, { stored, startedAt }), rules);
    expect(step.deleted).toEqual(deleted);
    expect(step.commit?.deltas.map(({ family }) => family)).toEqual(deleted.map(() => 'deleted 1'));
  });

  test('that no sink has a row for was history, and is not counted', () => {
    expect(observe(steady, changes({ deleted: gone }), rules).deleted).toEqual([]);
  });

  test('is counted by the list when there is no feed', () => {
    const before = { ...steady, feed: { kind: 'none', waitSeconds: 25 } as const };
    expect(observe(before, listed({ gone, stored }), rules).deleted).toEqual(['s1']);
  });

  test('is counted once: a list leaves it to the feed that reports it', () => {
    const list = observe(steady, listed({ gone, stored }), rules);
    const feed = observe(list.state, changes({ deleted: gone }, { gone, stored }), rules);
    expect([list.deleted, feed.deleted]).toEqual([[], ['s1']]);
  });

  test('is not counted when only reading it fails', () => {
    expect(observe(steady, changes({}, { gone, stored }), rules).deleted).toEqual([]);
  });
});
