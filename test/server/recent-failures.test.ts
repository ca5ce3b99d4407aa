import { describe, expect, test } from '@jest/globals';
import { eventStatus, eventType } from '../../src/model/event.js';
import { RecentFailures } from '../../src/server/recent-failures.js';
import { at, taken } from '../support/restore.js';

const failedAt = (id: string, endedAt: string) =>
  taken({ id, type: eventType('Restore'), status: eventStatus('Failed'), endedAt: at(endedAt) });

describe('the last failed events', () => {
  test('are kept by id, type and time only', () => {
    const failures = new RecentFailures(20);
    failures.note('hq', { events: [failedAt('e1', '2026-11-25T09:00:00Z'), taken({ id: 'e2' })] });
    expect(failures.view()).toEqual([{ server: 'hq', id: 'e1', type: 'Restore', at: '2026-11-25T09:00:00.0000000Z' }]);
  });

  test('are bounded by when they happened: catching up on old ones does not push out newer ones', () => {
    const failures = new RecentFailures(2);
    failures.note('hq', { events: [failedAt('new', '2026-11-25T09:00:00Z')] });
    failures.note('branch', { events: ['01', '03', '02'].map(day => failedAt(day, `2026-11-${day}T09:00:00Z`)) });
    expect(failures.view().map(({ id }) => id)).toEqual(['new', '03']);
  });
});
