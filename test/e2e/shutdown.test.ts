import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import type { World } from '../../src/simulator/world.js';
import { type ExporterProcess, startExporter } from '../support/exporter-process.js';
import { type ExporterStage, heldAnswer, onExporterStage, withTakenPort } from '../support/exporter-stage.js';
import { inFolder } from '../support/folder.js';
import { until } from '../support/until.js';
import { ask } from '../support/web.js';

const testMs = 60_000;
const scrape = async (child: ExporterProcess): Promise<string> => (await ask(await child.listening, '/metrics')).body;
const met = async (child: ExporterProcess): Promise<void> =>
  until(async () => /polls_total\{server="hq",result="complete"\} [1-9]/.test(await scrape(child)), testMs);
const stopping = async (child: ExporterProcess): Promise<void> =>
  until(() => child.said.some(line => line.includes('msg=Stopping')), testMs);

/** An open session with three events that are news. */
function addEvents(world: World): void {
  const now = milliseconds(systemClock.now() + 5_000);
  const { id } = world.addSession({ createdAt: now });
  for (let count = 0; count < 3; count += 1) world.appendEvent(id, { startedAt: now, type: 'Restore' });
}

/** Starts the program, and has it export three events to a receiver that does not answer. */
async function inTheMiddleOfAnExport({ simulator, receiver, start }: ExporterStage) {
  const child = start();
  await met(child);
  const { hold, held } = heldAnswer();
  receiver.answers.push(hold);
  addEvents(simulator.world);
  return { child, answer: await held };
}

const uids = ({ receiver }: ExporterStage): readonly unknown[] =>
  receiver.records().map(record => record.attributes.find(({ key }) => key === 'log.record.uid')?.value['stringValue']);

/** Starts it once more until it has nothing left to do, and ends it. */
async function goOn(stage: ExporterStage): Promise<void> {
  const child = stage.start();
  await met(child);
  const idle = /vb365_sink_delivered_total\{server="hq",sink="logs",outcome="delivered"\} 3$/m;
  await until(async () => idle.test(await scrape(child)), testMs);
  child.kill('SIGTERM');
  expect(await child.ended).toBe(0);
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'Shutdown: %s ends an idle program at once, with 0',
  async signal => {
    await onExporterStage(async ({ start }) => {
      const child = start();
      await met(child);
      child.kill(signal);
      expect(await child.ended).toBe(0);
    });
  },
  testMs,
);

test(
  'Shutdown: SIGTERM lets an export in progress finish, exits with 0, and it is not sent again',
  async () => {
    await onExporterStage(async stage => {
      const { child, answer } = await inTheMiddleOfAnExport(stage);
      child.kill('SIGTERM');
      await stopping(child);
      answer();
      expect(await child.ended).toBe(0);
      await goOn(stage);
      expect(uids(stage)).toHaveLength(3);
    });
  },
  testMs,
);

test(
  'Shutdown: SIGTERM cuts off after 5 s what does not end, with 3; the cursor has not moved, and it is sent again',
  async () => {
    await onExporterStage(async stage => {
      const { child } = await inTheMiddleOfAnExport(stage);
      child.kill('SIGTERM');
      expect(await child.ended).toBe(3);
      expect(child.said.join('\n')).toContain('Shutdown deadline exceeded');
      await goOn(stage);
      expect(uids(stage)).toHaveLength(6);
      expect(new Set(uids(stage)).size).toBe(3);
    });
  },
  testMs,
);

test(
  'Shutdown: a second signal leaves at once, with 130, and loses nothing',
  async () => {
    await onExporterStage(async stage => {
      const { child } = await inTheMiddleOfAnExport(stage);
      child.kill('SIGTERM');
      await stopping(child);
      child.kill('SIGINT');
      expect(await child.ended).toBe(130);
      expect(child.said.join('\n')).not.toContain('Cut off');
      await goOn(stage);
      expect(new Set(uids(stage)).size).toBe(3);
    });
  },
  testMs,
);

test(
  'Shutdown: SIGTERM does not wait for a server that does not answer, and ends with 0',
  async () => {
    await onExporterStage(async ({ simulator, start }) => {
      const child = start();
      await met(child);
      const { promise: asked, resolve } = Promise.withResolvers<undefined>();
      simulator.intercept(() => resolve(undefined));
      await asked;
      child.kill('SIGTERM');
      expect(await child.ended).toBe(0);
      expect(child.said.join('\n')).not.toContain('Cut off');
    });
  },
  testMs,
);

test(
  'Shutdown: what keeps it from running ends it with 1',
  async () => {
    await onExporterStage(async ({ start }) => {
      await met(start());
      expect(await start().ended).toBe(1);
    });
    await withTakenPort(async port =>
      onExporterStage(async ({ start }) => {
        expect(await start('--web.listen-address', `127.0.0.1:${String(port)}`).ended).toBe(1);
      }),
    );
  },
  testMs,
);

test(
  'Shutdown: a wrong configuration ends it with 2',
  async () => {
    await inFolder(async folder => {
      const file = join(folder, 'vb365-exporter.yaml');
      writeFileSync(file, 'nonsense: true\n');
      expect(await startExporter(file).ended).toBe(2);
    });
  },
  testMs,
);
