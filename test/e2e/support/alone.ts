import { afterAll, beforeAll } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { eventually, type Running, startProgram } from './running.js';

/**
 * For test files that build artifacts or images, which share the folders for them: until one has ended, the others that
 * call this wait.
 */
export function runsAlone(): void {
  let holder: Running | undefined;
  beforeAll(async () => (holder = await lock()), 900_000);
  afterAll(async () => holder?.stop());
}

/** The lock is released when the process ends, however it ends. */
async function lock(): Promise<Running> {
  mkdirSync('.cache', { recursive: true });
  const held = ['sh', '-c', 'echo locked; exec sleep infinity'];
  const holder = startProgram({ path: 'flock', args: ['--no-fork', '.cache/artifacts.lock', ...held] });
  await eventually('no other file builds', () => (holder.output() === '' ? undefined : true), 890_000);
  if (!holder.alive()) throw new Error(holder.output());
  return holder;
}
