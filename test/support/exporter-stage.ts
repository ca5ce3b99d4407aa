import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate, type Simulator } from '../../src/simulator/simulate.js';
import { type ExporterProcess, startExporter } from './exporter-process.js';
import { otlpReceiver, type OtlpReceiver } from './otlp-receiver.js';
import { inFolder } from './folder.js';

/** The real program between a simulated server and a receiver. */
export type ExporterStage = Readonly<{
  folder: string;
  simulator: Simulator;
  receiver: OtlpReceiver;
  /** Starts it; `flags` come last. It is ended with the stage, if it has not ended by then. */
  start: (...flags: readonly string[]) => ExporterProcess;
}>;

/** Runs `play`, and ends every process that it has started, whatever happens. */
export async function onExporterStage(play: (stage: ExporterStage) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const receiver = await otlpReceiver();
    const started: ExporterProcess[] = [];
    const start = (...flags: readonly string[]): ExporterProcess => {
      const one = startExporter(writeConfig(folder, simulator.url, receiver.url), flags);
      started.push(one);
      return one;
    };
    try {
      await play({ folder, simulator, receiver, start });
    } finally {
      for (const one of started) one.kill('SIGKILL');
      await Promise.all(started.map(async ({ ended }) => ended));
      await receiver.close();
      await simulator.close();
    }
  });
}

function writeConfig(folder: string, url: string, otlp: URL): string {
  const [file, password] = [join(folder, 'vb365-exporter.yaml'), join(folder, 'password')];
  writeFileSync(password, 'simulator', { mode: 0o600 });
  const pace = { poll_interval: '5s', open_poll_interval: '1s' };
  const server = { name: 'hq', url, username: 'simulator', password_file: password, ...pace };
  const state = { path: join(folder, 'state.db') };
  const config = { servers: [server], state, otlp: { endpoint: otlp.origin, protocol: 'http/json' } };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** An answer that is kept back until somebody gives it. */
export function heldAnswer(): Readonly<{ hold: (response: ServerResponse) => void; held: Promise<() => void> }> {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  const hold = (response: ServerResponse): void =>
    resolve(() => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  return { hold, held: promise };
}

/** A port that is taken for as long as `work` lasts. */
export async function withTakenPort(work: (port: number) => Promise<void>): Promise<void> {
  const server = createServer();
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}
