// Runs all parts, or those that are named, and puts what they find out into bench/RESULTS.md.
// npm run bench [-- <part> ...] [--runs 5]; with `--only`, `--events`, `--servers`, `--replicas` or `--profile <folder>` they are only shown.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { against } from './against.js';
import { catchUp } from './catch-up.js';
import { growth } from './growth.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { ownerLookUps } from './owners.js';
import { outage } from './outage.js';
import { sharedServers } from './replicas.js';
import { scrape } from './scrape.js';
import type { Section } from './rig/report.js';
import { placeSection } from './rig/results.js';
import { flag, say, text } from './rig/stats.js';
import { manyServers } from './servers.js';
import { startUp } from './start.js';
import { stores } from './stores.js';

const parts: Readonly<Record<string, () => Promise<Section>>> = {
  'catch-up': catchUp,
  growth,
  latency,
  memory,
  outage,
  owners: ownerLookUps,
  servers: manyServers,
  replicas: sharedServers,
  stores,
  start: startUp,
  scrape,
  against,
};

const file = 'bench/RESULTS.md';
const formatted = async (document: string): Promise<string> =>
  format(document, { ...(await resolveConfig(file)), parser: 'markdown' });

/** The parts that are named, before the flags; a flag and its value follow in pairs. */
function namedParts(words: readonly string[]): readonly string[] {
  const flags = words.findIndex(word => word.startsWith('--'));
  const named = flags === -1 ? words : words.slice(0, flags);
  const behind = words.slice(named.length).filter((word, index) => index % 2 === 0 && !word.startsWith('--'));
  const unknown = [...named.filter(name => !Object.hasOwn(parts, name)), ...behind];
  if (unknown.length === 0) return named;
  throw new Error(`No part "${unknown.join(', ')}"; there are ${Object.keys(parts).join(', ')}, before all flags`);
}

const named = namedParts(process.argv.slice(2));
if (flag('runs', 1) < 1) throw new Error('"--runs" wants 1 or more');
/** A part that is not measured whole, or while something else is, is no result. */
const isResult = ['only', 'events', 'servers', 'replicas', 'profile'].every(name => text(name) === '');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

for (const [name, run] of Object.entries(parts)) {
  if (named.length > 0 && !named.includes(name)) continue;
  say(`--- ${name}`);
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  const section = await run();
  say(`\n${section.title}\n\n${section.body}\n`);
  // oxlint-disable-next-line no-await-in-loop -- as above
  if (isResult) writeFileSync(file, await formatted(placeSection(readFileSync(file, 'utf8'), name, section)));
}
