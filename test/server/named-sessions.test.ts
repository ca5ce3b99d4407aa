import { expect, test } from '@jest/globals';
import { createLog } from '../../src/kernel/log.js';
import { logObserver } from '../../src/server/log-observer.js';
import { fakeClock } from '../support/fake-clock.js';

test.each([
  [
    'missed',
    'Session was not reported by the change feed, found by a list',
    'Sessions not reported by the change feed',
  ],
  ['deleted', 'Restore session was deleted on the server within a week', 'Restore sessions deleted on the server'],
])('logs each session that was %s, ten in a poll, and how many there were', (kind, one, all) => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'logfmt', write: line => lines.push(line) });
  const ids = Array.from({ length: 12 }, (_, index) => `s${String(index)}`);
  const report = { result: 'complete', error: undefined, seconds: 1, listed: 0 } as const;
  const found = { rejects: [], late: [], missed: [], deleted: [], [kind]: ids };
  logObserver(log, fakeClock()).discovered({ ...report, ...found }, []);
  expect(lines).toHaveLength(11);
  expect(lines[0]).toContain(`level=warn msg="${one}" session=s0`);
  expect(lines.at(-1)).toContain(`level=warn msg="${all}" count=12`);
});
