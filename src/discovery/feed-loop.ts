import type { Notify } from '../kernel/notify.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Semaphore } from '../kernel/semaphore.js';
import type { DiscoveryReport } from './list-scan.js';
import { fail, refuse, succeed } from './feed-state.js';
import type { FeedAnswer } from '../pipeline/ports.js';
import type { RunDiscovery } from './scheduler.js';
import { takeChanges, type Told } from './apply-changes.js';

/** What turns by the list and turns by the feed share. */
export type Turns = RunDiscovery &
  Readonly<{
    /** One turn at a time. */
    semaphore: Semaphore;
    /** The interval may be another now. */
    reschedule: Notify;
    /** There may be a token to go on from. */
    tokenAvailable: Notify;
    /** When the last list was begun, and whether the next is not to wait for its interval. */
    list: { lookedMs: number; wanted: boolean };
  }>;

/** Answers with news come no faster than this, from asking to asking: what happens meanwhile comes together. */
const newsPauseMs = 500;
/** So do answers that tell of everything but restores. */
const othersPauseMs = 1_000;

/** Follows the feed whenever there is a token to go on from, until `quit` aborts. */
export async function follow(turns: Turns, quit: AbortSignal): Promise<void> {
  const { known, tokenAvailable, clock } = turns;
  while (!quit.aborted) {
    const { token } = known.feed;
    if (token === undefined || known.watermark === undefined) {
      await tokenAvailable.wait(quit).catch(() => undefined);
      continue;
    }
    const restMs = await round(turns, token, quit);
    if (restMs > 0) await clock.sleep(restMs, quit).catch(() => undefined);
  }
}

/** Asks once. Returns how long to leave the feed alone, in ms. */
async function round(turns: Turns, token: string, quit: AbortSignal): Promise<number> {
  const { known, discovery, clock } = turns;
  const askedMs = clock.monotonic();
  // A feed that did not answer is not waited for long: the sooner it shows that it is back.
  const waitSeconds = known.feed.active ? known.feed.waitSeconds : 1;
  let changes: FeedAnswer;
  try {
    changes = await discovery.source.changes({ token, waitSeconds }, quit);
  } catch (thrown) {
    return quit.aborted ? 0 : failed(turns, toExporterError(thrown), clock.monotonic() - askedMs);
  }
  if (changes.kind !== 'told') return lose(turns, changes, quit);
  return take(turns, { told: changes, token, askedMs, waitSeconds }, quit);
}

type Answer = Readonly<{ told: Told; token: string; askedMs: number; waitSeconds: number }>;

async function take(turns: Turns, answer: Answer, quit: AbortSignal): Promise<number> {
  const { known, discovery, clock, list } = turns;
  const report = await alone(turns, quit, async () => {
    if (known.feed.token !== answer.token) return undefined;
    return takeChanges(discovery, known, answer, quit);
  });
  if (report === undefined) return 0;
  if (report.error === undefined) succeed(known.feed);
  if (known.feed.doubted) list.wanted = true;
  turns.turned(report);
  if (report.error !== undefined) return failed(turns, report.error, 0);
  turns.fed(known.feed);
  turns.reschedule.notify();
  return Math.max(0, answer.askedMs + pauseMs(answer, turns, clock.monotonic()) - clock.monotonic());
}

/**
 * From asking to asking. A feed that comes back with nothing long before its time, or with the same again, is asked no
 * more often than a list would be looked at.
 */
function pauseMs({ told, token, askedMs, waitSeconds }: Answer, { intervals }: Turns, nowMs: number): number {
  const news = told.updated.size + told.deleted.size;
  if (told.token === token && told.entries > 0) return intervals.openMs;
  if (told.more) return 0;
  if (told.entries > 0) return news > 0 ? newsPauseMs : othersPauseMs;
  return nowMs - askedMs < waitSeconds * 500 ? intervals.openMs : 0;
}

/** Polling takes over, at once when the feed was relied on. */
function failed(turns: Turns, error: ExporterError, ranMs: number): number {
  const { known, discovery, list } = turns;
  if (known.feed.active) list.wanted = true;
  const restMs = fail(discovery, known.feed, error, ranMs);
  turns.reschedule.notify();
  turns.fed(known.feed);
  return restMs;
}

/** The token is of no use any more: begin again, from the end of the feed and a list of everything. */
async function lose(turns: Turns, changes: Exclude<FeedAnswer, Told>, quit: AbortSignal): Promise<number> {
  const { known, discovery, list } = turns;
  await alone(turns, quit, async () => {
    refuse(discovery, known.feed, changes);
    known.watermark = undefined;
    list.wanted = true;
    return undefined;
  });
  turns.reschedule.notify();
  turns.fed(known.feed);
  return 0;
}

/** Runs a turn when no other runs. Undefined when we are stopping. */
export async function alone(
  { semaphore }: Pick<Turns, 'semaphore'>,
  quit: AbortSignal,
  turn: () => Promise<DiscoveryReport | undefined>,
): Promise<DiscoveryReport | undefined> {
  const leave = await semaphore.acquire(quit).catch(() => undefined);
  if (leave === undefined) return undefined;
  try {
    return await turn();
  } finally {
    leave();
  }
}
