import { systemClock } from '../kernel/clock.js';
import { simulate } from '../simulator/simulate.js';
import { aborted, type ExitCode, exitCodes, type Terminal } from './terminal.js';

type SimulateFlags = Readonly<{
  host: string;
  port: number;
  seed: number;
  pace: number;
  /** Sessions in the past 30 days, and events in each of them. */
  sessions: number;
  events: number;
}>;

/** Runs a simulated VB365 server until it should stop. */
export async function runSimulator(flags: SimulateFlags, terminal: Terminal): Promise<ExitCode> {
  const { host, port, seed, pace, sessions, events } = flags;
  const past = sessions > 0 ? { history: { sessions, eventsEach: events, days: 30 } } : {};
  const simulator = await simulate({ clock: systemClock, host, port, seed, live: { pace }, ...past });
  terminal.print(`Simulated VB365 server at ${simulator.url} (user "simulator", password "simulator")`);
  await aborted(terminal.stop);
  await simulator.close();
  return exitCodes.stopped;
}
