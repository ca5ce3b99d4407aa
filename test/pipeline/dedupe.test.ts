import { describe, expect, test } from '@jest/globals';
import { eventStatus, type RestoreEvent } from '../../src/model/event.js';
import { type Cursor, startCursor } from '../../src/pipeline/cursor.js';
import {
  type ChangedEvent,
  dedupe,
  type DedupeContext,
  fullRead,
  incrementalRead,
  misses,
  type PageResult,
  type ReadProgress,
  type RowOutcome,
  rowOutcome,
} from '../../src/pipeline/dedupe.js';
import type { EventPage, EventRow } from '../../src/pipeline/ports.js';
import { event, page, pageOf } from '../support/server-run.js';

const context: DedupeContext = { sessionOpen: true, since: 10n };
const at = (order: number, over: Parameters<typeof event>[1] = {}) => event(order, { endedAt: 20n, ...over });
const rowOf = (one: ReturnType<typeof event>): EventRow => ({ order: one.order, event: one });
const bad: EventRow = { order: 3, rejected: 'no_status', id: 'e3' };
const taken = (...orders: readonly (readonly [number, number])[]): Cursor => ({ ...startCursor, taken: orders });

describe('what becomes of a row', () => {
  type Rule = Readonly<{
    outcome: RowOutcome;
    why: string;
    row?: EventRow;
    seenId?: string;
    taken?: boolean;
    sessionOpen?: boolean;
  }>;
  const rules: readonly Rule[] = [
    { outcome: 'new', why: 'a final event that the cursor does not have' },
    { outcome: 'new', why: 'an event that ended exactly at `since`', row: rowOf(at(3, { endedAt: 10n })) },
    { outcome: 'history', why: 'an event that ended before `since`', row: rowOf(at(3, { endedAt: 9n })) },
    { outcome: 'taken before', why: 'an event that the cursor has', taken: true },
    { outcome: 'taken before', why: 'a bad row that the cursor has', row: bad, taken: true },
    { outcome: 'rejected', why: 'a row that could not be decoded', row: bad },
    { outcome: 'not final', why: 'an event that still runs', row: rowOf(at(3, { status: eventStatus('Running') })) },
    {
      outcome: 'not final',
      why: 'an unknown status without an end in an open session',
      row: rowOf(at(3, { status: eventStatus('Odd'), endedAt: undefined })),
    },
    {
      outcome: 'new',
      why: 'an unknown status without an end in a stopped session',
      row: rowOf(at(3, { status: eventStatus('Odd'), endedAt: undefined, startedAt: 20n })),
      sessionOpen: false,
    },
    { outcome: 'repeated', why: 'the same id and order again', seenId: 'e3' },
    { outcome: 'duplicate order', why: 'another id with the same order', seenId: 'other' },
    { outcome: 'duplicate order', why: 'another id with the same order, taken before', seenId: 'other', taken: true },
  ];
  test.each(rules)('$outcome: $why', ({ outcome, row = rowOf(at(3)), seenId, taken: known = false, ...over }) => {
    expect(rowOutcome(row, { seenId, taken: known }, { ...context, ...over })).toBe(outcome);
  });
});

const result = (over: Readonly<Partial<Record<keyof PageResult, unknown>>>): unknown => expect.objectContaining(over);
const failed = eventStatus('Failed');
const becameFailed = (order: number): ChangedEvent => ({
  order,
  id: `e${String(order)}`,
  was: 'Success',
  status: 'Failed',
});

type PageRule = Readonly<{
  rule: string;
  cursor: Cursor;
  rows: readonly RestoreEvent[];
  /** What differs from the usual context. */
  when?: Partial<DedupeContext>;
  expected: unknown;
}>;

describe('a page', () => {
  const running = at(1, { status: eventStatus('Running') });
  const timeless = at(0, { timeless: true, startedAt: 50n, endedAt: undefined });
  const rules: readonly PageRule[] = [
    {
      rule: 'new events are delivered in the order of the page, and the cursor has them',
      cursor: startCursor,
      rows: [at(1), at(0)],
      expected: result({ events: [at(1), at(0)], cursor: { ...taken([0, 1]), tally: { Success: 2 } } }),
    },
    {
      rule: 'history is not delivered, but the cursor has it',
      cursor: startCursor,
      rows: [at(0, { endedAt: 1n })],
      expected: result({ events: [], cursor: { ...taken([0, 0]), tally: { Success: 1 } } }),
    },
    {
      rule: 'an event that runs leaves a hole',
      cursor: startCursor,
      rows: [at(0), running, at(2)],
      expected: result({ events: [at(0), at(2)], cursor: { ...taken([0, 0], [2, 2]), tally: { Success: 2 } } }),
    },
    {
      rule: 'an event that was taken before is not delivered again',
      cursor: taken([0, 0]),
      rows: [at(0), at(1)],
      expected: result({ events: [at(1)], cursor: { ...taken([0, 1]), tally: { Success: 1 } } }),
    },
    {
      rule: 'the second of two events with the same order is rejected',
      cursor: startCursor,
      rows: [at(0), at(0, { id: 'other' })],
      expected: result({
        events: [at(0)],
        rejected: [{ order: 0, id: 'other', reason: 'duplicate_order' }],
        anomalies: ['duplicate_order'],
      }),
    },
    {
      rule: 'a duplicate of an event that was taken before is left to the verification',
      cursor: taken([0, 0]),
      rows: [at(0), at(0, { id: 'other' })],
      expected: result({ events: [], rejected: [], anomalies: [] }),
    },
    {
      rule: 'a repeated row is ignored',
      cursor: startCursor,
      rows: [at(0), at(0)],
      expected: result({ events: [at(0)], rejected: [] }),
    },
    {
      rule: 'an event that the cursor has with another status is named',
      cursor: { ...taken([0, 1]), tally: { Success: 1, Failed: 1 }, exceptions: { Failed: [[1, 1]] } },
      rows: [at(0, { status: failed }), at(1, { status: failed })],
      expected: result({
        progress: expect.objectContaining({ changed: [becameFailed(0)] }),
      }),
    },
    {
      rule: 'no event is named if it is not known what the cursor has them with',
      cursor: { ...taken([0, 1]), tally: { Success: 1, Failed: 1 } },
      rows: [at(0, { status: failed })],
      expected: result({ progress: expect.objectContaining({ changed: [] }) }),
    },
    {
      rule: 'an event without a usable time in an open session happened when it was read',
      cursor: startCursor,
      rows: [timeless],
      expected: result({ events: [timeless] }),
    },
    {
      rule: 'an event without a usable time in a stopped session happened when that stopped, if it was read later',
      cursor: startCursor,
      rows: [timeless],
      when: { sessionOpen: false, stoppedAt: 40n },
      expected: result({ events: [{ ...timeless, startedAt: 40n }] }),
    },
    {
      rule: 'an event without a usable time in a session that stopped before `since` is history',
      cursor: startCursor,
      rows: [timeless],
      when: { sessionOpen: false, stoppedAt: 9n },
      expected: result({ events: [], cursor: { ...taken([0, 0]), tally: { Success: 1 } } }),
    },
  ];
  test.each(rules)('$rule', ({ cursor, rows, when, expected }) => {
    expect(dedupe(cursor, fullRead(cursor), pageOf(...rows), { ...context, ...when })).toEqual(expected);
  });

  test('passes on the anomalies of the page, before its own', () => {
    const rows = [rowOf(at(0)), rowOf(at(0, { id: 'other' }))];
    const { anomalies } = dedupe(
      startCursor,
      fullRead(startCursor),
      page(rows, { anomalies: ['limit_ignored'] }),
      context,
    );
    expect(anomalies).toEqual(['limit_ignored', 'duplicate_order']);
  });

  test('names a row that could not be decoded, and does not ask for it again', () => {
    const { rejected, cursor } = dedupe(startCursor, fullRead(startCursor), page([bad]), context);
    expect(rejected).toEqual([{ order: 3, id: 'e3', reason: 'no_status' }]);
    expect(cursor).toEqual({ ...taken([3, 3]), tally: { rejected: 1 }, exceptions: { rejected: [[3, 3]] } });
  });

  test('remembers the ids of the page before, so that a row that moved to the next page is not a duplicate', () => {
    const first = dedupe(startCursor, fullRead(startCursor), pageOf(at(0), at(1)), context);
    const next = pageOf(at(1), at(1, { id: 'other' }), at(2));
    const second = dedupe(first.cursor, first.progress, next, context);
    expect([second.events, second.rejected]).toEqual([[at(2)], []]);
  });

  test('gives up the lowest holes of a cursor with more than 10,000 intervals', () => {
    const orders = Array.from({ length: 10_002 }, (_, index) => at(index * 3));
    const { cursor, abandoned } = dedupe(startCursor, fullRead(startCursor), pageOf(...orders), context);
    expect([cursor.taken.length, cursor.taken[0]]).toEqual([10_000, [0, 6]]);
    const holes = [
      [1, 2],
      [4, 5],
    ];
    expect([abandoned, cursor.exceptions]).toEqual([holes, { given_up: holes }]);
  });
});

type ReadingRule = Readonly<{
  rule: string;
  cursor?: Cursor;
  pages: readonly [EventPage, EventPage];
  expected: Partial<ReadProgress>;
}>;

describe('a reading of two pages', () => {
  const running = (order: number) => at(order, { status: eventStatus('Running') });
  const [first, second] = [pageOf(at(0), at(1)), { ...pageOf(at(2)), offset: 2 }];
  const rules: readonly ReadingRule[] = [
    { rule: 'the next page begins behind the last', pages: [first, second], expected: { offset: 3 } },
    {
      rule: 'it began when its first page was requested: an event appended after that may be missing from it',
      pages: [
        { ...first, readAt: 30n },
        { ...second, readAt: 40n },
      ],
      expected: { readAt: 30n },
    },
    { rule: 'the new rows of both pages count', pages: [first, second], expected: { fresh: 3 } },
    {
      rule: 'rows that the cursor has are not new',
      cursor: taken([0, 1]),
      pages: [first, second],
      expected: { fresh: 1 },
    },
    {
      rule: 'the events of both pages that still run are unfinished',
      pages: [pageOf(running(0)), pageOf(running(1))],
      expected: { unfinished: [0, 1] },
    },
    { rule: 'the tally has both pages', pages: [first, second], expected: { tally: { Success: 3 } } },
    {
      rule: 'the statuses of both pages are known',
      pages: [pageOf(at(0, { status: failed })), pageOf(at(1, { status: failed }))],
      expected: { exceptions: { Failed: [[0, 1]] } },
    },
    {
      rule: 'the changed events of both pages are named',
      cursor: { ...taken([0, 1]), tally: { Success: 2 } },
      pages: [pageOf(at(0, { status: failed })), pageOf(at(1, { status: failed }))],
      expected: {
        changed: [becameFailed(0), becameFailed(1)],
      },
    },
    {
      rule: 'the duplicates of both pages are named',
      cursor: taken([0, 1]),
      pages: [pageOf(at(0), at(0, { id: 'a' })), pageOf(at(1), at(1, { id: 'b' }))],
      expected: {
        duplicates: [
          { order: 0, id: 'a', reason: 'duplicate_order' },
          { order: 1, id: 'b', reason: 'duplicate_order' },
        ],
      },
    },
  ];
  test.each(rules)('$rule', ({ cursor = startCursor, pages, expected }) => {
    const one = dedupe(cursor, fullRead(cursor), pages[0], context);
    expect(dedupe(one.cursor, one.progress, pages[1], context).progress).toMatchObject(expected);
  });
});

describe('where a reading begins', () => {
  test.each([
    ['an empty cursor: at row 0', startCursor, { offset: 0, expected: undefined, full: true, first: true }],
    ['one event: at row 0', taken([4, 4]), { offset: 0, expected: undefined, full: true, first: false }],
    ['no holes: at the last row', taken([0, 7]), { offset: 7, expected: 7, full: false }],
    ['orders that do not begin at 0', taken([5, 7]), { offset: 2, expected: 7, full: false }],
    ['holes: at the row before the first', taken([0, 3], [6, 9]), { offset: 3, expected: 3, full: false }],
  ] as const)('%s', (_, cursor, expected) => {
    expect(incrementalRead(cursor)).toMatchObject(expected);
  });

  test.each([
    ['the expected row is there', pageOf(at(7), at(8)), false],
    ['another row is there: the rows have moved', pageOf(at(6), at(7)), true],
    ['the page is empty: rows have disappeared', pageOf(), true],
  ] as const)('%s', (_, first, expected) => {
    expect(misses(incrementalRead(taken([0, 7])), first)).toBe(expected);
    expect(misses(fullRead(taken([0, 7])), first)).toBe(false);
  });
});
