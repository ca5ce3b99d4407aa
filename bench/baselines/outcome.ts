import { systemClock } from '../../src/kernel/clock.js';
import { wasThereBefore } from '../rig/exporter.js';
import { account, type Books } from './account.js';
import { type Contestant, exporter } from './contestants.js';
import { arrivalsAt, bookOf, buildStage, pause, type Stage, type World } from './stage.js';

/** What one run of one contestant has come to. */
export type Outcome = Readonly<{
  /** Requests to the server and to the receiver, and CPU seconds, of the time that is measured. */
  server: number;
  receiver: number;
  cpuSeconds: number;
  peakMb: number;
  /** Events that happened. */
  events: number;
  /** Those that the receiver does not have. */
  lost: number;
  /** Records that the receiver had already. */
  repeated: number;
  /** Events from before the start that were reported as new. */
  old: number;
  /** From the end of an event to the receiver, those that came. */
  lagsMs: readonly number[];
  /** Until the last of them came. */
  seconds: number;
  /** What its counter says of the events. */
  counted: number | undefined;
}>;

/** `quietSeconds`: how long nothing more has to have come until what is missing is lost. */
export type Scenario = Readonly<{
  world: World;
  seconds: number;
  quietSeconds: number;
  /** What befalls them while events happen. */
  trouble?: (stage: Stage) => Promise<void>;
}>;

/** Events happen for a while, once the contestant has seen what was there before. */
export async function live(contestant: Contestant, scenario: Scenario, seed: number): Promise<Outcome> {
  const stage = await buildStage(contestant, scenario.world, seed);
  await (await stage.enter()).ready();
  // The first poll is over; what it has to do at once after it may be as well.
  await pause(2);
  const [before, traffic, sinceMs] = [stage.usage(), await stage.traffic(), systemClock.now()];
  stage.server.send(`go ${String(scenario.seconds)}`);
  await Promise.all([scenario.trouble?.(stage), stage.server.lines.next()]);
  const [cpuSeconds, after] = [stage.usage().cpuSeconds - before.cpuSeconds, await stage.traffic()];
  const books = await quiescent(stage, sinceMs, scenario.quietSeconds);
  const outcome = {
    ...account(books, sinceMs),
    server: after.server - traffic.server,
    receiver: after.receiver - traffic.receiver,
    cpuSeconds,
    peakMb: stage.usage().peakMb,
    counted: await stage.running().counted(),
  };
  await stage.leave();
  return outcome;
}

/** All events happened while nobody was there. Measured from the start of the process to the last event that comes. */
export async function backlog(contestant: Contestant, world: World, seed: number): Promise<Outcome> {
  const stage = await buildStage(contestant, world, seed);
  if (contestant === exporter) await wasThereBefore(stage.home);
  const sinceMs = systemClock.now();
  await stage.enter();
  const last = await waitFor(stage, [...(await bookOf(stage.server)).keys()], 8);
  const books = { ended: await bookOf(stage.server), arrived: await arrivalsAt(stage.receiver) };
  const outcome = {
    ...account(books, 0),
    ...last,
    peakMb: stage.usage().peakMb,
    counted: await stage.running().counted(),
  };
  await stage.leave();
  const lastMs = Math.max(...[...books.arrived.values()].map(({ atMs }) => atMs));
  return { ...outcome, seconds: (lastMs - sinceMs) / 1_000 };
}

async function quiescent(stage: Stage, sinceMs: number, quietSeconds: number): Promise<Books> {
  const ended = await bookOf(stage.server);
  const news = [...ended].filter(([, atMs]) => atMs >= sinceMs).map(([id]) => id);
  await waitFor(stage, news, quietSeconds);
  return { ended, arrived: await arrivalsAt(stage.receiver) };
}

/** Waits until all of them have come, or nothing has for a while. What it had cost when the last of them came. */
async function waitFor(stage: Stage, uids: readonly string[], quietSeconds: number) {
  stage.receiver.send(`expect ${JSON.stringify(uids)}`);
  let last = { missing: uids.length, server: 0, receiver: 0, cpuSeconds: 0, atMs: systemClock.monotonic() };
  while (last.missing > 0 && systemClock.monotonic() - last.atMs < quietSeconds * 1_000) {
    // oxlint-disable no-await-in-loop -- looks again and again
    const { missing, server, receiver } = await stage.traffic();
    const atMs = systemClock.monotonic();
    if (missing < last.missing) last = { missing, server, receiver, cpuSeconds: stage.usage().cpuSeconds, atMs };
    await pause(0.1);
    // oxlint-enable no-await-in-loop
  }
  const { server, receiver, cpuSeconds } = last;
  return { server, receiver, cpuSeconds };
}
