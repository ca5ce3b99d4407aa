import { type Clock, endedOrLate, type Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { readBackoffMs } from '../pipeline/backlog.js';
import { defaultLateAfterMs, reportedLateMs } from '../pipeline/concurrent-reads.js';
import type { Nanos } from '../model/time.js';
import { concernsOneRequest, type Source } from '../pipeline/ports.js';
import type { SessionReads } from './state.js';

/** Sessions read at a time, besides those whose answers are late; and sessions that failed, in one go. */
const concurrency = 4;
/** All reads that wait for the server, and those of sessions that failed before. */
const [maxReads, maxRetries] = [16, 8];

export type ReadsByIdDeps = Readonly<{
  source: Pick<Source, 'now' | 'session'>;
  clock: Pick<Clock, 'monotonic'>;
  random: Random;
  /** Default: 2 s of real time, as for the events of sessions. */
  lateAfterMs?: number | undefined;
}>;

/**
 * Reads sessions by id, a few at a time. A session whose answer is late, or that could not be read, does not delay the
 * others: its read goes on from one `read` to the next, or begins again after a backoff.
 */
export class ReadsById {
  readonly #deps: ReadsByIdDeps;
  readonly #lateAnswer: () => void;
  /** By session id. */
  readonly #open = new Map<string, SessionRead>();
  /** Sessions that could not be read: how often in a row, and when to try again. */
  readonly #failures = new Map<string, Readonly<{ count: number; untilMs: number }>>();

  /** @param lateAnswer called when a late answer has come. */
  constructor(deps: ReadsByIdDeps, lateAnswer: () => void = () => undefined) {
    this.#deps = deps;
    this.#lateAnswer = lateAnswer;
  }

  /**
   * Reads these sessions, and forgets all others. `unread` has those that have not answered yet, that failed or rest
   * after it, and that have changed since their read began.
   * @throws {ExporterError} a failure that concerns the whole server.
   */
  async read(ids: readonly string[], signal: AbortSignal): Promise<SessionReads> {
    const startedAt = this.#deps.source.now();
    this.#forgetOthers(new Set(ids));
    const waiting = this.#toBegin(ids).values();
    let isServerDown = false;
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        if (isServerDown || this.#open.size >= maxReads) return;
        if (isOfServer(await this.#begin(id, signal))) isServerDown = true;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return this.#collect(ids, startedAt);
  }

  /** These sessions have changed: what is being read of them may be from before. */
  outdate(ids: Iterable<string>): void {
    for (const id of ids) {
      const read = this.#open.get(id);
      if (read !== undefined) read.isOutdated = true;
    }
  }

  /** When `read` or `newlyLate` has something to do for these sessions, monotonic ms; Infinity for not before an answer. */
  dueMs(ids: Iterable<string>): number {
    return Math.min(Infinity, ...[...ids].map(id => this.#dueMs(id)));
  }

  /** Sessions whose answer has been missing for 10 s, each once. */
  newlyLate(): readonly string[] {
    const now = this.#deps.clock.monotonic();
    const late = [...this.#open.values()].filter(read => read.answer === undefined && read.dueMs() <= now);
    for (const read of late) read.isReported = true;
    return late.map(({ id }) => id);
  }

  #dueMs(id: string): number {
    const read = this.#open.get(id);
    if (read !== undefined) return read.dueMs();
    const failure = this.#failures.get(id);
    if (this.#waiting().length >= maxReads) return Infinity;
    if (failure === undefined) return -Infinity;
    return this.#roomForRetries() === 0 ? Infinity : failure.untilMs;
  }

  #waiting(): readonly SessionRead[] {
    return [...this.#open.values()].filter(({ answer }) => answer === undefined);
  }

  #roomForRetries(): number {
    const retries = this.#waiting().filter(({ id }) => this.#failures.has(id));
    return Math.max(0, Math.min(concurrency, maxRetries - retries.length));
  }

  #forgetOthers(ids: ReadonlySet<string>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
    for (const { id, answer } of this.#open.values()) if (!ids.has(id) && answer !== undefined) this.#open.delete(id);
    this.outdate(new Set(this.#open.keys()).difference(ids));
  }

  /** Those that have not failed come first, and only a few of the others follow: they may be slow to fail again. */
  #toBegin(ids: readonly string[]): readonly string[] {
    const now = this.#deps.clock.monotonic();
    const idle = ids.filter(id => !this.#open.has(id));
    const retries = idle.filter(id => (this.#failures.get(id)?.untilMs ?? Infinity) <= now);
    return [...idle.filter(id => !this.#failures.has(id)), ...retries.slice(0, this.#roomForRetries())];
  }

  /** Resolves when the session has answered or is late. */
  async #begin(id: string, signal: AbortSignal): Promise<SessionRead> {
    const { source, clock, lateAfterMs = defaultLateAfterMs } = this.#deps;
    const read = new SessionRead(id, clock.monotonic());
    this.#open.set(id, read);
    const answered = read.take(source.session(id, signal)).then(() => read.isLate && this.#lateAnswer());
    await endedOrLate(answered, lateAfterMs);
    read.isLate = read.answer === undefined;
    return read;
  }

  #collect(ids: readonly string[], startedAt: Nanos): SessionReads {
    const sessions: Session[] = [];
    const gone = new Set<string>();
    const unread: string[] = [];
    const rejects: string[] = [];
    for (const id of ids) {
      const read = this.#open.get(id);
      if (read?.isComplete() !== true) unread.push(id);
      if (read?.answer === undefined) continue;
      const { answer } = read;
      this.#open.delete(id);
      if (answer.kind === 'failed') rejects.push(this.#backOff(id, answer.error));
      else this.#failures.delete(id);
      if (answer.kind === 'gone') gone.add(id);
      if (answer.kind === 'found') sessions.push(answer.session);
    }
    return { sessions, gone, startedAt, unread, rejects };
  }

  /** Resolves to what to report. @throws {ExporterError} the failure, when it concerns the whole server. */
  #backOff(id: string, error: ExporterError): string {
    if (!concernsOneRequest(error)) throw error;
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    this.#failures.set(id, { count, untilMs: this.#deps.clock.monotonic() + readBackoffMs(count, this.#deps.random) });
    return `${error.message} (session ${id})`;
  }
}

type SessionAnswer =
  | Readonly<{ kind: 'found'; session: Session }>
  | Readonly<{ kind: 'gone' }>
  | Readonly<{ kind: 'failed'; error: ExporterError }>;

const isOfServer = ({ answer }: SessionRead): boolean => answer?.kind === 'failed' && !concernsOneRequest(answer.error);

/** One session that is being read. */
class SessionRead {
  readonly id: string;
  readonly #sinceMs: number;
  answer: SessionAnswer | undefined;
  isLate = false;
  isReported = false;
  /** The session has changed since, or nobody has waited for the answer. */
  isOutdated = false;

  constructor(id: string, sinceMs: number) {
    this.id = id;
    this.#sinceMs = sinceMs;
  }

  async take(answer: Promise<Session | undefined>): Promise<void> {
    this.answer = await answer.then(
      session => (session === undefined ? { kind: 'gone' } : { kind: 'found', session }),
      (thrown: unknown) => ({ kind: 'failed', error: toExporterError(thrown) }),
    );
  }

  isComplete(): boolean {
    return this.answer !== undefined && this.answer.kind !== 'failed' && !this.isOutdated;
  }

  /** When there is something to do about it. */
  dueMs(): number {
    if (this.answer !== undefined) return -Infinity;
    return this.isReported ? Infinity : this.#sinceMs + reportedLateMs;
  }
}
