// What looking up the owners of restored data costs: CPU time of catching up with and without it, in pairs.
// npm run bench -- owners [--runs 5] [--events 500000]
import { exporterCost } from './catch-up.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

const eventsEach = 5_000;

/** CPU seconds with look-ups, and without. Every other pair begins without, because a machine changes in a minute. */
async function pair(events: number, run: number): Promise<readonly [on: number, off: number]> {
  const cost = async (resolveOwners: boolean): Promise<number> =>
    (await exporterCost({ sessions: events / eventsEach, eventsEach, resolveOwners })).cpuSeconds;
  const first = await cost(run % 2 === 0);
  const second = await cost(run % 2 !== 0);
  return run % 2 === 0 ? [first, second] : [second, first];
}

/** The ratio of CPU seconds with `resolve_owners` and without. */
export async function ownerLookUps(): Promise<Section> {
  const [runs, events] = [flag('runs', 5), flag('events', 500_000)];
  const found: (readonly [on: number, off: number])[] = [];
  for (let run = 0; run < runs; run += 1) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    const [on, off] = await pair(events, run);
    found.push([on, off]);
    say(`with owners ${on.toFixed(2)} s of CPU, without ${off.toFixed(2)} s: ${(on / off).toFixed(3)}`);
  }
  const micros = (seconds: number): number => (seconds * 1e6) / events;
  const row = [
    spread(
      found.map(([on]) => micros(on)),
      1,
    ),
    spread(
      found.map(([, off]) => micros(off)),
      1,
    ),
    spread(
      found.map(([on, off]) => on / off),
      3,
    ),
    '<= 1.05',
  ];
  const body = `CPU time of the exporter while it catches up with ${events.toLocaleString('en')} events of sessions of 5,000, metrics and logs, with
\`resolve_owners\` and without, one right after the other, in turns first. Medians of ${String(runs)} pairs (least to most).`;
  return {
    title: 'Looking up owners',
    body: `${body}\n\n${table(['with owners, us/event', 'without, us/event', 'ratio', 'goal'], [row])}`,
  };
}
