import { describe, expect, test } from '@jest/globals';
import { createNotify } from '../../src/kernel/notify.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { DeliveryReport } from '../../src/pipeline/delivery-report.js';
import { every, runWhenNotified } from '../../src/pipeline/loops.js';
import { fakeClock, settle } from '../support/fake-clock.js';

type Outcome = Pick<DeliveryReport, 'undelivered' | 'unread' | 'retryInMs'>;
const report = (...undelivered: readonly ExporterError[]): Outcome => ({
  undelivered,
  unread: [],
  retryInMs: undefined,
});
const failure = (retryAfterMs?: number): ExporterError =>
  new ExporterError('network', 'Could not deliver: nobody answers', { retryAfterMs });
const never = new AbortController().signal;

/** Runs polls that each take `pollMs`, and records when they started and how many ran at once at most. */
const runEvery = (pollMs: (run: number) => number, intervalMs: number) => {
  const clock = fakeClock();
  const quit = new AbortController();
  const starts: number[] = [];
  const ran = { now: 0, most: 0 };
  const work = async (): Promise<ExporterError | undefined> => {
    starts.push(clock.now());
    ran.now += 1;
    ran.most = Math.max(ran.most, ran.now);
    await clock.sleep(pollMs(starts.length), never);
    ran.now -= 1;
    return undefined;
  };
  const ended = every(intervalMs, work, { clock, quit: quit.signal });
  return { clock, quit, starts, ran, ended };
};

describe('every', () => {
  test('runs at once, then at intervals from start to start', async () => {
    const { clock, quit, starts, ended } = runEvery(run => run * 1_000, 10_000);
    await clock.advance(35_000);
    expect(starts).toEqual([0, 10_000, 20_000, 30_000]);
    quit.abort();
    await clock.advance(10_000);
    await ended;
  });
  test('lets a slow poll delay the next, and never runs two at once', async () => {
    const { clock, quit, starts, ran, ended } = runEvery(run => (run === 1 ? 25_000 : 0), 10_000);
    await clock.advance(36_000);
    expect(starts).toEqual([0, 25_000, 35_000]);
    expect(ran.most).toBe(1);
    quit.abort();
    await ended;
  });
  test('never waits for a negative time after a slow poll', async () => {
    const clock = fakeClock();
    const quit = new AbortController();
    const waits: number[] = [];
    let readings = 0;
    const moving = {
      ...clock,
      monotonic: () => clock.monotonic() + 0.001 * (readings += 1),
      sleep: async (ms: number, signal: AbortSignal) => {
        waits.push(ms);
        return clock.sleep(ms, signal);
      },
    };
    const work = async (): Promise<undefined> => {
      await clock.sleep(25_000, never);
    };
    const ended = every(10_000, work, { clock: moving, quit: quit.signal });
    await clock.advance(60_000);
    expect(waits).toEqual([0, 0]);
    quit.abort();
    await clock.advance(25_000);
    await ended;
  });
  test('gives a failing server the time that it asks for, and no more than the interval otherwise', async () => {
    const clock = fakeClock();
    const quit = new AbortController();
    const failures = [failure(30_000), failure(2_000), failure(), undefined];
    const starts: number[] = [];
    const work = async (): Promise<ExporterError | undefined> => failures[starts.push(clock.now()) - 1];
    const ended = every(10_000, work, { clock, quit: quit.signal });
    await clock.advance(65_000);
    expect(starts).toEqual([0, 30_000, 40_000, 50_000, 60_000]);
    quit.abort();
    await ended;
  });
  test('stops at once between polls', async () => {
    const { clock, quit, starts, ended } = runEvery(() => 0, 10_000);
    await clock.advance(5_000);
    quit.abort();
    await ended;
    expect([starts, clock.now(), clock.sleepers()]).toEqual([[0], 5_000, 0]);
  });
  test('stops once the poll under way has ended', async () => {
    const { clock, quit, starts, ran, ended } = runEvery(() => 3_000, 10_000);
    await clock.advance(1_000);
    quit.abort();
    await settle();
    expect(ran.now).toBe(1);
    await clock.advance(2_000);
    await ended;
    expect(starts).toEqual([0]);
  });
});

/** Runs deliveries that end with `answers`, one after the other, then without errors. */
const runNotified = (answers: readonly Outcome[], random = 0.999_999) => {
  const clock = fakeClock();
  const quit = new AbortController();
  const wakeUp = createNotify();
  const starts: number[] = [];
  const work = async (): Promise<Outcome> => {
    starts.push(clock.now());
    return answers[starts.length - 1] ?? report();
  };
  const ended = runWhenNotified(
    wakeUp,
    { deliver: work, probe: undefined },
    { clock, random: () => random, quit: quit.signal },
  );
  return { clock, quit, wakeUp, starts, ended };
};

describe('runWhenNotified', () => {
  test('runs when notified, and not before', async () => {
    const { clock, quit, wakeUp, starts, ended } = runNotified([]);
    await clock.advance(1_000);
    expect(starts).toEqual([]);
    wakeUp.notify();
    await clock.advance(1_000);
    wakeUp.notify();
    await clock.advance(60_000);
    expect(starts).toEqual([1_000, 2_000]);
    quit.abort();
    await ended;
  });
  test('retries a failed delivery by itself, each time after a longer wait, up to two minutes', async () => {
    const { clock, quit, wakeUp, starts, ended } = runNotified(Array.from({ length: 9 }, () => report(failure())));
    wakeUp.notify();
    await clock.advance(3_600_000);
    const waits = starts.slice(1).map((start, index) => Math.round((start - (starts[index] ?? 0)) / 1_000));
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 120, 120, 120]);
    quit.abort();
    await ended;
  });
  test('does not pause after a session could not be read, and runs again when that is due', async () => {
    const unread = [{ session: 's1', error: failure(), ofServer: false }];
    const { clock, quit, wakeUp, starts, ended } = runNotified([
      { ...report(), unread, retryInMs: 3_000 },
      { ...report(), unread, retryInMs: 3_000 },
    ]);
    wakeUp.notify();
    await clock.advance(1_000);
    wakeUp.notify();
    await clock.advance(60_000);
    expect(starts).toEqual([0, 1_000, 4_000]);
    quit.abort();
    await ended;
    expect(clock.sleepers()).toBe(0);
  });
  test('pauses while the whole server fails, for 8 s at most, or for the time that it names', async () => {
    const outcomes = [failure(), failure(), failure(), failure(), failure(45_000)].map(error => ({
      ...report(),
      unread: [{ session: 's1', error, ofServer: true }],
    }));
    const { clock, quit, wakeUp, starts, ended } = runNotified(outcomes);
    wakeUp.notify();
    await clock.advance(120_000);
    expect(starts.map(start => Math.round(start / 1_000))).toEqual([0, 2, 6, 14, 22, 67]);
    quit.abort();
    await ended;
  });
  test('starts with short waits again after a success', async () => {
    const { clock, quit, wakeUp, starts, ended } = runNotified([
      report(failure()),
      report(failure()),
      report(),
      report(failure()),
    ]);
    wakeUp.notify();
    await clock.advance(100_000);
    wakeUp.notify();
    await clock.advance(100_000);
    expect(starts.map(start => Math.round(start / 1_000))).toEqual([0, 2, 6, 100, 102]);
    quit.abort();
    await ended;
  });
  test.each([
    ['what the other side asked for', [failure(45_000)], 45],
    ['the longest of what it asked for', [failure(5_000), failure(), failure(7_000)], 7],
    ['a second at least, whatever it asked for', [failure(1)], 1],
    ['a second at least, whatever chance says', [failure()], 1],
  ])('waits %s', async (_, errors, seconds) => {
    const { clock, quit, wakeUp, starts, ended } = runNotified([report(...errors)], 0);
    wakeUp.notify();
    await clock.advance(seconds * 1_000 - 1);
    expect(starts).toEqual([0]);
    wakeUp.notify();
    await clock.advance(1);
    expect(starts).toEqual([0, seconds * 1_000]);
    quit.abort();
    await ended;
  });
  test('stops at once while it waits to be notified and while it waits after a failure', async () => {
    const idle = runNotified([]);
    await settle();
    idle.quit.abort();
    await idle.ended;
    const failed = runNotified([report(failure())]);
    failed.wakeUp.notify();
    await failed.clock.advance(100);
    failed.quit.abort();
    await failed.ended;
    expect([idle.starts, failed.starts, failed.clock.sleepers()]).toEqual([[], [0], 0]);
  });
});
