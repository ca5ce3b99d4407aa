import { createNotify } from '../kernel/notify.js';
import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import { createSemaphore } from '../kernel/semaphore.js';
import { discover, type DiscoveryDeps, type DiscoveryReport, type Known } from './list-scan.js';
import type { FeedState } from './feed-state.js';
import { alone, follow, type Turns } from './feed-loop.js';
import { every } from '../pipeline/loops.js';

export type RunDiscovery = Readonly<{
  discovery: DiscoveryDeps;
  known: Known;
  clock: Clock;
  /** Milliseconds between turns, while nothing is open and while something is. */
  intervals: Readonly<{ idleMs: number; openMs: number }>;
  /** How often, in milliseconds, a list is looked at although the feed is followed. */
  reconcileMs: number;
  /** A turn has ended. */
  turned: (report: DiscoveryReport) => void;
  /** Something may be due. */
  wake: () => void;
  fed: (state: FeedState) => void;
}>;

/**
 * Keeps finding sessions until `quit` aborts. While the feed answers, it tells what is new, and an interval only has
 * open sessions read; else each interval begins with a list. Resolves once what is in hand has ended.
 */
export async function runDiscovery(options: RunDiscovery, quit: AbortSignal): Promise<void> {
  const { clock, known, intervals } = options;
  const list = { lookedMs: -Infinity, wanted: false };
  const turns: Turns = {
    ...options,
    semaphore: createSemaphore(1),
    reschedule: createNotify(),
    tokenAvailable: createNotify(),
    list,
  };
  const intervalMs = (): number => {
    if (list.wanted) return 0;
    return known.open.size > 0 ? intervals.openMs : intervals.idleMs;
  };
  const turn = async (): Promise<ExporterError | undefined> => intervalTurn(turns, options.reconcileMs, quit);
  await Promise.all([every(intervalMs, turn, { clock, quit, changed: turns.reschedule }), follow(turns, quit)]);
}

async function intervalTurn(turns: Turns, reconcileMs: number, quit: AbortSignal): Promise<ExporterError | undefined> {
  const { known, discovery, list, clock } = turns;
  const isRecent = !list.wanted && clock.monotonic() - list.lookedMs < reconcileMs;
  if (known.feed.active && isRecent) {
    readOpen(discovery);
    turns.wake();
    return undefined;
  }
  const report = await alone(turns, quit, async () => {
    const startedMs = clock.monotonic();
    list.wanted = false;
    const done = await discover(discovery, known, quit);
    if (done.error === undefined) list.lookedMs = startedMs;
    return done;
  });
  if (report === undefined) return undefined;
  turns.turned(report);
  turns.fed(known.feed);
  turns.tokenAvailable.notify();
  return report.error;
}

/** Makes due what may have got events of which nobody tells: everything open, and everything with holes. */
function readOpen({ backlogs, pageCache }: DiscoveryDeps): void {
  for (const backlog of Object.values(backlogs)) backlog.wake();
  pageCache.invalidate();
}
