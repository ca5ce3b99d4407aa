import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/kernel/clock.js';
import { milliseconds } from '../../../src/model/time.js';
import { simulate, type Simulator } from '../../../src/simulator/simulate.js';
import type { World } from '../../../src/simulator/world.js';
import { inFolder } from '../../support/folder.js';
import { type Labels, type Prometheus, startAlertmanager, startPrometheus, webhook } from './monitoring.js';
import { eventually, freePort, type Running, startProgram, whenReady } from './running.js';

/** Simulator, exporter, Prometheus, Alertmanager and webhook, one behind the other. */
export interface Chain {
  readonly world: World;
  readonly simulator: Simulator;
  readonly prometheus: Prometheus;
  /** Starts the exporter, on the same state and address each time, and waits until it has looked at the server. */
  startExporter(): Promise<void>;
  stopExporter(): Promise<void>;
  /** The firing alerts of every notification so far that came to `receiver`, in order; one that was sent twice is there twice. */
  notified(receiver: string): readonly Readonly<{ labels: Labels; annotations: Labels }>[];
}

/** Builds the chain, the exporter started on a fresh state, and takes it down after `play`. */
export const withChain = async (play: (chain: Chain) => Promise<void>): Promise<void> =>
  inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const hook = await webhook();
    const running: Pick<Running, 'stop'>[] = [];
    try {
      const exporter = await exporterAt(folder, simulator.url);
      const alertmanager = await startAlertmanager(folder, hook.url);
      running.push(alertmanager);
      const { address } = alertmanager;
      const prometheus = await startPrometheus(folder, { exporters: [exporter.address], alertmanager: address });
      running.push(prometheus, exporter);
      const startExporter = async (): Promise<void> => {
        await exporter.start();
        const look = 'vb365_last_successful_poll_timestamp_seconds > process_start_time_seconds';
        await eventually('the exporter has read the server', async () => {
          const polls = await prometheus.query(`${look.replace(' > ', ' > on (instance) ')} and on (instance) up == 1`);
          return polls.length > 0 ? true : undefined;
        });
      };
      const notified: Chain['notified'] = receiver =>
        hook.notifications
          .filter(one => one.receiver === receiver)
          .flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'firing'));
      await startExporter();
      await play({
        world: simulator.world,
        simulator,
        prometheus,
        startExporter,
        stopExporter: async () => exporter.stop(),
        notified,
      });
    } finally {
      for (const one of running.toReversed()) await one.stop();
      await hook.close();
      await simulator.close();
    }
  });

/** The exporter as its users run it: a process with a configuration file. */
async function exporterAt(folder: string, url: string) {
  const file = join(folder, 'vb365-exporter.yaml');
  const password = join(folder, 'password');
  writeFileSync(password, 'simulator', { mode: 0o600 });
  const server = { name: 'hq', url, username: 'simulator', password_file: password };
  const intervals = { poll_interval: '5s', open_poll_interval: '1s' };
  const state = { path: join(folder, 'state.db') };
  writeFileSync(file, JSON.stringify({ servers: [{ ...server, ...intervals }], state }));
  const address = `127.0.0.1:${String(await freePort())}`;
  const args = ['dist/src/main.js', '--config.file', file, '--web.listen-address', address];
  let running: Running | undefined;
  return {
    address,
    start: async (): Promise<void> => {
      running = startProgram({ path: process.execPath, args, env: {} });
      await whenReady(running, `http://${address}/-/ready`);
    },
    output: () => running?.output() ?? '',
    alive: () => running?.alive() ?? false,
    stop: async () => running?.stop(),
  };
}

/** A session of `organization` that has stopped, with one Exchange item that ended as `status`, all just now. */
export function restoreOf(world: World, organization: string, status: string): void {
  const now = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: now, organization });
  world.appendEvent(id, { startedAt: now, endedAt: now, type: 'Restore', status, message: 'x', itemName: 'x' });
  world.stopSession(id, { endedAt: now });
}
