import { expect, test } from '@jest/globals';
import { type Cursor, formatCursor, ofStored, parseCursor, startCursor } from '../../src/pipeline/cursor.js';

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

const whole = '0-3,5-900;Success=897,Failed=2;result;100;Failed=1,7&Warning=9;Restore';

test.each([
  ['cut short', whole.slice(0, 4)],
  ['cut in its exceptions', '0-3;Success=4;;;Failed=1,'],
  ['without parts', '0-3'],
  ['empty', ''],
  ['with a letter in an interval', 'x-3,5-900;Success=899;'],
  ['with a number that is none', '0-3,-5;Success=4;'],
  ['with an interval that ends before it begins', '0-3,950-900;Success=4;'],
  ['with intervals that are not sorted', '5-900,0-3;Success=900;'],
  ['with a count that is none', '0-3;Success=x;'],
  ['with a status that it cannot have', '0-3;Succexs=4;'],
  ['with a result that is none', '0-3;Success=4;resulu'],
  ['with an end that is none', '0-3;Success=4;result;1x0'],
  ['with an item that it cannot have', '0-3;Success=4;result;100;;Restora'],
  ['of another program', '{"taken":[[0,3]]}'],
])('a damaged cursor is not taken for another one: %s', (_, text) => {
  expect(() => parseCursor(text)).toThrow(SyntaxError);
  const row = { session: 's1', sink: 'logs', cursor: text };
  expect(() => ofStored(row, parseCursor)).toThrow(
    'Could not use the cursor of sink "logs" for restore session s1: it is damaged; restore a backup of the state, ' +
      'or remove this server from it with "vb365-exporter state forget"',
  );
});

test('no flipped bit makes a cursor mean less or more without a fault, unless it is that of a digit', () => {
  for (let at = 0; at < whole.length; at += 1)
    for (let bit = 0; bit < 7; bit += 1) {
      const flipped = String.fromCharCode(whole.charCodeAt(at) ^ (1 << bit));
      if (/\d/.test(flipped) && /\d/.test(whole[at] ?? '')) continue;
      expect(() => parseCursor(whole.slice(0, at) + flipped + whole.slice(at + 1))).toThrow(SyntaxError);
    }
});
