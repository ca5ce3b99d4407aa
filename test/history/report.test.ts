import { describe, expect, test } from '@jest/globals';
import { csvLine, htmlPage } from '../../src/history/report-format.js';

describe('a line of csv', () => {
  test.each([
    ['=HYPERLINK("http://evil","x")', `"'=HYPERLINK(""http://evil"",""x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
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

  test('leaves out columns without a value, and tables without a row', () => {
    expect(page).not.toContain('<th>none</th>');
    expect(page.match(/<table>/g)).toHaveLength(1);
    expect(page).toContain('<p>None.</p>');
  });
});
