import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../src/kernel/clock.js';
import { milliseconds } from '../src/model/time.js';
import { simulate } from '../src/simulator/simulate.js';
import type { World } from '../src/simulator/world.js';
import { spanIdOf, traceIdOf } from '../src/model/trace-ids.js';
import { keepAll, target } from './support/otlp-target.js';
import { otlpReceiver, type OtlpReceiver, refuse } from './support/otlp-receiver.js';
import { otlpSpans } from './support/otlp-spans.js';
import { program, type Program } from './support/program.js';
import { inFolder } from './support/folder.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

const now = () => milliseconds(systemClock.now());

/** What the simulator's book says that there must be: a line for each span. */
function wanted(world: World): readonly string[] {
  const roots = world.sessions().map(({ id, state, result }) => ({ id, state, result }));
  const children = [...world.book()].map(
    ({ session, event }) =>
      `${traceIdOf(session.id) ?? ''} ${spanIdOf(event.id) ?? ''} < ${spanIdOf(session.id) ?? ''} ${event.status}`,
  );
  const stopped = roots.filter(({ state }) => state === 'Stopped');
  return [
    ...children,
    ...stopped.map(({ id, result }) => `${traceIdOf(id) ?? ''} ${spanIdOf(id) ?? ''} <  ${result}`),
  ].sort();
}

/** The distinct spans that came, in the same words. */
const got = (receiver: OtlpReceiver): readonly string[] =>
  [
    ...new Set(
      otlpSpans(receiver).map(({ traceId, spanId, parentSpanId = '', attributes }) => {
        const named = Object.fromEntries(attributes.map(({ key, value }) => [key, value['stringValue']]));
        const how = named['veeam.restore.event.status'] ?? named['veeam.restore.session.result'];
        return `${traceId} ${spanId} < ${parentSpanId} ${String(how)}`;
      }),
    ),
  ].sort();

function restore(world: World, count: number, stop: boolean): string {
  const { id } = world.addSession({ createdAt: now() });
  addEvents(world, id, count);
  if (stop) world.stopSession(id, { endedAt: now() });
  return id;
}

function addEvents(world: World, session: string, count: number): void {
  for (let index = 0; index < count; index += 1)
    world.appendEvent(session, { startedAt: now(), type: 'Restore', status: index % 3 === 0 ? 'Failed' : 'Success' });
}

async function running(app: Program, play: () => Promise<void>): Promise<void> {
  try {
    await until(async () => (await app.get('/-/ready')).status === 200);
    await play();
  } finally {
    expect(await app.stop(5_000)).toBe('drained');
  }
}

describe('traces', () => {
  test('Nothing lost: one trace for each session, one span for each event, across refusals and a restart', async () => {
    await inFolder(async folder => {
      const simulator = await simulate({ clock: systemClock });
      const receiver = await otlpReceiver();
      const traces = { ...target(new URL('/v1/traces', receiver.url)), personalData: keepAll, maxAheadMs: undefined };
      const config = { ...configOf(folder, serverConfig(simulator.url)), traces };
      const { world } = simulator;
      try {
        let open = '';
        await running(await program(config), async () => {
          receiver.answers.push(refuse(503), refuse(500));
          restore(world, 7, true);
          open = restore(world, 5, false);
          await until(() => got(receiver).length >= 13, 20_000);
          expect(got(receiver)).toEqual(wanted(world));
        });
        addEvents(world, open, 4);
        world.stopSession(open, { endedAt: now() });
        const again = await program(config);
        await running(again, async () => {
          await until(() => got(receiver).length >= 18, 20_000);
          const delivered = 'vb365_sink_delivered_total{server="hq",sink="traces",outcome="delivered"}';
          const retried = 'vb365_sink_delivered_total{server="hq",sink="traces",outcome="retried"}';
          await until(async () => ((await again.value(delivered)) ?? 0) + ((await again.value(retried)) ?? 0) === 18);
        });
        expect(got(receiver)).toEqual(wanted(world));
      } finally {
        await receiver.close();
        await simulator.close();
      }
    });
  });
});
