import { describe, expect, test } from '@jest/globals';
import { evaluateCompletion } from '../../src/pipeline/completion.js';
import { type Cursor, formatCursor, parseCursor, startCursor } from '../../src/pipeline/cursor.js';
import { dedupe, type DedupeContext, fullRead } from '../../src/pipeline/dedupe.js';
import { statusAt, withExceptions } from '../../src/pipeline/taken-statuses.js';
import { eventStatus } from '../../src/model/event.js';
import { event, pageOf, second, session } from '../support/server-run.js';

const context: DedupeContext = { sessionOpen: false, since: 0n };
const rows = (...statuses: readonly string[]) =>
  pageOf(...statuses.map((status, order) => event(order, { status: eventStatus(status) })));

/** The cursor after rows with these statuses. */
const cursorAfter = (...statuses: readonly string[]): Cursor =>
  dedupe(startCursor, fullRead(startCursor), rows(...statuses), context).cursor;

/** What the last reading of a stopped session finds. */
function verified(cursor: Cursor, ...statuses: readonly string[]) {
  const { progress } = dedupe(cursor, fullRead(cursor), rows(...statuses), context);
  const late = 100n * second;
  const stop = { stoppedAt: 0n, now: late, since: 0n, grace: second };
  const read = { ...progress, readAt: late };
  return evaluateCompletion(cursor, read, { session: session({ open: false, endedAt: 0n }), ...stop });
}

describe('the last reading of a session', () => {
  test('names the event that changed, with both statuses', () => {
    const { corrections, changed, cursor } = verified(cursorAfter('Success', 'Failed'), 'Success', 'Success');
    expect([corrections, changed]).toEqual([1, [{ order: 1, id: 'e1', was: 'Failed', status: 'Success' }]]);
    expect(cursor.exceptions).toBeUndefined();
  });

  test('finds two events that changed places, which no tally shows', () => {
    const { corrections, changed } = verified(cursorAfter('Success', 'Failed'), 'Failed', 'Success');
    expect([corrections, changed.map(({ order }) => order)]).toEqual([2, [0, 1]]);
  });

  test('names an event that became final after it was given up', () => {
    const cursor = { ...startCursor, taken: [[0, 0] as const], exceptions: { given_up: [[0, 0] as const] } };
    expect(verified(cursor, 'Failed').changed).toEqual([{ order: 0, id: 'e0', was: 'given_up', status: 'Failed' }]);
  });

  test('counts without names what an older version has taken', () => {
    const { exceptions: _, ...older } = cursorAfter('Success', 'Failed');
    expect(verified(older, 'Success', 'Success')).toMatchObject({ corrections: 1, changed: [] });
  });

  test('counts without names after more exceptions than a cursor holds', () => {
    const many = Array.from({ length: 1_100 }, (_, order) => (order % 2 === 0 ? 'Success' : 'Failed'));
    const cursor = cursorAfter(...many);
    expect(cursor.exceptions).toBeUndefined();
    expect(verified(cursor, ...many.with(1, 'Success'))).toMatchObject({ corrections: 1, changed: [] });
  });

  test('names an event with an order that another one has', () => {
    const cursor = cursorAfter('Success');
    const both = [event(0), event(0, { id: 'other' })];
    const { progress } = dedupe(cursor, fullRead(cursor), pageOf(...both), context);
    expect(progress.duplicates).toEqual([{ order: 0, id: 'other', reason: 'duplicate_order' }]);
  });
});

test('a cursor with exceptions is written in full and read back the same', () => {
  const cursor = { ...cursorAfter('Success', 'Failed', 'Warning', 'Failed'), endedAt: 5n };
  const text = formatCursor(cursor);
  expect(text).toBe('0-3;Success=1,Warning=1,Failed=2;;5;Warning=2&Failed=1,3;Restore');
  expect(parseCursor(text)).toEqual(cursor);
  expect(parseCursor(formatCursor({ ...cursor, endedAt: undefined }))).toEqual({ ...cursor, endedAt: undefined });
});

test('an order is a success unless it is an exception', () => {
  const exceptions = withExceptions(undefined, new Map([['Failed', [[3, 4] as const]]]));
  expect([2, 3, 4, 5].map(order => statusAt(exceptions, order))).toEqual(['Success', 'Failed', 'Failed', 'Success']);
  expect(statusAt(undefined, 3)).toBe('Success');
});
