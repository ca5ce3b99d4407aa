import { type Clock, endedOrLate } from '../kernel/clock.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { linkAbort } from '../kernel/linked-abort.js';
import type { Notify } from '../kernel/notify.js';
import type { BacklogEntry } from './backlog.js';
import type { SessionPart } from './batch-builder.js';
import { concernsOneRequest } from './ports.js';

/** Sessions that one sink reads at a time, not counting late ones. */
const concurrency = 4;
/** Maximum number of open reads of one sink, including late ones. */
const maxReads = 28;
/** A read without an answer after this time is late: it continues, and other sessions are read in its place. */
export const defaultLateAfterMs = 2_000;
/** A late answer is reported after this time. */
export const reportedLateMs = 10_000;
/** When nearly all reads are open, those are given up that wait for 10 s, and so many times as long as the last answer took. */
const timesLonger = 4;
/** If this many different sessions fail while none can be read, the server has failed. */
const failuresOfServer = 100;

/** A session that could not be read. */
export type ReadFailure = Readonly<{
  session: string;
  error: ExporterError;
  /** Whether the server failed, and not this session only. */
  ofServer: boolean;
}>;

/** A part of a session, or why there is none. */
export type ReadOutcome = SessionPart | ReadFailure;

type Deps = Readonly<{
  clock: Pick<Clock, 'monotonic'>;
  /** Default: 2 s of real time, as for the deadlines of requests. */
  lateAfterMs?: number;
  /** The sink is not done with the session. */
  isPending: (session: string) => boolean;
  /** Notified when a late answer has come. */
  wakeUp: Pick<Notify, 'notify'>;
}>;

/** Reads what is new in one session. */
type SessionReader = (entry: BacklogEntry, signal: AbortSignal) => AsyncGenerator<SessionPart>;

/**
 * Reads a few sessions at a time, and hands out their parts oldest session first. A session whose answer is late does
 * not delay the others: its read stays open from one delivery to the next.
 */
export class ConcurrentReads {
  readonly #deps: Deps;
  /** By session id, in the order in which they began. */
  readonly #open = new Map<string, OpenRead>();
  /** Sessions that failed since one could be read, and are pending. */
  readonly #failed = new Set<string>();
  /** How long the last answer took; Infinity before the first one. */
  #answerMs = Infinity;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Parts and failures of these sessions, and what came late of those before. Ends when only late answers are missing,
   * when the server fails, and when `quit` aborts. Never rejects.
   */
  async *outcomes(due: readonly BacklogEntry[], reader: SessionReader, quit: AbortSignal): AsyncGenerator<ReadOutcome> {
    const waiting = due.filter(({ row }) => !this.#open.has(row.session));
    let isNews = false;
    while (!quit.aborted) {
      this.#begin(waiting, reader, quit);
      const read = [...this.#open.values()].find(one => !one.isLate || one.outcome !== undefined);
      if (read === undefined) return;
      if (read.outcome === undefined) {
        await this.#waitFor(read);
        if (isNews && this.#isBetterDelivered(read, waiting)) return this.#deps.wakeUp.notify();
      } else if (read.outcome.kind === 'part') {
        const { part } = read.outcome;
        this.#failed.clear();
        this.#answerMs = read.answerMs;
        isNews = true;
        read.next();
        yield part;
      } else {
        const failure = this.#end(read);
        if (failure !== undefined) yield failure;
        if (failure?.ofServer === true) return this.#drop(one => !one.isLate);
      }
    }
  }

  /** Whether a read of the session is open, from this delivery or an earlier one. */
  readonly isReading = (session: string): boolean => this.#open.has(session);

  /** A delivery has ended. If the sink has not taken everything, only late reads that handed out nothing go on. */
  endDelivery(isTaken: boolean): void {
    if (!isTaken) this.#drop(read => read.hasHandedOut || !read.isLate);
    for (const read of this.#open.values()) read.hasHandedOut = false;
  }

  /** Sessions that have waited 10 s for an answer, each reported once. */
  newlyLate(): readonly string[] {
    const now = this.#deps.clock.monotonic();
    const late = [...this.#open.values()].filter(
      read => read.isLate && !read.isReported && now - read.sinceMs >= reportedLateMs,
    );
    for (const read of late) read.isReported = true;
    return late.map(({ session }) => session);
  }

  #begin(waiting: BacklogEntry[], reader: SessionReader, quit: AbortSignal): void {
    if (waiting.length > 0) this.#makeRoom();
    let active = [...this.#open.values()].filter(({ isLate }) => !isLate).length;
    for (; active < concurrency && this.#open.size < maxReads; active += 1) {
      const next = waiting.shift();
      if (next === undefined) return;
      const { session } = next.row;
      this.#open.set(session, new OpenRead(session, signal => reader(next, signal), { ...this.#deps, quit }));
    }
  }

  /** Sessions that do not answer make room for others; they are read again after a backoff, with those that failed. */
  #makeRoom(): void {
    const late = [...this.#open.values()].filter(({ isLate, outcome }) => isLate && outcome === undefined);
    const startedBefore = this.#deps.clock.monotonic() - Math.max(reportedLateMs, timesLonger * this.#answerMs);
    late
      .filter(({ sinceMs }) => sinceMs <= startedBefore)
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, Math.max(0, late.length - (maxReads - concurrency)))
      .forEach(read => read.giveUp());
  }

  /** What was read ahead is read again from its cursor. */
  #drop(isDropped: (read: OpenRead) => boolean): void {
    for (const read of [...this.#open.values()].filter(isDropped)) {
      this.#open.delete(read.session);
      read.release();
    }
  }

  async #waitFor(read: OpenRead): Promise<void> {
    await read.answeredOrLate;
    if (read.outcome === undefined) read.isLate = true;
  }

  /** What has been read is delivered before another session is waited for. */
  #isBetterDelivered({ isLate }: OpenRead, waiting: readonly BacklogEntry[]): boolean {
    return isLate && waiting.length > 0;
  }

  #end({ session, outcome }: OpenRead): ReadFailure | undefined {
    this.#open.delete(session);
    return outcome?.kind === 'failed' ? this.#failureOf(session, outcome.error) : undefined;
  }

  #failureOf(session: string, error: ExporterError): ReadFailure {
    this.#failed.add(session);
    for (const one of this.#failed) if (!this.#deps.isPending(one)) this.#failed.delete(one);
    return { session, error, ofServer: !concernsOneRequest(error) || this.#failed.size >= failuresOfServer };
  }
}

type ReadAnswer =
  | Readonly<{ kind: 'part'; part: SessionPart }>
  | Readonly<{ kind: 'ended' }>
  | Readonly<{ kind: 'failed'; error: ExporterError }>;

type ReadDeps = Pick<Deps, 'clock' | 'lateAfterMs' | 'wakeUp'> & Readonly<{ quit: AbortSignal }>;

/** One session that is being read, one part ahead of what has been handed out. */
class OpenRead {
  readonly session: string;
  readonly #parts: AsyncGenerator<SessionPart>;
  readonly #deps: ReadDeps;
  readonly #abort = new AbortController();
  readonly #unlink: () => void;
  /** Undefined until the server has answered. */
  outcome: ReadAnswer | undefined;
  answeredOrLate: Promise<void>;
  sinceMs: number;
  isLate = false;
  /** How long the last answer took. */
  answerMs = 0;
  isReported = false;
  /** In this delivery. */
  hasHandedOut = false;
  #isReleased = false;

  constructor(session: string, read: (signal: AbortSignal) => AsyncGenerator<SessionPart>, deps: ReadDeps) {
    this.session = session;
    this.#parts = read(this.#abort.signal);
    this.#unlink = linkAbort(this.#abort, [deps.quit]);
    this.#deps = deps;
    this.sinceMs = deps.clock.monotonic();
    this.answeredOrLate = this.#pull();
  }

  next(): void {
    this.hasHandedOut = true;
    this.outcome = undefined;
    this.isLate = false;
    this.isReported = false;
    this.sinceMs = this.#deps.clock.monotonic();
    this.answeredOrLate = this.#pull();
  }

  /** Reads no further. A request under way goes on: other sinks may wait for the same page. */
  release(): void {
    this.#isReleased = true;
    void this.#parts.return(undefined).catch(() => undefined);
  }

  /** Fails the read, and ends its request if nobody else waits for it. */
  giveUp(): void {
    const message = 'Could not read the events of a restore session: no answer, and other sessions wait';
    this.outcome = { kind: 'failed', error: new ExporterError('timeout', message) };
    this.release();
    this.#abort.abort();
  }

  /** Resolves when the answer has come or is late. */
  async #pull(): Promise<void> {
    const { lateAfterMs = defaultLateAfterMs, wakeUp } = this.#deps;
    const taken = this.#take().finally(() => {
      if (this.isLate && !this.#isReleased) wakeUp.notify();
    });
    return endedOrLate(taken, lateAfterMs);
  }

  async #take(): Promise<void> {
    const answer = await this.#parts.next().then(
      (next): ReadAnswer => (next.done === true ? { kind: 'ended' } : { kind: 'part', part: next.value }),
      (thrown: unknown): ReadAnswer => ({ kind: 'failed', error: toExporterError(thrown) }),
    );
    if (answer.kind !== 'part' || this.#isReleased) this.#unlink();
    this.answerMs = this.#deps.clock.monotonic() - this.sinceMs;
    if (!this.#isReleased) this.outcome = answer;
  }
}
