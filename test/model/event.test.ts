import { describe, expect, test } from '@jest/globals';
import { eventStatus, eventTime, eventType, isFinal, type RestoreEvent } from '../../src/model/event.js';

const event = (status: string, endedAt: bigint | undefined): RestoreEvent => ({
  id: 'f346f90e-a02f-4747-b30e-ef34f980c670',
  order: 0,
  type: eventType('View'),
  status: eventStatus(status),
  startedAt: 5n,
  endedAt,
  duration: undefined,
  title: '',
  message: '',
  item: { name: '', type: '', sizeBytes: undefined },
  source: '',
  target: '',
  reason: '',
  anomalies: [],
});

describe('an event', () => {
  test.each([
    ['Success', true],
    ['Warning', true],
    ['Failed', true],
    ['Cancelled', true],
    ['Skipped', true],
    ['Running', false],
  ])('of status %s is final: %s, with or without an end, in a session open or not', (status, final) => {
    for (const endedAt of [undefined, 7n])
      for (const open of [true, false]) expect(isFinal(event(status, endedAt), open)).toBe(final);
  });

  test.each([
    [undefined, true, false],
    [7n, true, true],
    [undefined, false, true],
    [7n, false, true],
  ])('of unknown status that ended at %s in a session open: %s is final: %s', (endedAt, open, final) => {
    expect(isFinal(event('Paused', endedAt), open)).toBe(final);
  });

  test('happened when it ended, or began while it has no end', () => {
    expect(eventTime(event('Success', 7n))).toBe(7n);
    expect(eventTime(event('Running', undefined))).toBe(5n);
  });
});
