import { describe, expect, test } from '@jest/globals';
import {
  completeDeleted,
  type Completion,
  type CompletionContext,
  type CompletionReason,
  evaluateCompletion,
} from '../../src/pipeline/completion.js';
import { type Cursor, startCursor } from '../../src/pipeline/cursor.js';
import { sessionResult } from '../../src/model/session.js';
import { type ChangedEvent, fullRead, type ReadProgress, type RejectedRow } from '../../src/pipeline/dedupe.js';
import { second, session } from '../support/server-run.js';

const stoppedAt = 1_000n * second;
const late = stoppedAt + 60n * second;
const grace = 3_600n * second;
const cursor: Cursor = { taken: [[0, 4]], tally: { Success: 5 }, resultTaken: true };
/** A reading of every row that found nothing new. */
const read: ReadProgress = { ...fullRead(cursor), readAt: late, tally: cursor.tally };
const ended = session({ open: false, endedAt: stoppedAt });
const context: CompletionContext = { session: ended, stoppedAt, now: late, grace, since: 0n };

type Rule = Readonly<{
  reason: CompletionReason;
  when: string;
  cursor?: Partial<Cursor>;
  read?: Partial<ReadProgress>;
  context?: Partial<CompletionContext>;
  expected: Partial<Completion>;
}>;

const open = { stoppedAt: undefined, session: session() };
const none = { running: [], missing: [] };
const holes = { taken: [[0, 1] as const, [4, 4] as const] };
const doubled: RejectedRow = { order: 3, id: 'a', reason: 'duplicate_order' };
const swapped = (order: number, was: ChangedEvent['was'], status: ChangedEvent['was']): ChangedEvent => {
  return { order, id: `e${String(order)}`, was, status };
};
const again = { wakeAt: late, unfinished: false };
const rules: readonly Rule[] = [
  { reason: 'session is open', when: 'nothing is missing', context: open, expected: { unfinished: false } },
  { reason: 'session is open', when: 'a hole is left', context: open, cursor: holes, expected: { unfinished: true } },
  {
    reason: 'session is open',
    when: 'an event runs',
    context: open,
    read: { unfinished: [5] },
    expected: { unfinished: true, result: false },
  },
  {
    reason: 'waiting for missing events',
    when: 'there are holes and the grace time is not over',
    cursor: holes,
    context: { now: stoppedAt + grace - 1n },
    expected: { unfinished: true, wakeAt: undefined, abandoned: none },
  },
  {
    reason: 'waiting for missing events',
    when: 'an event runs and the grace time is not over',
    read: { unfinished: [5] },
    expected: { unfinished: true },
  },
  {
    reason: 'gave up missing events',
    when: 'there are holes and the grace time is over',
    cursor: holes,
    context: { now: stoppedAt + grace },
    expected: {
      unfinished: false,
      abandoned: { running: [], missing: [[2, 3]] },
      orderGaps: 1,
      cursor: { ...cursor, taken: [[0, 4]], exceptions: { given_up: [[2, 3]] } },
    },
  },
  {
    reason: 'gave up missing events',
    when: 'an event runs and the grace time is over',
    read: { unfinished: [5, 5] },
    context: { now: stoppedAt + grace },
    expected: {
      abandoned: { running: [[5, 5]], missing: [] },
      orderGaps: 0,
      cursor: { ...cursor, taken: [[0, 5]], exceptions: { given_up: [[5, 5]] } },
    },
  },
  { reason: 'not read from the start', when: 'the reading was incremental', read: { full: false }, expected: again },
  {
    reason: 'waiting for late events',
    when: 'the reading began within a minute of the stop',
    read: { readAt: late - 1n },
    expected: again,
  },
  { reason: 'new events found', when: 'it was not the first reading', read: { fresh: 1 }, expected: again },
  {
    reason: 'verified',
    when: 'a late full reading found nothing new',
    expected: { cursor: { ...cursor, endedAt: stoppedAt }, corrections: 0, duplicates: 0 },
  },
  { reason: 'verified', when: 'the first reading is late enough', read: { first: true, fresh: 5 }, expected: {} },
  {
    reason: 'verified',
    when: 'an event that runs was taken before',
    read: { unfinished: [4] },
    expected: { abandoned: none },
  },
  {
    reason: 'verified',
    when: 'an event changed its status',
    read: { tally: { Success: 4, Failed: 1 } },
    expected: { corrections: 1, cursor: { ...cursor, tally: { Success: 4, Failed: 1 }, endedAt: stoppedAt } },
  },
  {
    reason: 'verified',
    when: 'a duplicate turned up later',
    read: { tally: { Success: 5, duplicate: 1 } },
    expected: { corrections: 0, duplicates: 1 },
  },
  {
    reason: 'verified',
    when: 'two events exchanged their statuses, which the tally does not show',
    read: { changed: [swapped(0, 'Success', 'Failed'), swapped(1, 'Failed', 'Success')] },
    expected: { corrections: 2 },
  },
  {
    reason: 'verified',
    when: 'duplicates turned up, none of which was named before',
    read: { tally: { Success: 5, duplicate: 1 }, duplicates: [doubled] },
    expected: { duplicates: 1, duplicateRows: [doubled] },
  },
  {
    reason: 'verified',
    when: 'duplicates turned up, one of which was named before: they cannot be distinguished',
    cursor: { tally: { Success: 5, duplicate: 1 } },
    read: { tally: { Success: 5, duplicate: 2 }, duplicates: [doubled, { ...doubled, id: 'b' }] },
    expected: { duplicates: 1, duplicateRows: [] },
  },
];

describe('the end of a reading', () => {
  test.each(rules)('$reason: $when', ({ reason, expected, ...given }) => {
    const completion = evaluateCompletion(
      { ...cursor, ...given.cursor },
      { ...read, ...given.read },
      { ...context, ...given.context },
    );
    expect(completion).toMatchObject({ reason, done: reason === 'verified', ...expected });
  });

  test.each([
    ['not taken yet', false, stoppedAt, true],
    ['taken before', true, stoppedAt, false],
    ['history', false, stoppedAt + 1n, false],
  ])('the result is %s', (_, resultTaken, since, result) => {
    const completion = evaluateCompletion({ ...cursor, resultTaken }, read, { ...context, since });
    expect(completion).toMatchObject({ result, cursor: { resultTaken: true } });
    const stop = { session: ended, stoppedAt, since };
    expect(completeDeleted({ ...cursor, resultTaken }, stop)).toMatchObject({ result });
  });
});

describe('the failure of a session', () => {
  const failed = session({ open: false, endedAt: stoppedAt, result: sessionResult('Failed') });

  test.each<[what: string, Cursor['failed'], over: Partial<CompletionContext>, Completion['failure']]>([
    ['without a failed item', undefined, {}, 'None'],
    ['with one', 'Restore', {}, 'Restore'],
    ['is counted once', 'counted', {}, undefined],
    ['is none if the session succeeded', 'Restore', { session: ended }, undefined],
    ['is history', undefined, { since: stoppedAt + 1n }, undefined],
    ['waits until late events are read', undefined, { now: late - 1n }, undefined],
  ])('%s', (_, item, over, failure) => {
    const given = { ...context, session: failed, ...over };
    const reading = { ...read, readAt: given.now };
    const completion = evaluateCompletion({ ...cursor, failed: item }, reading, given);
    expect(completion).toMatchObject({ failure, cursor: { failed: failure === undefined ? item : 'counted' } });
  });

  test('counts when the server deletes the session before that', () => {
    const stop = { session: failed, stoppedAt, since: 0n };
    expect(completeDeleted(cursor, stop)).toMatchObject({ failure: 'None', cursor: { failed: 'counted' } });
  });
});

test('a deleted session that was not seen to stop is done, without a result', () => {
  const expected = { reason: 'deleted by the server', done: true, result: false, cursor: { resultTaken: true } };
  expect(completeDeleted(startCursor, { session: undefined, stoppedAt: undefined, since: 0n })).toMatchObject(expected);
});
