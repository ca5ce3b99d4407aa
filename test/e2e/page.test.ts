import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axe from 'axe-core';
import { mkdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import type { Status } from '../../src/web/landing-page.js';
import { aServer, aStatus, ask, serve } from '../support/web.js';
import { type Look, openBrowser, type Seen, seen } from './support/browser.js';

const screenshots = '.cache/screenshots';
const uuid = (n: number): string => `${String(n).padStart(8, '0')}-1111-4111-8111-111111111111`;

const down = aServer({
  name: 'branch',
  origin: 'https://vb365-branch.example.com:4443',
  state: 'down',
  error: 'Could not reach "https://vb365-branch.example.com:4443/v8/Token": connection refused',
  open: undefined,
  lastPollAgoMs: 7_300_000,
});
const unseen = aServer({
  name: 'new',
  state: 'unknown',
  apiVersion: '',
  version: '',
  lastPollAgoMs: undefined,
  open: undefined,
});
const failed = ['Restore', 'Export', 'Send'].map((type, n) => ({
  server: 'hq',
  id: uuid(n),
  type,
  at: `2026-11-25T08:5${String(9 - n)}:12.0000000Z`,
}));
const many = Array.from({ length: 200 }, (_, n) =>
  n % 20 === 3
    ? { ...down, name: `tenant-${String(n)}` }
    : aServer({ name: `tenant-${String(n)}`, open: [{ id: uuid(n), ageMs: n * 90_000, events: n }] }),
);

const situations: readonly (readonly [string, Status])[] = [
  ['no data', { ...aStatus([unseen]) }],
  ['no server', aStatus([])],
  ['one of three servers down', { ...aStatus([aServer(), down, unseen]), failed }],
  ['200 servers', { ...aStatus(many), failed }],
];
const looks: readonly Look[] = [
  { width: 360, height: 740, colorScheme: 'light' },
  { width: 360, height: 740, colorScheme: 'dark' },
  { width: 1280, height: 800, colorScheme: 'light' },
  { width: 1280, height: 800, colorScheme: 'dark' },
];
/** The narrowest screen that has the tables as tables. */
const tablet: Look = { width: 961, height: 800, colorScheme: 'light' };
const cases = situations.flatMap(([situation, status]) =>
  looks.map(look => ({ situation, status, look, name: `${String(look.width)} px, ${look.colorScheme}` })),
);

let browser: Browser;
beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  browser = await openBrowser();
});
afterAll(async () => browser.close());

async function looking<T>(status: Status, look: Look, use: (seen: Seen) => Promise<T>): Promise<T> {
  const web = await serve({ status: () => status });
  try {
    return await seen(browser, `http://127.0.0.1:${String(web.port)}/`, look, use);
  } finally {
    await web.close();
  }
}

/** What axe finds wrong, of every rule it has, contrast included. */
async function faults({ page }: Seen): Promise<readonly string[]> {
  // Through the debugger: the policy of the page lets no script element in.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run: () => Promise<axe.AxeResults> } }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

describe('the page, in Chromium', () => {
  test.each(cases)(
    'with $situation at $name fits, is accessible, and asks nobody else',
    async ({ situation, status, look }) => {
      await looking(status, look, async at => {
        const wide = await at.page.evaluate('document.documentElement.scrollWidth');
        await at.page.screenshot({
          path: `${screenshots}/${situation.replaceAll(' ', '-')}-${String(look.width)}-${look.colorScheme}.png`,
          fullPage: situation !== '200 servers',
        });
        expect(wide).toBe(look.width);
        expect(await faults(at)).toEqual([]);
        expect({ problems: at.problems, strangers: at.strangers }).toEqual({ problems: [], strangers: [] });
      });
    },
  );

  test.each([...looks, tablet])('breaks no address, id or count in two: $width px, $colorScheme', async look => {
    const status = { ...aStatus([...many.slice(0, 4), ...many.slice(-1)]), failed };
    await looking(status, look, async ({ page }) => {
      await page.screenshot({ path: `${screenshots}/unbroken-${String(look.width)}-${look.colorScheme}.png` });
      const broken = `[...document.querySelectorAll('.origin, dd, time, code')].filter(one => one.getClientRects().length > 1
        || one.clientHeight > 2 * parseFloat(getComputedStyle(one).fontSize)).map(one => one.textContent)`;
      expect(await page.evaluate(broken)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.width);
    });
  });

  test('leads a keyboard through its links, in order and visibly', async () => {
    await looking(aStatus(), { width: 360, height: 740, colorScheme: 'light' }, async ({ page }) => {
      const way: unknown[] = [];
      for (const key of ['Tab', 'Tab', 'Tab']) {
        await page.keyboard.press(key);
        way.push(
          await page.evaluate(
            '[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]',
          ),
        );
      }
      expect(way).toEqual([
        ['Metrics', 'solid'],
        ['Health', 'solid'],
        ['Readiness', 'solid'],
      ]);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/-/ready');
    });
  });

  test('stays a table to a screen reader on a phone', async () => {
    await looking(aStatus(), { width: 360, height: 740, colorScheme: 'light' }, async ({ page }) => {
      expect(await page.getByRole('table', { name: 'Servers' }).getByRole('row').count()).toBe(2);
      expect(await page.getByRole('columnheader', { name: 'Last complete poll' }).count()).toBe(1);
    });
  });

  test('of 200 servers is under 256 KiB, and loaded within 5 s', async () => {
    const status = situations[3]?.[1] ?? aStatus();
    const web = await serve({ status: () => status });
    const { body } = await ask(web.port, '/');
    await web.close();
    expect(Buffer.byteLength(body)).toBeLessThan(256 * 1024);
    await looking(status, { width: 360, height: 740, colorScheme: 'light' }, async ({ page }) => {
      expect(await page.evaluate('performance.getEntriesByType("navigation")[0].duration')).toBeLessThan(5_000);
      expect(await page.getByRole('rowheader').filter({ hasText: 'tenant-' }).count()).toBe(200);
    });
  });
});
