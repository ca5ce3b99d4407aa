// Takes pictures of the dashboards: `npm run pictures -- --world busy --hours 24 --theme dark --out .cache/pictures`.
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { startArchive } from '../../dist/test/e2e/support/archive.js';
import { victoriaLogsArchive } from '../../dist/test/e2e/support/log-archives.js';
import { scrapeOf, stage, to } from './stage.mjs';

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'busy' },
    hours: { type: 'string', default: '24' },
    theme: { type: 'string', default: 'dark' },
    board: {
      type: 'string',
      multiple: true,
      default: ['vb365-fleet', 'vb365-organization', 'vb365-session', 'vb365-exporter'],
    },
    choose: { type: 'string', default: '' },
    height: { type: 'string', default: '' },
    row: { type: 'string', default: '' },
    out: { type: 'string', default: '.cache/pictures' },
  },
});

const folder = await stage(values.world);
const prometheus = await startArchive(folder, '15m');
const logs = await victoriaLogsArchive(folder);
const backends = { prometheus: prometheus.url, victorialogs: logs.url.origin };

const here = path => new URL(path, import.meta.url).pathname;
const types = { js: 'text/javascript', html: 'text/html', json: 'application/json', css: 'text/css' };

/** Dashboards without log panels are in one folder only. */
const boardFile = name =>
  [`../grafana-victorialogs/${name}`, `../grafana/${name}`].map(here).find(existsSync) ?? here(name);

/** Where a row begins, in pixels; as the page draws it. */
function topOf(board, title) {
  const { panels } = JSON.parse(readFileSync(boardFile(`${board}.json`), 'utf8'));
  return 92 + 38 * panels.find(panel => panel.type === 'row' && panel.title === title).gridPos.y;
}

/** The page, the dashboards, and the programs that they ask. */
const server = createServer((incoming, outgoing) => {
  const [, backend, rest] = /^\/(prometheus|victorialogs)(\/.*)$/.exec(incoming.url) ?? [];
  if (backend !== undefined) {
    // A separate connection: the other side may have closed one that was kept.
    const passed = request(`${backends[backend]}${rest}`, { agent: false }, answer => {
      outgoing.writeHead(answer.statusCode, { 'content-type': 'application/json' });
      answer.pipe(outgoing);
    });
    return passed.on('error', error => outgoing.writeHead(502).end(String(error))).end();
  }
  const path = new URL(incoming.url, 'http://page').pathname;
  const file = path.startsWith('/boards/')
    ? boardFile(path.slice(8))
    : here(`.cache/page${path === '/' ? '/index.html' : path}`);
  outgoing.setHeader('content-type', types[file.split('.').at(-1)] ?? 'application/octet-stream');
  return createReadStream(file)
    .on('error', () => outgoing.writeHead(404).end())
    .pipe(outgoing);
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  mkdirSync(values.out, { recursive: true });
  for (const board of values.board) {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    page.setDefaultTimeout(180_000);
    page.on('pageerror', error => console.log(board, error.message));
    page.on('console', message => message.type() === 'error' && console.log(board, message.text().slice(0, 400)));
    await page.clock.setFixedTime(to * 1000);
    const query = new URLSearchParams({
      board,
      to,
      hours: values.hours,
      theme: values.theme,
      scrape: scrapeOf(values.world),
    });
    await page.goto(`http://127.0.0.1:${server.address().port}/?${query}&${values.choose}`);
    await page.waitForLoadState('networkidle');
    // A busy machine draws the last panels long after their data has arrived.
    await page.waitForTimeout(15_000);
    const path = `${values.out}/${board}-${values.world}-${values.hours}h-${values.theme}.png`;
    const y = values.row === '' ? 0 : topOf(board, values.row);
    const pageHeight = await page.evaluate('document.documentElement.scrollHeight');
    const height = values.height === '' ? pageHeight - y : Number(values.height);
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y, width: 1600, height } });
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  server.close();
  await logs.stop();
  await prometheus.stop();
}
