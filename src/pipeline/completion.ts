import type { Session } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import type { ReadProgress } from './dedupe.js';
import type { Cursor, TallyKey } from './cursor.js';
import { closed, gaps, contains, sizeOf, insert } from './interval-set.js';

/** A reading that began this long after the stop sees what was appended late; before that, one more is needed. */
export const settleTime: Nanos = seconds(60);

export type Completion = Readonly<{
  cursor: Cursor;
  /** Nothing more is expected of the session. */
  done: boolean;
  /** The session's result is to be taken now. */
  result: boolean;
  /** Rows that are not final, or holes, are left: read again from there. */
  unfinished: boolean;
  /** Not before this server time need it be read again; 0 for the next turn. */
  wakeAt: Nanos;
  abandoned: number;
  orderGaps: number;
  corrections: number;
  duplicates: number;
}>;

export type CompletionInput = Readonly<{
  session: Session;
  /** Server time of the stop; undefined while the session is open. */
  stoppedAt: Nanos | undefined;
  now: Nanos;
  /** How long after the stop an open hole is given up. */
  grace: Nanos;
  since: Nanos;
}>;

const nothing = { abandoned: 0, orderGaps: 0, corrections: 0, duplicates: 0 } as const;

/** What the end of a reading means: whether the session is done, and if not, when to look again. */
export function evaluateCompletion(cursor: Cursor, pass: ReadProgress, ending: CompletionInput): Completion {
  const { stoppedAt, now } = ending;
  const running = [...new Set(pass.unfinished)].filter(order => !contains(cursor.taken, order));
  const holes = running.length > 0 || cursor.taken.length > 1;
  if (stoppedAt === undefined) {
    return { ...nothing, cursor, done: false, result: false, unfinished: holes, wakeAt: 0n };
  }
  const result = !cursor.resultTaken && stoppedAt >= ending.since;
  const told: Cursor = { ...cursor, resultTaken: true };
  if (holes) return withHoles(told, running, result, now >= stoppedAt + ending.grace);
  if (!isQuiescent(pass, stoppedAt)) {
    return { ...nothing, cursor: told, done: false, result, unfinished: false, wakeAt: stoppedAt + settleTime };
  }
  return {
    ...nothing,
    ...verifyTally({ ...told, endedAt: ending.session.endedAt }, pass),
    done: true,
    result,
    unfinished: false,
    wakeAt: 0n,
  };
}

/** Whether this reading was the last one needed: all of it, late enough, and bringing nothing to what was known. */
function isQuiescent(pass: ReadProgress, stoppedAt: Nanos): boolean {
  const late = pass.readAt !== undefined && pass.readAt >= stoppedAt + settleTime;
  return pass.full && late && (pass.first || pass.fresh === 0);
}

function withHoles(cursor: Cursor, running: readonly number[], result: boolean, graceOver: boolean): Completion {
  const waiting = { ...nothing, done: false, result, wakeAt: 0n } as const;
  if (!graceOver) return { ...waiting, cursor, unfinished: true };
  const withRows = insert(cursor.taken, running);
  const missing = gaps(withRows);
  return {
    ...waiting,
    cursor: { ...cursor, taken: closed(withRows) },
    unfinished: false,
    abandoned: running.length + sizeOf(missing),
    orderGaps: missing.length,
  };
}

/** The last reading tells by the tally what changed after it had been taken. */
function verifyTally(
  cursor: Cursor,
  { tally }: ReadProgress,
): Pick<Completion, 'cursor' | 'corrections' | 'duplicates'> {
  const more = (key: TallyKey): number => Math.max(0, (tally[key] ?? 0) - (cursor.tally[key] ?? 0));
  const statuses = ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped', 'other'] as const;
  return {
    cursor: { ...cursor, tally },
    corrections: statuses.reduce((sum, status) => sum + more(status), 0),
    duplicates: more('duplicate'),
  };
}
