import { describe, expect, test } from '@jest/globals';
import { createNotify } from '../../src/kernel/notify.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { DeliveryReport } from '../../src/pipeline/delivery-report.js';
import { runWhenNotified } from '../../src/pipeline/loops.js';
import { fakeClock } from '../support/fake-clock.js';

type Outcome = Pick<DeliveryReport, 'errors' | 'undelivered' | 'unread' | 'retryInMs'>;
const report = (...errors: readonly ExporterError[]): Outcome => ({
  errors,
  undelivered: errors,
  unread: [],
  retryInMs: undefined,
});
const failure = (retryAfterMs?: number): ExporterError =>
  new ExporterError('network', 'Could not deliver: nobody answers', { retryAfterMs });

type Receiver = Readonly<{
  /** What a probe at this time ends with, and after how long. */
  probed: (nowMs: number) => Readonly<{ error?: ExporterError; afterMs?: number }>;
  /** What a delivery at this time ends with. */
  delivered: (nowMs: number) => ExporterError | undefined;
}>;

/** Runs deliveries to a receiver, and records when they and the probes began. */
const runTo = ({ probed, delivered }: Receiver, random = 0.999_999) => {
  const clock = fakeClock();
  const quit = new AbortController();
  const wakeUp = createNotify();
  const [deliveries, probes]: [number[], number[]] = [[], []];
  const deliver = async (): Promise<Outcome> => {
    deliveries.push(clock.now());
    const error = delivered(clock.now());
    return report(...(error === undefined ? [] : [error]));
  };
  const probe = async (signal: AbortSignal): Promise<Outcome> => {
    probes.push(clock.now());
    const { error, afterMs = 0 } = probed(clock.now());
    await clock.sleep(afterMs, signal).catch(() => undefined);
    return report(...(error === undefined ? [] : [error]));
  };
  const ended = runWhenNotified(wakeUp, { deliver, probe }, { clock, random: () => random, quit: quit.signal });
  wakeUp.notify();
  const stop = async (): Promise<void> => {
    quit.abort();
    await clock.advance(60_000);
    await ended;
  };
  return { clock, deliveries, probes, quit, ended, stop };
};

const hourMs = 3_600_000;

const downUntil = (backMs: number, error: () => ExporterError = failure): Receiver => ({
  probed: nowMs => (nowMs < backMs ? { error: error() } : {}),
  delivered: nowMs => (nowMs < backMs ? error() : undefined),
});

describe('after an outage of the receiver', () => {
  test.each([0, 0.999_999])('the next delivery begins within 5 s, however long it was (random %d)', async random => {
    for (const backMs of [1, 7_000, 59_999, hourMs + 1]) {
      const { clock, deliveries, stop } = runTo(downUntil(backMs), random);
      await clock.advance(backMs + 5_000);
      expect(deliveries).toEqual([0, expect.any(Number)]);
      expect((deliveries[1] ?? Infinity) - backMs).toBeLessThanOrEqual(3_000);
      await stop();
    }
  });

  test('it gets probes at a steady pace, and no delivery before one of them is taken', async () => {
    const { clock, deliveries, probes, stop } = runTo(downUntil(Infinity));
    await clock.advance(hourMs);
    expect(deliveries).toEqual([0]);
    const waits = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
    expect([Math.round(Math.min(...waits)), Math.round(Math.max(...waits))]).toEqual([3_000, 3_000]);
    await stop();
  });

  test.each(['auth', 'server', 'timeout', 'throttled'] as const)('it does after %s, too', async reason => {
    const backMs = hourMs;
    const { clock, deliveries, stop } = runTo(downUntil(backMs, () => new ExporterError(reason, 'Could not send')));
    await clock.advance(backMs + 5_000);
    expect(deliveries).toHaveLength(2);
    await stop();
  });

  test('a probe that hangs delays no other', async () => {
    const backMs = 60_000;
    const { clock, deliveries, stop } = runTo({
      probed: nowMs => (nowMs < backMs ? { error: failure(), afterMs: 10_000 } : {}),
      delivered: nowMs => (nowMs < backMs ? failure() : undefined),
    });
    await clock.advance(backMs + 5_000);
    expect(deliveries).toHaveLength(2);
    await stop();
  });

  test('it gets no request before the time that it asked for', async () => {
    const { clock, deliveries, probes, stop } = runTo(downUntil(100_000, () => failure(45_000)));
    await clock.advance(200_000);
    expect([probes, deliveries]).toEqual([
      [45_000, 90_000, 135_000],
      [0, 135_000],
    ]);
    await stop();
  });

  test('a receiver that refuses a probe as such is up', async () => {
    const rejected = new ExporterError('rejected', 'Could not send: answered 400');
    const { clock, deliveries, stop } = runTo({
      probed: () => ({ error: rejected }),
      delivered: nowMs => (nowMs === 0 ? failure() : undefined),
    });
    await clock.advance(3_000);
    expect(deliveries).toHaveLength(2);
    await stop();
  });

  test('a receiver that refuses everything gets a delivery now and then, because newer records decide', async () => {
    const rejected = new ExporterError('rejected', 'Could not send: answered 400');
    const { clock, deliveries, stop } = runTo({ probed: () => ({ error: rejected }), delivered: () => rejected });
    await clock.advance(hourMs);
    expect(deliveries.length).toBeGreaterThan(hourMs / 130_000);
    expect(deliveries.length).toBeLessThan(hourMs / 60_000);
    await stop();
  });

  test('a receiver that takes probes but no deliveries gets them less and less often', async () => {
    const { clock, deliveries, stop } = runTo({ probed: () => ({}), delivered: () => failure() });
    await clock.advance(hourMs);
    expect(deliveries.length).toBeGreaterThan(hourMs / 130_000);
    expect(deliveries.length).toBeLessThan(hourMs / 90_000);
    await stop();
  });

  test('stops at once while it probes', async () => {
    const { clock, probes, quit, ended } = runTo(downUntil(Infinity));
    await clock.advance(10_000);
    quit.abort();
    await ended;
    expect([probes.length, clock.sleepers()]).toEqual([3, 0]);
  });
});
