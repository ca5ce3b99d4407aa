import type { ItemType } from '../model/event.js';
import type { Session } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import type { ChangedEvent, ReadProgress, RejectedRow } from './dedupe.js';
import type { Cursor, TallyKey } from './cursor.js';
import { closed, contains, gaps, insert, type IntervalSet, union } from './interval-set.js';
import { withExceptions } from './taken-statuses.js';

/** A reading that begins this long after the stop sees events that were appended late. */
export const quiescenceTime: Nanos = seconds(60);

/** Why a session is done, or why it has to be read again. */
export type CompletionReason =
  | 'session is open'
  | 'waiting for missing events'
  | 'gave up missing events'
  | 'not read from the start'
  | 'waiting for late events'
  | 'new events found'
  | 'verified'
  | 'deleted by the server';

/** What the end of a reading means for the session. */
export type Completion = Readonly<{
  /** Nothing more is expected of the session. */
  done: boolean;
  reason: CompletionReason;
  cursor: Cursor;
  /** Take the session's result now. */
  result: boolean;
  /** The session has failed, and is over: count its failure, by its failed item. Undefined otherwise, and once counted. */
  failure: ItemType | 'None' | undefined;
  /** Some rows are not final or missing: the next reading begins there. */
  unfinished: boolean;
  /** Server time of the next reading; undefined for the next poll. */
  wakeAt: Nanos | undefined;
  /** Orders given up: of events that were still running, and of those that never appeared. */
  abandoned: Readonly<{ running: IntervalSet; missing: IntervalSet }>;
  /** Holes given up. */
  orderGaps: number;
  /** Events whose final status changed after they were taken. */
  corrections: number;
  /** Those events; empty if it is not known what they were taken with. */
  changed: readonly ChangedEvent[];
  /** Events with an order that was taken before, found by the verification. */
  duplicates: number;
  /** Those events; empty if some of them may have been named before. */
  duplicateRows: readonly RejectedRow[];
}>;

/** Server times. */
type SessionStop = Readonly<{
  /** Undefined if it is not known any more. */
  session: Session | undefined;
  /** Undefined while the session is open. */
  stoppedAt: Nanos | undefined;
  /** Results of sessions that stopped before are history. */
  since: Nanos;
}>;

/** `grace`: how long after the stop missing events are given up. */
export type CompletionContext = SessionStop & Readonly<{ session: Session; now: Nanos; grace: Nanos }>;

const notDone = {
  done: false,
  failure: undefined,
  unfinished: false,
  wakeAt: undefined,
  abandoned: { running: [], missing: [] },
  orderGaps: 0,
  corrections: 0,
  changed: [],
  duplicates: 0,
  duplicateRows: [],
} as const;

/** Decides after a reading whether the session is done, and if not, when to read it again. Pure. */
export function evaluateCompletion(cursor: Cursor, progress: ReadProgress, context: CompletionContext): Completion {
  const { session, stoppedAt, now, grace } = context;
  const running = [...new Set(progress.unfinished)].filter(order => !contains(cursor.taken, order));
  const unfinished = running.length > 0 || cursor.taken.length > 1;
  if (stoppedAt === undefined) return { ...notDone, reason: 'session is open', cursor, result: false, unfinished };
  const result = isResultNew(cursor, context);
  const stopped = { ...notDone, cursor: { ...cursor, resultTaken: true }, result };
  if (unfinished && now < stoppedAt + grace) return { ...stopped, reason: 'waiting for missing events', unfinished };
  if (unfinished) return { ...stopped, reason: 'gave up missing events', ...giveUp(stopped.cursor, running) };
  const reason = whyUnverified(progress, stoppedAt);
  if (reason !== undefined) return { ...stopped, reason, wakeAt: stoppedAt + quiescenceTime };
  const verified = verifyTally({ ...stopped.cursor, endedAt: session.endedAt }, progress);
  return { ...stopped, ...verified, ...countFailure(verified.cursor, context), done: true, reason: 'verified' };
}

/** The completion of a session that the server has deleted. It stays known, so that it is not news if it returns. Pure. */
export function completeDeleted(cursor: Cursor, stop: SessionStop): Completion {
  const result = isResultNew(cursor, stop);
  const counted = countFailure({ ...cursor, resultTaken: true }, stop);
  return { ...notDone, ...counted, done: true, reason: 'deleted by the server', result };
}

const isNews = ({ stoppedAt, since }: SessionStop): boolean => stoppedAt !== undefined && stoppedAt >= since;

const isResultNew = ({ resultTaken }: Cursor, stop: SessionStop): boolean => !resultTaken && isNews(stop);

/** Only when nothing more is expected: an item that fails late must not make it two failures. */
function countFailure(cursor: Cursor, stop: SessionStop): Pick<Completion, 'cursor' | 'failure'> {
  const isNew = stop.session?.result.label === 'Failed' && isNews(stop);
  if (!isNew || cursor.failed === 'counted') return { cursor, failure: undefined };
  return { cursor: { ...cursor, failed: 'counted' }, failure: cursor.failed ?? 'None' };
}

/** Undefined if the reading covered every row, began late enough and found nothing new. */
function whyUnverified({ full, readAt, first, fresh }: ReadProgress, stoppedAt: Nanos): CompletionReason | undefined {
  if (!full) return 'not read from the start';
  if (readAt === undefined || readAt < stoppedAt + quiescenceTime) return 'waiting for late events';
  return first || fresh === 0 ? undefined : 'new events found';
}

function giveUp(cursor: Cursor, running: readonly number[]) {
  const withRows = insert(cursor.taken, running);
  const missing = gaps(withRows);
  const stillRunning = insert([], running);
  const givenUp = union(missing, stillRunning);
  const exceptions = withExceptions(cursor.exceptions, new Map([['given_up', givenUp]]));
  return {
    cursor: { ...cursor, taken: closed(withRows), exceptions },
    abandoned: { running: stillRunning, missing },
    orderGaps: missing.length,
  };
}

/** Compares the tally of the last reading with the cursor's: the difference was changed after it was taken. */
function verifyTally(cursor: Cursor, { tally, exceptions, changed, duplicates: rows }: ReadProgress) {
  const more = (key: TallyKey): number => Math.max(0, (tally[key] ?? 0) - (cursor.tally[key] ?? 0));
  const statuses = ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped', 'other'] as const;
  return {
    cursor: { ...cursor, tally, exceptions },
    corrections: Math.max(
      changed.length,
      statuses.reduce((sum, status) => sum + more(status), 0),
    ),
    changed,
    duplicates: more('duplicate'),
    duplicateRows: (cursor.tally.duplicate ?? 0) === 0 ? rows : [],
  };
}
