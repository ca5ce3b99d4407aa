import { systemClock } from '../kernel/clock.js';
import type { AttackName } from '../simulator/attack-names.js';
import { attack } from '../simulator/attacks.js';
import { simulate, type Simulator } from '../simulator/simulate.js';
import { aborted, type ExitCode, exitCodes, type Terminal } from './terminal.js';

type SimulateFlags = Readonly<{
  host: string;
  port: number;
  seed: number;
  pace: number;
  /** Sessions in the past 30 days, and events in each of them. */
  sessions: number;
  events: number;
  /** Begins when a client has been logged in for a while. */
  attack?: AttackName;
}>;

/** An exporter has read the history by then: what follows is news. */
const beforeAttackMs = 30_000;

/** Runs a simulated VB365 server until it should stop. */
export async function runSimulator(flags: SimulateFlags, terminal: Terminal): Promise<ExitCode> {
  const { host, port, seed, pace, sessions, events } = flags;
  // What happens during an attack is the attack.
  const live = flags.attack === undefined ? { live: { pace } } : {};
  const past = sessions > 0 ? { history: { sessions, eventsEach: events, days: 30 } } : {};
  const simulator = await simulate({ clock: systemClock, host, port, seed, ...live, ...past });
  terminal.print(`Simulated VB365 server at ${simulator.url} (user "simulator", password "simulator")`);
  if (flags.attack !== undefined) void runAttack(flags.attack, simulator, terminal);
  await aborted(terminal.stop);
  await simulator.close();
  return exitCodes.stopped;
}

async function runAttack(name: AttackName, simulator: Simulator, { print, stop }: Terminal): Promise<void> {
  const rest = async (ms: number): Promise<void> => systemClock.sleep(ms, stop).catch(() => undefined);
  while (!stop.aborted && simulator.traffic.count('/token') === 0) await rest(1_000);
  await rest(beforeAttackMs);
  if (!stop.aborted) print(`Attack "${name}" begins`);
  await attack(name, simulator, systemClock, stop);
}
