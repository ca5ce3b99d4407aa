import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Instrument } from '../pipeline/instrument.js';
import { type ServerState, sinkNames, type Source } from '../pipeline/ports.js';
import { type CommitDeps, CommittedState } from './commit.js';
import { askFeed, endOfFeed, feedFailure, type FeedReply, readChanges } from './feed-poll.js';
import { type FeedChanges, type FeedRequest, type FeedStatus, requestOf, statusOf } from './feed-state.js';
import { scanList, type SessionReads } from './list-scan.js';
import type { DiscoveryRules, DiscoveryState, FeedEnd } from './state.js';

export type DiscoveryDeps = CommitDeps &
  Omit<DiscoveryRules, 'sinks'> &
  Readonly<{
    source: Pick<Source, 'now' | 'sessions' | 'session' | 'changes'>;
    clock: Clock;
    random: Random;
    instrument: Instrument;
    /** A poll has ended, after which these sessions are open. */
    polled: (report: DiscoveryReport, open: readonly Session[]) => void;
    /** Sinks may have something to read. */
    wake: () => void;
    /** The status of the feed may have changed. */
    feed: (status: FeedStatus) => void;
  }>;

/** How a poll went. */
export type DiscoveryReport = Readonly<{
  result: 'complete' | 'partial' | 'failed';
  error: ExporterError | undefined;
  /** Without the wait for the feed's answer. */
  seconds: number;
  /** Sessions that were read, by a list or because the feed reported them. */
  listed: number;
  /** What could not be decoded or read, one line each. */
  rejects: readonly string[];
}>;

/** Finds the sessions of one server that its sinks have to read. */
export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #state: CommittedState;

  constructor(deps: DiscoveryDeps, stored: ServerState) {
    this.#deps = deps;
    const sinks = sinkNames.filter(sink => deps.backlogs[sink] !== undefined);
    this.#state = new CommittedState(deps, { ...deps, sinks }, stored);
  }

  get state(): DiscoveryState {
    return this.#state.current;
  }

  /**
   * Polls until `quit` aborts. One request to the feed is outstanding while there is a token; everything else is done
   * one at a time. Resolves once everything begun has ended.
   */
  async run(quit: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let outstanding: Promise<FeedReply> | undefined;
    while (!quit.aborted) {
      if (this.#state.next.feed.atMs <= clock.monotonic()) outstanding ??= this.#ask(quit);
      const reply = await this.#replyOrDue(outstanding, quit);
      if (reply !== undefined) {
        outstanding = undefined;
        await this.#take(reply, quit);
      }
      if (!quit.aborted && this.#state.next.poll.atMs <= clock.monotonic()) await this.#poll(quit);
    }
    await outstanding;
  }

  /** Polls by a list, whether it is due or not. Never rejects. */
  async list(signal: AbortSignal): Promise<DiscoveryReport> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonic();
    let feedEnd: FeedEnd | undefined;
    const work = async (): Promise<SessionReads> => {
      feedEnd = await endOfFeed(this.#deps, this.state, signal);
      const scan = await scanList(this.#deps, this.state, signal);
      const stored = await this.#state.rowsOf(scan);
      await this.#state.apply({ kind: 'listed', ...scan, stored, startedMs, feedEnd, atMs: clock.monotonic() });
      return scan;
    };
    return this.#reported(work, async error =>
      this.#state.apply({ kind: 'list failed', error, startedMs, feedEnd, atMs: clock.monotonic() }),
    );
  }

  async #poll(quit: AbortSignal): Promise<void> {
    if (this.#state.next.poll.reads === 'list') {
      await this.list(quit);
      return;
    }
    await this.#state.apply({ kind: 'interval passed', atMs: this.#deps.clock.monotonic() });
    this.#deps.wake();
  }

  #ask(quit: AbortSignal): Promise<FeedReply> | undefined {
    const request = requestOf(this.state.feed, this.#deps.clock.monotonic());
    return request === undefined ? undefined : askFeed(this.#deps, request, quit);
  }

  /** Resolves with the feed's reply, or with undefined when something is due before that. */
  async #replyOrDue(outstanding: Promise<FeedReply> | undefined, quit: AbortSignal): Promise<FeedReply | undefined> {
    const { clock } = this.#deps;
    const { poll, feed } = this.#state.next;
    const dueMs = outstanding === undefined ? Math.min(poll.atMs, feed.atMs) : poll.atMs;
    const restMs = dueMs - clock.monotonic();
    const over = new AbortController();
    const rest = async (): Promise<undefined> => {
      if (restMs > 0) await clock.sleep(restMs, AbortSignal.any([quit, over.signal])).catch(() => undefined);
    };
    const reply = await Promise.race(outstanding === undefined ? [rest()] : [outstanding, rest()]);
    over.abort();
    return reply;
  }

  async #take({ request, answer }: FeedReply, quit: AbortSignal): Promise<void> {
    if (quit.aborted) return;
    if (answer.kind === 'told') return this.#read(request, answer, quit);
    await this.#state.apply({ kind: 'feed unavailable', why: answer, atMs: this.#deps.clock.monotonic() });
    this.#deps.feed(statusOf(this.state.feed));
  }

  /** Polls the sessions that the feed reported. */
  async #read(request: FeedRequest, changes: FeedChanges, quit: AbortSignal): Promise<void> {
    const { clock, source } = this.#deps;
    const work = async (): Promise<SessionReads> => {
      const reads = await readChanges(source, { state: this.state, changes }, quit);
      const stored = await this.#state.rowsOf(reads);
      await this.#state.apply({ kind: 'changes read', ...reads, stored, changes, request, atMs: clock.monotonic() });
      return reads;
    };
    await this.#reported(work, async error => {
      const why = feedFailure(this.#deps, error, 0);
      await this.#state.apply({ kind: 'feed unavailable', why, atMs: clock.monotonic() });
    });
  }

  /** Runs a poll and reports it. */
  async #reported(
    work: () => Promise<SessionReads>,
    failed: (error: ExporterError) => Promise<void>,
  ): Promise<DiscoveryReport> {
    const { clock, instrument, polled, wake, feed } = this.#deps;
    const startedMs = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - startedMs) / 1000;
    const attempt = async (): Promise<DiscoveryReport> => {
      try {
        const { sessions, rejects } = await work();
        const result = rejects.length === 0 ? 'complete' : 'partial';
        return { result, error: undefined, seconds: seconds(), listed: sessions.length, rejects };
      } catch (thrown) {
        const error = toExporterError(thrown);
        await failed(error);
        return { result: 'failed', error, seconds: seconds(), listed: 0, rejects: [] };
      }
    };
    const report = await instrument('discovery', attempt, ({ error }) => error);
    polled(report, [...this.state.open.values()]);
    if (report.error === undefined) wake();
    feed(statusOf(this.state.feed));
    return report;
  }
}
