import { parseArgs } from 'node:util';
import { type ChaosReport, runChaos } from './chaos.js';

/** Kills the program `--kills` times under `--seed` and prints what came of it; 50 events a kill at least. */
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const report = await runChaos({
  kills,
  seed,
  leastEvents: 50 * kills,
  progress: life => {
    if (life % 50 === 0) say(`${String(life)} kills`);
  },
});
for (const [name, value] of Object.entries(report)) say(`${name}: ${show(value)}`);
process.exitCode = holds(report) ? 0 : 1;

function show(value: ChaosReport[keyof ChaosReport]): string {
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) ? [String(value.length), ...value.slice(0, 20)].join('\n  ') : JSON.stringify(value);
}

function holds({ lost, strays, differences, fallen, faults }: ChaosReport): boolean {
  return lost + strays.length + differences.length + fallen.length + faults.length === 0;
}
