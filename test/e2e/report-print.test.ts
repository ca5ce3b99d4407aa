import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { itemColumns, printed, sessionColumns } from '../../src/history/report.js';
import { htmlPage } from '../../src/history/report-format.js';
import { inFolder } from '../support/folder.js';
import { openBrowser, seen } from './support/browser.js';

/** A4 in landscape without its margins; Chromium cuts what is more than 1.4 times as wide. */
const paperPx = ((297 - 24) / 25.4) * 96;

const longColumns = /organization|initiator|owners?$|reason|item_name|source|target|failure/;
const counts = /items|restored|bytes|failed$|unfinished/;

/** In the page. */
const linesOfWorkload = `
  const range = document.createRange();
  range.selectNodeContents([...document.querySelectorAll('td')].find(cell => cell.textContent === 'sharepoint'));
  range.getClientRects().length`;

const cellOf = (column: string): string | number => {
  if (/^(started|time)$/.test(column)) return '2026-01-31T08:00:00.000Z';
  if (column === 'workload') return 'sharepoint';
  return counts.test(column) ? 1_234_567 : longColumns.test(column) ? 'long'.repeat(50) : 'Success';
};

test.each(Object.entries({ sessions: sessionColumns, items: itemColumns }))(
  'a report of %s with long texts fits on paper, and breaks no name of a workload',
  async (_what, all) => {
    await inFolder(async folder => {
      const columns = printed(all);
      const row = Object.fromEntries(columns.map(column => [column, cellOf(column)]));
      const file = join(folder, 'report.html');
      writeFileSync(file, htmlPage('Report', [], [{ title: 'Rows', columns, rows: [row, row] }]));
      const browser = await openBrowser();
      try {
        const look = { width: Math.floor(paperPx), height: 700, colorScheme: 'light' } as const;
        await seen(browser, pathToFileURL(file).href, look, async ({ page }) => {
          await page.emulateMedia({ media: 'print' });
          const { width = Infinity } = (await page.locator('table').boundingBox()) ?? {};
          expect(width).toBeLessThan(1.4 * paperPx);
          const lines = await page.evaluate<number>(linesOfWorkload);
          expect(lines).toBe(1);
        });
      } finally {
        await browser.close();
      }
    });
  },
  60_000,
);
