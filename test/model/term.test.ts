import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { eventStatus, eventStatuses, eventType, eventTypes } from '../../src/model/event.js';
import { sessionResult, sessionResults, workload } from '../../src/model/session.js';

describe('a term', () => {
  test.each([
    ['Failed', 'Failed', 'Failed'],
    ['failed', 'Failed', 'Failed'],
    ['SKIPPED', 'Skipped', 'Skipped'],
    ['Paused', 'other', 'Paused'],
    ['', 'other', ''],
  ])('%j is known as %s, written %j', (written, label, raw) => {
    expect(eventStatus(written)).toEqual({ label, raw });
  });

  test.each([
    [eventStatus, eventStatuses],
    [eventType, eventTypes],
    [sessionResult, sessionResults],
  ])('is known for every value of the API', (term, values) => {
    expect(values.map(value => term(value).label)).toEqual(values);
  });

  test('has one of the known labels, whatever was written', () => {
    fc.assert(
      fc.property(fc.string(), written => {
        expect([...eventTypes, 'other']).toContain(eventType(written).label);
      }),
    );
  });
});

describe('a workload', () => {
  test.each([
    ['Vex', 'exchange'],
    ['Veod', 'onedrive'],
    ['Vesp', 'sharepoint'],
    ['Vet', 'teams'],
    ['vex', 'exchange'],
    ['Vxx', 'other'],
    ['constructor', 'other'],
    ['__proto__', 'other'],
  ])('of a session of type %s is %s', (raw, label) => {
    expect(workload(raw)).toEqual({ label, raw });
  });
});
