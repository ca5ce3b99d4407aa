import { describe, expect, test } from '@jest/globals';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultStage, onFaultStage } from './support/fault-stage.js';
import { answer, type Fault } from './support/faults.js';
import { inFolder } from './support/folder.js';

const testMs = 120_000;
const minuteMs = 60_000;

const refusal = answer(400, { 'content-type': 'application/json' }, '{"message":"The server has rejected the client"}');

/** A fault that notes when it was met, in ms of the test's time. */
function noted({ clock }: FaultStage, fault: Fault): Readonly<{ fault: Fault; atMs: readonly number[] }> {
  const atMs: number[] = [];
  return {
    atMs,
    fault: (call, exchange) => {
      atMs.push(clock.now());
      return fault(call, exchange);
    },
  };
}

/** Lets so much time pass. */
async function passTime({ clock, pass }: FaultStage, ms: number): Promise<void> {
  const untilMs = clock.now() + ms;
  await pass(() => clock.now() >= untilMs, 2_000);
}

const gapsMs = (atMs: readonly number[]): readonly number[] =>
  atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0));

describe('No login storm', () => {
  test(
    'a refused password is tried again after 1, 10, and then every 30 minutes, and everything is caught up afterwards',
    async () => {
      await onFaultStage({}, async stage => {
        const session = stage.openSession();
        const { fault, atMs } = noted(stage, refusal);
        stage.fail('token', Infinity, fault);
        stage.simulator.revokeTokens(true);
        stage.addEvents(session, 5);
        await passTime(stage, 105 * minuteMs);
        const waited = gapsMs(atMs).map(ms => Math.floor(ms / minuteMs));
        expect(waited).toEqual([1, 10, 30, 30, 30]);
        expect((await stage.metrics()).get('vb365_logins_refused_total{server="hq"}')).toBe(atMs.length);
        stage.fail('token', 0, refusal);
        stage.addEvents(session, 5);
        stage.stopSession(session);
        await stage.endsComplete();
        expect(stage.mostLogins()).toBe(1);
      });
    },
    testMs,
  );

  test(
    'a refused login that cannot be stored is counted with the next one',
    async () => {
      await onFaultStage({}, async stage => {
        const { fault, atMs } = noted(stage, refusal);
        const [file, elsewhere] = [join(stage.folder, 'state.db'), join(stage.folder, 'elsewhere.db')];
        const counted = async () => (await stage.metrics()).get('vb365_logins_refused_total{server="hq"}');
        renameSync(file, elsewhere);
        stage.fail('token', Infinity, fault);
        stage.simulator.revokeTokens(true);
        await stage.pass(() => atMs.length === 1);
        expect(await counted()).toBe(0);
        renameSync(elsewhere, file);
        await stage.pass(async () => (await counted()) === 2, 2_000);
        expect(atMs).toHaveLength(2);
      });
    },
    testMs,
  );

  test(
    'a refused password that changes is tried at once',
    async () => {
      await inFolder(async folder => {
        const file = join(folder, 'password');
        writeFileSync(file, 'simulator');
        await onFaultStage(
          { server: { login: { kind: 'password', username: 'simulator', secret: { file } } } },
          async stage => {
            const session = stage.openSession();
            writeFileSync(file, 'not the password');
            stage.simulator.revokeTokens(true);
            const before = stage.simulator.traffic.count('/token');
            // The third try would come 10 minutes after the second.
            await stage.pass(() => stage.simulator.traffic.count('/token') === before + 2);
            const changedMs = stage.clock.now();
            writeFileSync(file, 'simulator');
            stage.addEvents(session, 5);
            const up = 'vb365_server_up{server="hq"}';
            await stage.pass(async () => (await stage.metrics()).get(up) === 1, 100);
            expect(stage.clock.now() - changedMs).toBeLessThan(10 * minuteMs);
            await stage.endsComplete();
          },
        );
      });
    },
    testMs,
  );

  test(
    'a server that takes no login for 20 minutes is asked ever less often, and never twice at a time',
    async () => {
      await onFaultStage({ chance: 0.5 }, async stage => {
        const session = stage.openSession();
        await passTime(stage, minuteMs);
        const { fault, atMs } = noted(stage, answer(500));
        stage.fail('token', Infinity, fault);
        stage.simulator.revokeTokens(true);
        stage.addEvents(session, 5);
        await passTime(stage, 20 * minuteMs);
        // Half of a wait that doubles up to 30 s; a poll asks each second. Within a poll a second loop may ask once more.
        const waits = gapsMs(atMs).filter(gap => gap > 0);
        expect(waits.slice(0, 4).every((wait, n) => wait >= 500 * 2 ** n)).toBe(true);
        expect(Math.min(...waits.slice(5))).toBeGreaterThanOrEqual(15_000);
        expect(atMs.length).toBeLessThanOrEqual((20 * 60) / 15 + 10);
        expect(stage.mostLogins()).toBe(1);
        stage.fail('token', 0, refusal);
        stage.stopSession(session);
        await stage.endsComplete();
      });
    },
    testMs,
  );
});
