import type { EventEmitter } from 'node:events';
import { watch } from 'node:fs';
import { systemClock } from '../../src/kernel/clock.js';
import { between, dice, weighted } from '../../src/simulator/random.js';
import { ask } from '../support/web.js';
import type { ExporterProcess } from '../support/exporter-process.js';

/** When a process is killed, counted from the moment that it starts, listens, or does what the name says. */
export const momentNames = ['starting', 'running', 'reading', 'writing', 'exporting', 'answered', 'scraped'] as const;
export type MomentName = (typeof momentNames)[number];

/** `wait`: milliseconds; `skip`: so many occasions are let pass. */
export type Moment = Readonly<{ name: MomentName; waitMs: number; skip: number }>;

/** The moment at which life number `life` ends: half of them while something is in progress. */
export function momentOf(seed: number, life: number): Moment {
  const random = dice(seed, life, 42);
  const name = weighted<MomentName>(random, [
    ['starting', 1],
    ['running', 3],
    ['reading', 2],
    ['writing', 4],
    ['exporting', 3],
    ['answered', 3],
    ['scraped', 2],
  ]);
  return {
    name,
    waitMs: random() * (name === 'running' ? 900 : 400),
    skip: between(random, 0, name === 'reading' ? 8 : 2),
  };
}

/** Where the occasions come from. `happens` says `read`, `export` and `answered`. */
export type Scene = Readonly<{ happens: EventEmitter; folder: string; scraped: (text: string) => void }>;

/** An occasion that does not come is waited for no longer than this. */
const patienceMs = 3_000;

/** Lets the process live until its moment, and kills it. It has ended when this resolves. */
export async function killAt({ name, waitMs, skip }: Moment, child: ExporterProcess, scene: Scene): Promise<void> {
  const over = new AbortController();
  const sleep = async (ms: number): Promise<void> => systemClock.sleep(ms, over.signal).catch(() => undefined);
  const kill = (): void => {
    child.kill('SIGKILL');
    over.abort();
  };
  const stopListening = onOccasion(scene, name, afterSome(skip, kill));
  const listening = Promise.race([child.listening, child.ended]);
  try {
    if (name !== 'starting') await listening;
    await sleep(name === 'starting' || name === 'running' || name === 'scraped' ? waitMs : patienceMs);
    if (name === 'scraped') scene.scraped(await scrape(child));
  } finally {
    kill();
    stopListening();
    await child.ended;
  }
}

const afterSome = (skip: number, action: () => void): (() => void) => {
  let left = skip;
  return () => {
    if (left === 0) action();
    left -= 1;
  };
};

const occasions: Readonly<Partial<Record<MomentName, string>>> = {
  reading: 'read',
  exporting: 'export',
  answered: 'answered',
};

/** Calls `occur` at every occasion of the name, at once. Answers how to stop it. */
function onOccasion({ happens, folder }: Scene, name: MomentName, occur: () => void): () => void {
  if (name === 'writing') {
    const watcher = watch(folder, (_, file) => {
      if (file?.endsWith('.db-wal') === true) occur();
    });
    return () => watcher.close();
  }
  const occasion = occasions[name];
  if (occasion === undefined) return () => undefined;
  happens.on(occasion, occur);
  return () => void happens.off(occasion, occur);
}

/** What `/metrics` of the process says. */
export async function scrape(child: ExporterProcess): Promise<string> {
  const { body, status } = await ask(await child.listening, '/metrics');
  if (status !== 200) throw new Error(`/metrics answered ${String(status)}`);
  return body;
}
