import { expect } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import type { World } from '../../src/simulator/world.js';
import { otlpReceiver, type OtlpReceiver } from './otlp-receiver.js';
import { type Program } from './program.js';
import { inFolder } from './folder.js';

export const nowNanos = () => BigInt(systemClock.now()) * 1_000_000n;

export type Stage = Readonly<{ folder: string; simulator: Simulator; receiver: OtlpReceiver }>;

/** A simulated server and a receiver around a test. */
export const onStage = async (
  options: Partial<SimulateOptions>,
  play: (stage: Stage) => Promise<void>,
): Promise<void> =>
  inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock, ...options });
    const receiver = await otlpReceiver();
    try {
      await play({ folder, simulator, receiver });
    } finally {
      await receiver.close();
      await simulator.close();
    }
  });

/** Runs the program for a while and stops it; it must have drained. */
export async function running(app: Program, play: (app: Program) => Promise<void>): Promise<void> {
  try {
    await play(app);
  } finally {
    expect(await app.stop(5_000)).toBe('drained');
  }
}

export const openSession = (world: World): string => world.addSession({ createdAt: nowNanos() }).id;
export const addEvents = (world: World, session: string, count: number, at = nowNanos()): void => {
  for (let index = 0; index < count; index += 1)
    world.appendEvent(session, { startedAt: at, type: 'Restore', message: 'x' });
};
/** The series of successful Exchange restores, as the helpers here make them. */
export const restoredOf = (server: string): string =>
  `vb365_restore_events_total{server="${server}",organization="example.onmicrosoft.com",workload="exchange",event_type="Restore",status="Success"}`;
export const restored = restoredOf('hq');

const hour = 3_600_000_000_000n;

/** A session that stopped so many hours ago, with events of that time. */
export function oldSession(world: World, hoursAgo: number, events: number): string {
  const at = nowNanos() - BigInt(hoursAgo) * hour;
  const { id } = world.addSession({ createdAt: at });
  addEvents(world, id, events, at);
  world.stopSession(id, { endedAt: at });
  return id;
}

/** Whether so many polls of the server have been complete. */
export const polled = async (app: Program, server = 'hq', times = 1): Promise<boolean> =>
  ((await app.value(`vb365_polls_total{server="${server}",result="complete"}`)) ?? 0) >= times;
