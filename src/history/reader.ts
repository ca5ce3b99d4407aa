import { ExporterError } from '../kernel/errors.js';
import { failureText } from '../model/event.js';
import { ownershipOf } from '../model/ownership.js';
import { type Session, sessionTime } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import { type Cursor, startCursor } from '../pipeline/cursor.js';
import { dedupe, fullRead, happenedAt } from '../pipeline/dedupe.js';
import { type Batch, type EventPage, type SessionFilter, type Source, type TakenEvent } from '../pipeline/ports.js';
import { creationOf, lengthCheck, repetitionCheck } from '../pipeline/read-session.js';

/** Server times: what happened at `from` or later, and before `to`. */
export type Window = Readonly<{ from: Nanos; to: Nanos }>;

type Failure = Batch['failures'][number]['item'];

/** A part of a session: at most a page of its events, as live sinks take them. */
export type HistoryPart = Readonly<{
  session: Session;
  /** Final events of the window. */
  events: readonly TakenEvent[];
  /** Rows that are no events. */
  rejected: number;
  /** Set in the last part of a session. */
  end?: Readonly<{
    /** The session stopped in the window. */
    stopped: boolean;
    /** Rows that are not final: they still run, or never ended. */
    unfinished: number;
    /** The type of a failed item, when a failed session stopped in the window; see `restoreSessionsFailed`. */
    failure: Failure | undefined;
    /** The server deleted the session while it was read. */
    deleted: boolean;
  }>;
}>;

export type HistoryProgress = Readonly<{ sessions: number; of: number; events: number }>;

type ReadOptions = Readonly<{
  window: Window;
  signal: AbortSignal;
  /** How many sessions are read at once; default: 1. */
  concurrency?: number;
  /** Called for each session of the server, in the window or not. */
  listed?: (session: Session) => void;
  progress?: (read: HistoryProgress) => void;
}>;

/** Maximum number of sessions of a window: all of them are in memory. */
const maxSessions = 40_000;

/** Events are listed up to this long after the end of their session. */
const lateness: Nanos = seconds(86_400);

/**
 * Reads the past of a server: the sessions of the window, oldest first, each with its events. A page of each session that
 * is read at once is in memory, and all sessions of the window.
 * @throws {ExporterError} as the source; `rejected` if there are more than 40,000 sessions.
 */
export async function* readHistory(
  source: Pick<Source, 'now' | 'session' | 'sessions' | 'events'>,
  options: ReadOptions,
): AsyncGenerator<HistoryPart> {
  const { window, signal, listed, progress } = options;
  const kept = new Set<string>();
  const isKept: SessionFilter = async page => {
    for (const session of page) listed?.(session);
    const held = page.filter(session => mayHold(session, window));
    for (const { id } of held) kept.add(id);
    if (kept.size > maxSessions) throw tooMany();
    return held;
  };
  const { sessions } = await source.sessions(undefined, signal, isKept);
  const oldestFirst = sessions.toSorted(byCreation);
  let [done, events] = [0, 0];
  for (const parts of readAhead(oldestFirst, options.concurrency ?? 1, each => readEvents(source, each, options))) {
    progress?.({ sessions: done, of: oldestFirst.length, events });
    for await (const part of parts) {
      events += part.events.length;
      progress?.({ sessions: done, of: oldestFirst.length, events });
      yield part;
    }
    done += 1;
  }
  progress?.({ sessions: oldestFirst.length, of: oldestFirst.length, events });
}

/** The parts of each session in turn. While a session is read, so are the first parts of those that follow it. */
function* readAhead(
  sessions: readonly Session[],
  concurrency: number,
  read: (session: Session) => AsyncGenerator<HistoryPart>,
): Generator<AsyncIterable<HistoryPart>> {
  const begun: AsyncIterable<HistoryPart>[] = [];
  for (const session of sessions) {
    begun.push(begin(read(session)));
    if (begun.length >= concurrency) yield* begun.splice(0, 1);
  }
  yield* begun;
}

/** Reads the first part at once. Its error is thrown where the part is taken. */
function begin(parts: AsyncGenerator<HistoryPart>): AsyncIterable<HistoryPart> {
  const first = parts.next();
  first.catch(() => undefined);
  return (async function* () {
    const read = await first;
    if (read.done !== true) yield read.value;
    yield* parts;
  })();
}

const tooMany = (): ExporterError =>
  new ExporterError(
    'rejected',
    `Could not read more than ${String(maxSessions)} restore sessions at once; choose a shorter time with "--from" and "--to"`,
  );

function mayHold({ undated, open, createdAt, endedAt }: Session, { from, to }: Window): boolean {
  const mayReach = open || endedAt === undefined || endedAt + lateness >= from;
  return undated === true || (createdAt < to && mayReach);
}

const byCreation = (a: Session, b: Session): number =>
  a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1;

const isIn = ({ from, to }: Window, at: Nanos): boolean => at >= from && at < to;

async function* readEvents(
  source: Pick<Source, 'now' | 'session' | 'events'>,
  session: Session,
  options: ReadOptions,
): AsyncGenerator<HistoryPart> {
  const { window, signal } = options;
  const stoppedAt = session.open ? undefined : sessionTime(session);
  const createdAt = creationOf(session, source.now());
  const context = { sessionOpen: session.open, createdAt, stoppedAt, since: window.from };
  let [cursor, progress] = [startCursor, fullRead(startCursor)];
  const reasons = new FirstFailure();
  const [checkRepetition, checkLength] = [repetitionCheck(), lengthCheck()];
  const stopped = stoppedAt !== undefined && isIn(window, stoppedAt);
  for (;;) {
    const page = await source.events(session.id, progress.offset, signal);
    if (page === undefined) {
      if ((await source.session(session.id, signal)) !== undefined)
        throw new ExporterError('rejected', 'Could not read the events of a restore session that the server still has');
      yield { session, events: [], rejected: 0, end: { ...noEnd, deleted: true } };
      return;
    }
    reasons.add(page);
    checkRepetition(page);
    checkLength(page);
    const result = dedupe(cursor, progress, page, context);
    ({ cursor, progress } = result);
    const events = result.events
      .filter(event => isIn(window, happenedAt(event, context)))
      .map(event => ({ session, event, ownership: ownershipOf(session, event) }));
    const end = { ...noEnd, stopped, unfinished: progress.unfinished.length, failure: failureOf(session, cursor) };
    const rejected = result.rejected.length;
    if (page.last) yield { session: reasons.addedTo(session, cursor), events, rejected, end };
    else yield { session, events, rejected };
    if (page.last) return;
  }
}

/** The failed event with the lowest order, for the record of its session; see `failure-reason.ts`. */
class FirstFailure {
  #order = Infinity;
  #text = '';

  add({ rows }: EventPage): void {
    for (const row of rows) {
      if (!('event' in row) || row.event.status.label !== 'Failed' || row.order >= this.#order) continue;
      this.#order = row.order;
      this.#text = failureText(row.event);
    }
  }

  addedTo(session: Session, { tally, exceptions }: Cursor): Session {
    if (session.result.label !== 'Failed' || (tally.Failed ?? 0) === 0) return session;
    return { ...session, failure: exceptions?.Failed === undefined ? '' : this.#text };
  }
}

const noEnd = { stopped: false, unfinished: 0, failure: undefined, deleted: false } as const;

/** As `completion.ts` counts it when nothing more is expected of the session. */
const failureOf = ({ open, result }: Session, { failed }: Cursor): Failure | undefined =>
  open || result.label !== 'Failed' || failed === 'counted' ? undefined : (failed ?? 'None');
