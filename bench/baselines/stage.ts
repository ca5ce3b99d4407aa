import { z } from 'zod';
import { systemClock } from '../../src/kernel/clock.js';
import { type Child, hear, start, type Usage } from '../rig/child.js';
import { type Home, makeHome } from '../rig/exporter.js';
import type { Books } from './account.js';
import type { Contestant, Running } from './contestants.js';

/** What the simulated server holds, and what goes on around it. */
export type World = Readonly<{
  /** Sessions that are open at the start. */
  open: number;
  /** Sessions that have stopped, spread over so many `days`, of so many events `each`. */
  old: number;
  each: number;
  days: number;
  /** Events a second. */
  rate: number;
  /** How long the receiver takes to answer; at once without. */
  answerMs?: number;
}>;

/** How many requests a server or receiver has had. */
type Traffic = Readonly<{ server: number; receiver: number; missing: number }>;

/** Server and receiver, each in its own process, and the contestant between them. */
export type Stage = Readonly<{
  home: Home;
  server: Child;
  receiver: Child;
  running: () => Running;
  /** Starts the contestant, again if it is gone. */
  enter: () => Promise<Running>;
  /** Ends it without a word. */
  kill: () => Promise<void>;
  /** What all its processes have cost so far. */
  usage: () => Usage;
  traffic: () => Promise<Traffic>;
  leave: () => Promise<void>;
}>;

const address = z.object({ url: z.string() });
const served = z.object({ requests: z.number() });
const received = z.object({ requests: z.number(), missing: z.number() });

/** Builds the world and its receiver; the contestant is not there yet. */
export async function buildStage(contestant: Contestant, world: World, seed: number): Promise<Stage> {
  const home = makeHome();
  const flags = Object.entries({ ...world, seed }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [server, receiver] = [start('actors/live-server.js', flags), start('actors/keeping-receiver.js', flags)];
  const addresses = { url: address.parse(await hear(server)).url, receiver: address.parse(await hear(receiver)).url };
  const past: Usage[] = [];
  let running: Running | undefined;
  const present = (): Running => {
    if (running === undefined) throw new Error('Nobody has entered');
    return running;
  };
  return {
    home,
    server,
    receiver,
    running: present,
    enter: async () => (running = await contestant.start(home, addresses)),
    kill: async () => {
      past.push(present().usage());
      await present().stop('SIGKILL');
    },
    usage: () => sum([...past, present().usage()]),
    traffic: async () => {
      server.send('count');
      receiver.send('count');
      const { requests, missing } = received.parse(await hear(receiver));
      return { server: served.parse(await hear(server)).requests, receiver: requests, missing };
    },
    leave: async () => {
      await Promise.all([present().stop(), server.stop(), receiver.stop()]);
      home.remove();
    },
  };
}

const sum = (usages: readonly Usage[]): Usage => ({
  cpuSeconds: usages.reduce((all, { cpuSeconds }) => all + cpuSeconds, 0),
  rssMb: usages.at(-1)?.rssMb ?? 0,
  peakMb: Math.max(...usages.map(({ peakMb }) => peakMb)),
});

export async function bookOf(server: Child): Promise<Books['ended']> {
  server.send('book');
  return new Map(z.array(z.tuple([z.string(), z.number()])).parse(await hear(server)));
}

export async function arrivalsAt(receiver: Child): Promise<Books['arrived']> {
  receiver.send('report');
  const rows = z.array(z.tuple([z.string(), z.number(), z.number()])).parse(await hear(receiver));
  return new Map(rows.map(([uid, atMs, times]) => [uid, { atMs, times }]));
}

export const pause = async (seconds: number): Promise<void> =>
  systemClock.sleep(seconds * 1_000, new AbortController().signal);
