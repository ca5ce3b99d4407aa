import { parseArgs } from 'node:util';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import { type ChaosReport, runChaos } from './chaos.js';
import { type ReplicasReport, runReplicas } from './replicas.js';
import { runSoak, type SoakReport } from './soak.js';

/**
 * Kills the program `--kills` times under `--seed` and prints what came of it; 50 events a kill at least. With
 * `--replicas` of 2 or more, they share a real PostgreSQL. With `--soak`
 * it lets answers of the servers fail instead, for `--seconds`.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    replicas: { type: 'string', default: '1' },
    soak: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '300' },
    servers: { type: 'string', default: '1' },
    sessions: { type: 'string', default: '60' },
    faults: { type: 'string', default: '0.05' },
    hangs: { type: 'string', default: '0.008' },
    stuck: { type: 'boolean', default: false },
    'request-timeout': { type: 'string', default: '8' },
    version: { type: 'string', default: '8' },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.soak) await soak();
else if (Number(values.replicas) > 1) await killReplicas();
else await kill();

function progress(life: number): void {
  if (life % 50 === 0) say(`${String(life)} kills`);
}

async function kill(): Promise<void> {
  const report = await runChaos({ kills, seed, leastEvents: 50 * kills, progress });
  for (const [name, value] of Object.entries(report)) say(`${name}: ${show(value)}`);
  process.exitCode = holds(report) ? 0 : 1;
}

async function killReplicas(): Promise<void> {
  const replicas = Number(values.replicas);
  const report = await runReplicas({ replicas, kills, seed, leastEvents: 50 * kills, progress });
  for (const [name, value] of Object.entries(report)) say(`${name}: ${show(value)}`);
  process.exitCode = holds(report) ? 0 : 1;
}

async function soak(): Promise<void> {
  const version = simulatedVersions.find(one => String(one) === values.version);
  if (version === undefined) throw new Error(`no such version: ${values.version}`);
  const report = await runSoak({
    seconds: Number(values.seconds),
    servers: Number(values.servers),
    sessions: Number(values.sessions),
    faults: Number(values.faults),
    hangs: Number(values.hangs),
    stuck: values.stuck,
    requestTimeoutSeconds: Number(values['request-timeout']),
    version,
    seed,
  });
  for (const [name, value] of Object.entries(report)) say(`${name}: ${show(value)}`);
  process.exitCode = keepsUp(report) ? 0 : 1;
}

function show(
  value: ChaosReport[keyof ChaosReport] | ReplicasReport[keyof ReplicasReport] | SoakReport[keyof SoakReport],
): string {
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) ? [String(value.length), ...value.slice(0, 20)].join('\n  ') : JSON.stringify(value);
}

function holds({ lost, strays, differences, fallen, faults }: ChaosReport | ReplicasReport): boolean {
  return lost + strays.length + differences.length + fallen.length + faults.length === 0;
}

function keepsUp({ lagP99, recovered, lost, linesPerMinute }: SoakReport): boolean {
  return lost === 0 && lagP99 < 15 && recovered < 10 && linesPerMinute <= 6;
}
