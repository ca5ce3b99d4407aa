import { chromium, type Browser, type Page } from 'playwright-core';
import { toolPath } from './tools.js';

/** Headless Chromium without its sandbox, which a container's root cannot have. */
export const openBrowser = async (): Promise<Browser> =>
  chromium.launch({ executablePath: toolPath('chromium'), args: ['--no-sandbox', '--disable-dev-shm-usage'] });

export type Look = Readonly<{ width: number; height: number; colorScheme: 'light' | 'dark' }>;

/** A page as somebody sees it, with its errors and console messages, and what it asked another origin for. */
export type Seen = Readonly<{ page: Page; problems: readonly string[]; strangers: readonly string[] }>;

/** Opens `url` in a fresh context, from which `use` may look at it. */
export async function seen<T>(browser: Browser, url: string, look: Look, use: (seen: Seen) => Promise<T>): Promise<T> {
  const { width, height, colorScheme } = look;
  // axe is put in by the test; the page's own policy is checked by the problems, which nothing silences.
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    const strangers: string[] = [];
    page.on('console', message => void problems.push(message.text()));
    page.on('pageerror', error => void problems.push(error.message));
    page.on('request', request => {
      if (new URL(request.url()).origin !== new URL(url).origin) strangers.push(request.url());
    });
    await page.goto(url);
    return await use({ page, problems, strangers });
  } finally {
    await context.close();
  }
}
