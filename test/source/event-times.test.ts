import { describe, expect, test } from '@jest/globals';
import type { RestoreEvent } from '../../src/model/event.js';
import { seconds } from '../../src/model/time.js';
import { dedupe, type DedupeContext, fullRead, rowOutcome } from '../../src/pipeline/dedupe.js';
import { startCursor } from '../../src/pipeline/cursor.js';
import { decodeEvent } from '../../src/source/decode-event.js';

type Row = Readonly<Record<string, unknown>>;

const second = seconds(1);
const hour = seconds(3600);
/** 2022-02-03T00:00:00Z */
const readAt = 1_643_846_400_000_000_000n;

const rowOf = (over: Row) =>
  decodeEvent(
    {
      id: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
      type: 'Restore',
      status: 'Failed',
      startTime: '2022-02-02T15:00:00Z',
      endTime: '2022-02-02T15:00:01.5Z',
      ...over,
    },
    0,
    readAt,
  );

function decoded(over: Row): RestoreEvent {
  const row = rowOf(over);
  if (!('event' in row)) throw new Error(`rejected as ${row.rejected}`);
  return row.event;
}

const timesOf = (over: Row) => {
  const { startedAt, endedAt, duration, anomalies } = decoded({ duration: '00:00:02', ...over });
  return { startedAt, endedAt, duration, isCounted: anomalies.includes('no_time') };
};

const zeroDates = [
  '1601-01-01T00:00:00Z',
  '1753-01-01T00:00:00',
  '1899-12-30T00:00:00Z',
  '1900-01-01T00:00:00Z',
  '1900-01-01T00:00:00+02:00',
  '1969-12-31T23:59:59.9999999Z',
  '1970-01-01T00:00:00Z',
  '1970-01-01T12:00:00Z',
  '1980-01-01T00:00:00',
  '2000-01-01T00:00:00Z',
  '0000-00-00T00:00:00Z',
  '-000001-01-01T00:00:00Z',
];
const largestDates = [
  '2038-01-19T03:14:07Z',
  '2079-06-06T23:59:00',
  '2262-04-11T23:47:16.854775807Z',
  '9999-12-31T23:59:59.9999999Z',
  '+275760-09-13T00:00:00.001Z',
  '10000-01-01T00:00:00Z',
];

describe.each([...zeroDates, ...largestDates])('the time %s', none => {
  const start = readAt - 9n * hour;
  test('is not an end: the event happened when it started', () => {
    const startedAt = start;
    const wanted = { startedAt, endedAt: undefined, duration: 2n * second, isCounted: true };
    expect(timesOf({ endTime: none })).toEqual(wanted);
  });

  test('is not a start: the event happened when it ended', () => {
    const endedAt = start + 1_500_000_000n;
    const wanted = { startedAt: endedAt, endedAt, duration: 2n * second, isCounted: true };
    expect(timesOf({ startTime: none })).toEqual(wanted);
  });

  test('is neither: the event happened when it was read', () => {
    const wanted = { startedAt: readAt, endedAt: undefined, duration: 2n * second, isCounted: true };
    expect(timesOf({ startTime: none, endTime: none })).toEqual(wanted);
  });
});

test.each([
  [{ startTime: null, endTime: '' }],
  [{ startTime: '0001-01-01T00:00:00', endTime: '0001-01-01T00:00:00' }],
  [{ startTime: 'yesterday', endTime: 5 }],
  [{ startTime: '02/02/2022 3:00 PM', endTime: '02/02/2022 3:00 PM' }],
  [{ startTime: 'yesterday', endTime: null }],
  [{ startTime: {}, endTime: '2022-02-30T00:00:00Z' }],
])('an event with the times %j happened when it was read', times => {
  expect(decoded(times)).toMatchObject({ startedAt: readAt, endedAt: undefined, anomalies: ['no_time'] });
});

test.each([
  ['start', { startTime: 'yesterday' }, readAt - 9n * hour + 1_500_000_000n],
  ['end', { endTime: '2022-02-30T00:00:00Z' }, readAt - 9n * hour],
  ['end', { endTime: 1643814000 }, readAt - 9n * hour],
])('an event with a malformed %s has the other time', (_, over, startedAt) => {
  expect(decoded(over)).toMatchObject({ startedAt, anomalies: ['no_time'] });
});

test.each([...zeroDates, ...largestDates])('an event with a time at %s is new, not history', none => {
  const context = { sessionOpen: true, since: readAt - 10n * hour };
  for (const over of [{ endTime: none }, { startTime: none }, { startTime: none, endTime: none }])
    expect(rowOutcome(rowOf(over), { seenId: undefined, taken: false }, context)).toBe('new');
});

describe('an event without a usable time', () => {
  const row = rowOf({ startTime: '1900-01-01T00:00:00Z', endTime: null });
  const page = { offset: 0, rows: [row], last: true, readAt, anomalies: [] };
  const taken = (context: DedupeContext): readonly bigint[] =>
    dedupe(startCursor, fullRead(startCursor), page, context).events.map(({ startedAt }) => startedAt);
  const since = readAt - 5n * hour;

  test('is new in an open session: it happened when it was read', () => {
    expect(taken({ sessionOpen: true, since })).toEqual([readAt]);
  });

  test('is new in a session that has stopped since: it happened when that stopped', () => {
    expect(taken({ sessionOpen: false, stoppedAt: since, since })).toEqual([since]);
  });

  test('is history in a session that stopped before', () => {
    expect(taken({ sessionOpen: false, stoppedAt: since - 1n, since })).toEqual([]);
  });
});

const oldDates = ['1980-01-01T00:00:00Z', '2000-01-01T00:00:00', '2017-02-03T00:00:00Z', '2022-02-02T13:00:00Z'];

describe.each(oldDates)('an event dated %s in a session that was created later', old => {
  const createdAt = readAt - 9n * hour;
  const context = { sessionOpen: true, createdAt, since: readAt - 10n * hour };
  const delivered = (over: Row, of: DedupeContext = context): readonly RestoreEvent[] => {
    const page = { offset: 0, rows: [rowOf(over)], last: true, readAt, anomalies: [] };
    return [...dedupe(startCursor, fullRead(startCursor), page, of).events];
  };

  test('happened when it was read, and is counted as an anomaly', () => {
    const times = { startedAt: readAt, endedAt: undefined, anomalies: ['no_time'] };
    const [event] = delivered({ startTime: old, endTime: old });
    expect({ ...event, anomalies: event?.anomalies.filter(kind => kind !== 'no_offset') }).toMatchObject(times);
  });

  test('happened when its session stopped, if that was earlier', () => {
    const stoppedAt = readAt - hour;
    const [event] = delivered({ startTime: old, endTime: null }, { ...context, sessionOpen: false, stoppedAt });
    expect(event).toMatchObject({ startedAt: stoppedAt, endedAt: undefined });
  });

  test('happened when it ended, if only its start is old', () => {
    const endedAt = readAt - 9n * hour + 1_500_000_000n;
    const [event] = delivered({ startTime: old });
    expect(event).toMatchObject({ startedAt: endedAt, endedAt, duration: undefined });
    expect(event?.anomalies).toContain('no_time');
  });
});

describe('an event a little older than its session', () => {
  const row = rowOf({ startTime: '2022-02-02T14:58:00Z', endTime: '2022-02-02T14:58:01Z' });
  const createdAt = readAt - 9n * hour;
  const outcome = (since: bigint) =>
    rowOutcome(row, { seenId: undefined, taken: false }, { sessionOpen: true, createdAt, since });

  test('keeps its time', () => {
    const page = { offset: 0, rows: [row], last: true, readAt, anomalies: [] };
    const context = { sessionOpen: true, createdAt, since: createdAt };
    const { events } = dedupe(startCursor, fullRead(startCursor), page, context);
    expect(events).toMatchObject([{ startedAt: readAt - 9n * hour - 120n * second, anomalies: [] }]);
  });

  test('is no history if the session was created after the start', () => {
    expect(outcome(createdAt)).toBe('new');
    expect(outcome(createdAt + 1n)).toBe('history');
  });
});
