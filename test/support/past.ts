import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import { inFolder } from './folder.js';

export type Ran = Readonly<{ code: number; printed: readonly string[]; errors: readonly string[] }>;

/** Runs a command against simulated servers that are configured. */
export type PastStage = Readonly<{
  folder: string;
  simulator: Simulator;
  run: (argv: readonly string[], over?: Partial<Terminal>) => Promise<Ran>;
}>;

/** @param settings of the configuration, besides the server `hq`. */
export async function onPastStage(
  options: Partial<SimulateOptions>,
  settings: Readonly<Record<string, unknown>>,
  play: (stage: PastStage) => Promise<void>,
): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({
      clock: systemClock,
      history: { sessions: 40, eventsEach: 12, days: 20 },
      ...options,
    });
    const file = join(folder, 'config.yaml');
    const server = { name: 'hq', url: simulator.url, username: 'simulator', password_file: 'password' };
    writeFileSync(join(folder, 'password'), 'simulator');
    writeFileSync(join(folder, 'key'), 'k'.repeat(32));
    writeFileSync(file, JSON.stringify({ servers: [server], state: { path: 'state.db' }, ...settings }));
    try {
      await play({ folder, simulator, run: async (argv, over) => runWith([...argv, '--config.file', file], over) });
    } finally {
      await simulator.close();
    }
  });
}

async function runWith(argv: readonly string[], over: Partial<Terminal> = {}): Promise<Ran> {
  const printed: string[] = [];
  const errors: string[] = [];
  const code = await runCli(argv, {
    env: {},
    print: lines => void printed.push(...lines.split('\n')),
    printError: line => void errors.push(line),
    stop: new AbortController().signal,
    outputClosed: new AbortController().signal,
    onReload: () => undefined,
    version: '0.0.0',
    ...over,
  });
  return { code, printed, errors };
}
