// Runs all parts, or those that are named, and puts what they find out into bench/RESULTS.md.
// npm run bench [-- <part> ...] [--runs 5] [--profile <folder>]
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { against } from './against.js';
import { catchUp } from './catch-up.js';
import { outage } from './outage.js';
import { scrape } from './scrape.js';
import type { Section } from './rig/report.js';
import { placeSection } from './rig/results.js';
import { say } from './rig/stats.js';

const parts: Readonly<Record<string, () => Promise<Section>>> = {
  'catch-up': catchUp,
  outage,
  scrape,
  against,
};

const file = 'bench/RESULTS.md';
const formatted = async (document: string): Promise<string> =>
  format(document, { ...(await resolveConfig(file)), parser: 'markdown' });
const flags = process.argv.findIndex(word => word.startsWith('--'));
const named = process.argv.slice(2, flags === -1 ? undefined : flags);
const unknown = named.filter(name => !(name in parts));
if (unknown.length > 0) throw new Error(`No part "${unknown.join(', ')}"; there are ${Object.keys(parts).join(', ')}`);

for (const [name, run] of Object.entries(parts)) {
  if (named.length > 0 && !named.includes(name)) continue;
  say(`--- ${name}`);
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  const section = await run();
  say(`\n${section.title}\n\n${section.body}\n`);
  // oxlint-disable-next-line no-await-in-loop -- as above
  writeFileSync(file, await formatted(placeSection(readFileSync(file, 'utf8'), name, section)));
}
