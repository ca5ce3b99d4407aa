import { systemClock } from '../../../src/kernel/clock.js';
import { milliseconds } from '../../../src/model/time.js';
import { simulate } from '../../../src/simulator/simulate.js';
import type { World } from '../../../src/simulator/world.js';
import { program } from '../../support/program.js';
import { configOf, serverConfig } from '../../support/program-config.js';
import { eventually } from './running.js';
import type { Worlds } from './simulated-time.js';

export type Replay = Readonly<{
  worlds: Worlds;
  folder: string;
  /** From when on there are log records. */
  fromMs: number;
  /** Where they go. */
  to: URL;
  protocol?: 'http/json' | 'http/protobuf';
}>;

/** Log records that the book of a server calls for, from a time on. */
function booked(world: World, fromMs: number): number {
  const from = milliseconds(fromMs);
  const events = [...world.book()].filter(({ event }) => (event.endedAt ?? event.startedAt) >= from);
  return events.length + world.sessions().filter(({ endedAt = 0n }) => endedAt >= from).length;
}

/** Has the exporter, started for the first time, deliver the log records of what has happened on the servers. */
export async function replayed({ worlds, folder, fromMs, to, protocol = 'http/json' }: Replay): Promise<void> {
  const simulators = await Promise.all(
    [...worlds].map(async ([name, world], index) => {
      // The seed decides which installation it is.
      const simulator = await simulate({ clock: systemClock, world, seed: index + 1 });
      return { name, world, simulator };
    }),
  );
  const servers = simulators.map(({ name, simulator: { url } }) => serverConfig(url, { name, apiVersion: 'v8' }));
  const [first] = servers;
  if (first === undefined) throw new Error('There is no server to read');
  const history = { kind: 'since', at: milliseconds(fromMs) } as const;
  const config = configOf(folder, first, to);
  const logs = config.logs === undefined ? undefined : { ...config.logs, protocol };
  const app = await program({ ...config, logs, servers, history });
  const delivered = async (name: string): Promise<number> => {
    const series = `vb365_sink_delivered_total{server="${name}",sink="logs",outcome="delivered"}`;
    return (await app.value(series)) ?? 0;
  };
  try {
    for (const { name, world } of simulators)
      await eventually(
        `every log record of ${name} is delivered`,
        async () => ((await delivered(name)) === booked(world, fromMs) ? true : undefined),
        180_000,
      );
  } finally {
    await app.stop(5_000);
    for (const { simulator } of simulators) await simulator.close();
  }
}
