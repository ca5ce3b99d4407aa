import { expect, test } from '@jest/globals';
import { createLog } from '../../src/kernel/log.js';
import { logObserver } from '../../src/server/log-observer.js';
import { fakeClock } from '../support/fake-clock.js';
import { pollReport } from '../support/server-run.js';

test.each([
  [
    'missed',
    'Session was not reported by the change feed, found by a list',
    'Sessions not reported by the change feed',
    'feed_gap',
  ],
  [
    'deleted',
    'Restore session was deleted on the server within a week',
    'Restore sessions deleted on the server',
    'deleted_early',
  ],
])(
  'logs each session that was %s, ten in a poll, with the reason, and how many there were',
  (kind, one, all, reason) => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'logfmt', write: line => lines.push(line) });
    const ids = Array.from({ length: 12 }, (_, index) => `s${String(index)}`);
    logObserver(log, fakeClock()).discovered(pollReport({ [kind]: ids }), []);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toContain(`level=warn msg="${one}" session=s0 reason=${reason}`);
    expect(lines.at(-1)).toContain(`level=warn msg="${all}" count=12`);
  },
);
