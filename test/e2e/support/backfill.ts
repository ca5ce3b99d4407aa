import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './running.js';
import { toolPath } from './tools.js';

/** Scrapes of a time that has passed, on their way into the database of a Prometheus. */
export interface Backfill {
  scraped: (page: string, atMs: number) => void;
  /** Writes the blocks of the database. */
  write(tsdb: string): Promise<void>;
}

const dayMs = 86_400_000;

/** Labels of the scrape, as Prometheus would have added them. */
const ofTheScrape = 'job="vb365",instance="exporter:10365"';

/** A line of a page with the labels of the scrape and a time, as OpenMetrics. */
function sampleOf(line: string, atSeconds: number): string {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  return `${name}{${[ofTheScrape, labels].filter(text => text !== '').join(',')}} ${value} ${String(atSeconds)}\n`;
}

/** Collects scrapes in files of a day each: promtool reads its input once for every two hours in it. */
export function backfill(folder: string): Backfill {
  mkdirSync(folder, { recursive: true });
  const fileOf = (atMs: number): string => join(folder, `${String(Math.floor(atMs / dayMs))}.om`);
  return {
    scraped: (page, atMs) => {
      const lines = page.split('\n').filter(line => line !== '' && !line.startsWith('#'));
      const own = ['up 1', 'scrape_duration_seconds 0.01', `scrape_samples_scraped ${String(lines.length)}`];
      appendFileSync(fileOf(atMs), [...lines, ...own].map(line => sampleOf(line, atMs / 1000)).join(''));
    },
    write: async tsdb => {
      for (const name of readdirSync(folder)) {
        const file = join(folder, name);
        appendFileSync(file, '# EOF\n');
        const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, tsdb];
        const { code, output } = await runProgram({ path: toolPath('promtool'), args });
        if (code !== 0) throw new Error(`promtool could not write the blocks: ${output}`);
        rmSync(file);
      }
    },
  };
}
