import { systemClock } from '../../../src/kernel/clock.js';
import type { AttackName } from '../../../src/simulator/attack-names.js';
import { attack } from '../../../src/simulator/attacks.js';
import { simulate } from '../../../src/simulator/simulate.js';
import { program } from '../../support/program.js';
import { configOf, serverConfig } from '../../support/program-config.js';
import type { LogArchive } from './log-archives.js';
import { eventually } from './running.js';
import { shiftedClock } from './shifted-clock.js';

/** Attacks on one server each, whose name is that of the attack, all at once. */
export type StagedAttacks = Readonly<{
  folder: string;
  archive: Pick<LogArchive, 'url' | 'protocol'>;
  /** When they begin. */
  atMs: number;
  names: readonly AttackName[];
}>;

/**
 * Runs simulators and the exporter, which reads the empty servers first, attacks, and looks again and again.
 * @param look at a time in seconds; undefined: not everything was noticed yet.
 * @returns the seconds from the last attack to the successful look.
 */
export async function secondsToNotice(
  { folder, archive, atMs, names }: StagedAttacks,
  look: (atSeconds: number) => Promise<true | undefined>,
): Promise<number> {
  const clock = shiftedClock(atMs);
  const stop = new AbortController();
  const simulators = await Promise.all(names.map(async (_, index) => simulate({ clock, seed: index + 1 })));
  const servers = simulators.map(({ url }, index) => serverConfig(url, { name: names[index] ?? '', apiVersion: 'v8' }));
  const [first] = servers;
  if (first === undefined) throw new Error('There is nothing to attack');
  const config = configOf(folder, first, archive.url);
  const logs = config.logs === undefined ? undefined : { ...config.logs, protocol: archive.protocol };
  const app = await program({ ...config, logs, servers }, 0, clock);
  try {
    for (const { name } of servers)
      await eventually(`${name} is read`, async () =>
        app.value(`vb365_last_successful_poll_timestamp_seconds{server="${name}"}`),
      );
    await Promise.all(
      names.map(async (name, index) => {
        const simulator = simulators[index];
        if (simulator !== undefined) await attack(name, simulator, clock, stop.signal);
      }),
    );
    const attackedMs = systemClock.monotonic();
    await eventually('every attack is noticed', async () => look(Math.ceil(clock.now() / 1000)), 60_000);
    return (systemClock.monotonic() - attackedMs) / 1000;
  } finally {
    stop.abort();
    await app.stop(5_000);
    for (const simulator of simulators) await simulator.close();
  }
}
