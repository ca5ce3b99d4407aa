import { expect, test } from '@jest/globals';
import { type Cursor, formatCursor, parseCursor, startCursor } from '../../src/pipeline/cursor.js';

test.each<[Cursor, string]>([
  [startCursor, ';;'],
  [
    {
      taken: [
        [0, 3],
        [5, 900],
      ],
      tally: { Failed: 2, Success: 897, duplicate: 1 },
      resultTaken: true,
    },
    '0-3,5-900;Success=897,Failed=2,duplicate=1;result',
  ],
  [{ taken: [[0, 3]], tally: { Success: 4 }, resultTaken: true, endedAt: 100n }, '0-3;Success=4;result;100'],
  [
    { taken: [[0, 3]], tally: { Success: 2, rejected: 2 }, resultTaken: false, exceptions: { rejected: [[1, 2]] } },
    '0-3;Success=2,set_aside=2;;;set_aside=1-2',
  ],
  [
    { taken: [[0, 3]], tally: { Success: 3, Failed: 1 }, resultTaken: true, failed: 'Restore' },
    '0-3;Success=3,Failed=1;result;;;Restore',
  ],
  [{ taken: [], tally: {}, resultTaken: true, endedAt: 100n, failed: 'counted' }, ';;result;100;;counted'],
])('a cursor is written in full and read back the same (%#)', (cursor, text) => {
  expect(formatCursor(cursor)).toBe(text);
  expect(parseCursor(text)).toEqual(cursor);
});
