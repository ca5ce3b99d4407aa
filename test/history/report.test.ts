import { describe, expect, test } from '@jest/globals';
import { csvLine, htmlPage } from '../../src/history/report-format.js';

describe('a line of csv', () => {
  test.each([
    ['=HYPERLINK("http://evil","x")', `"'=HYPERLINK(""http://evil"",""x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['＝1', "'＝1"],
    ['\tx', "'\tx"],
    ['\r=1', `"'\r=1"`],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
    ['plain = text', 'plain = text'],
    ['', ''],
  ])('%j is harmless in a spreadsheet', (text, cell) => {
    expect(csvLine(['a'], { a: text })).toBe(cell);
  });

  test('has its cells in the order of the columns; numbers are numbers', () => {
    expect(csvLine(['b', 'a', 'c'], { a: 1, b: -1, c: undefined })).toBe('-1,1,');
  });
});

describe('a page of html', () => {
  const table = { title: 'A & B', columns: ['name', 'none'], rows: [{ name: '<script>alert("x")</script>' }] };
  const page = htmlPage('Title', ['hq'], [table, { ...table, rows: [] }]);

  test('has no script, refers to nothing, and escapes what it shows', () => {
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(/);
    expect(page).toContain('<td>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</td>');
    expect(page).toContain('<h2>A &amp; B</h2>');
  });

  test('is written for people: thousands are separated, times have no fraction', () => {
    const row = { started: '2026-01-31T08:00:00.123Z', item_name: '2026-01-31T08:00:00.123Z', bytes: 9_116_177 };
    const readable = htmlPage('Title', [], [{ title: 'T', columns: Object.keys(row), rows: [row] }]);
    expect(readable).toContain('<td class="t">2026-01-31 08:00:00</td><td>2026-01-31T08:00:00.123Z</td>');
    expect(readable).toContain('<td class="n">9,116,177</td>');
  });

  test('leaves out columns without a value, and tables without a row', () => {
    expect(page).not.toContain('<th>none</th>');
    expect(page.match(/<table>/g)).toHaveLength(1);
    expect(page).toContain('<p>None.</p>');
  });
});
