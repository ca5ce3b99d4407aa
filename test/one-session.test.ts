import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../src/kernel/clock.js';
import { type FaultStage, onFaultStage, routes, totalOf } from './support/fault-stage.js';
import { altered, answer, type Fault, silence } from './support/faults.js';

const testMs = 60_000;
const events = 'vb365_restore_events_total';

/** Lets each request of a route that is about one of these sessions meet the fault. */
function breakSessions({ simulator }: FaultStage, route: string, sessions: readonly string[], fault: Fault): void {
  simulator.intercept((call, exchange) => {
    const url = exchange.request.url ?? '';
    if (call.route === route && sessions.some(id => url.includes(id))) return fault(call, exchange);
    return exchange.proceed();
  });
}

/** How long it takes until so many events are counted, in seconds of real time, in which hanging requests hang. */
async function secondsUntil({ metrics, pass }: FaultStage, counted: number): Promise<number> {
  const beganMs = systemClock.monotonic();
  await pass(async () => totalOf(await metrics(), events) === counted);
  return (systemClock.monotonic() - beganMs) / 1_000;
}

describe('one session that does not answer delays no other', () => {
  test.each([
    { apiVersion: 'v6', route: routes.events, what: 'its events' },
    { apiVersion: 'v8', route: routes.events, what: 'its events' },
    { apiVersion: 'v8', route: routes.session, what: 'itself' },
  ] as const)(
    '$apiVersion: $what',
    async ({ apiVersion, route }) => {
      await onFaultStage({ server: { apiVersion, requestTimeoutMs: 60_000 } }, async stage => {
        const stuck = stage.openSession();
        breakSessions(stage, route, [stuck], silence);
        stage.addEvents(stage.openSession(), 3);
        expect(await secondsUntil(stage, 3)).toBeLessThan(10);
        const later = stage.openSession();
        stage.addEvents(later, 4);
        stage.stopSession(later);
        expect(await secondsUntil(stage, 7)).toBeLessThan(10);
      });
    },
    testMs,
  );

  test.each(['v3', 'v6', 'v8'] as const)(
    '%s: itself, while the list lacks it',
    async apiVersion => {
      const server = { apiVersion, requestTimeoutMs: 60_000, reconcileIntervalMs: 10_000 };
      await onFaultStage({ server }, async stage => {
        const stuck = stage.openSession();
        const open = 'vb365_restore_sessions_open{organization="';
        await stage.pass(async () =>
          [...(await stage.metrics())].some(([key, value]) => key.startsWith(open) && value > 0),
        );
        const unlisted = altered(body => withoutRow(body, stuck));
        stage.simulator.intercept((call, exchange) => {
          if (call.route === routes.list) return unlisted(call, exchange);
          const isStuck = call.route === routes.session && (exchange.request.url ?? '').includes(stuck);
          return isStuck ? silence(call, exchange) : exchange.proceed();
        });
        await stage.clock.advance(15_000);
        stage.addEvents(stage.openSession(), 3);
        expect(await secondsUntil(stage, 3)).toBeLessThan(10);
      });
    },
    testMs,
  );
});

const withoutRow = (body: unknown, id: string): unknown => {
  const page = body as Readonly<{ results: readonly Readonly<{ id: string }>[] }>;
  return { ...page, results: page.results.filter(row => row.id !== id) };
};

describe.each([8, 30, 60])('%i sessions that fail delay no other', count => {
  test.each([
    { apiVersion: 'v6', route: routes.events },
    { apiVersion: 'v8', route: routes.session },
  ] as const)(
    '$apiVersion: $route',
    async ({ apiVersion, route }) => {
      await onFaultStage({ chance: 0.99, server: { apiVersion } }, async stage => {
        const broken = Array.from({ length: count }, () => stage.openSession());
        breakSessions(stage, route, broken, answer(500));
        const healthy = stage.openSession();
        for (let counted = 2; counted <= 20; counted += 2) {
          stage.addEvents(healthy, 2);
          const beganMs = stage.clock.now();
          await stage.pass(async () => totalOf(await stage.metrics(), events) >= counted, 250);
          expect(stage.clock.now() - beganMs).toBeLessThan(10_000);
        }
      });
    },
    testMs,
  );
});
