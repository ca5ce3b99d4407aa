import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { type ServerState, sinkNames, type Source } from '../pipeline/ports.js';
import { type CommitDeps, commitStep } from './commit.js';
import { askFeed, type FeedReply, readChanges } from './feed-poll.js';
import { type FeedStatus, needsToken, requestOf, statusOf } from './feed-state.js';
import { scanList } from './list-scan.js';
import { type NextReads, nextReads, observe, sessionsOfInterest } from './observe.js';
import {
  type DiscoveryRules,
  type DiscoveryState,
  type FeedEnd,
  initialState,
  type Observation,
  type SessionFindings,
  type SessionReads,
} from './state.js';

export type DiscoveryDeps = CommitDeps &
  Omit<DiscoveryRules, 'sinks'> &
  Readonly<{
    source: Pick<Source, 'now' | 'sessions' | 'session' | 'changes'>;
    clock: Clock;
    random: Random;
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
  readonly #rules: DiscoveryRules;
  #state: DiscoveryState;
  #next: NextReads;

  constructor(deps: DiscoveryDeps, stored: ServerState) {
    this.#deps = deps;
    this.#rules = { ...deps, sinks: sinkNames.filter(sink => deps.backlogs[sink] !== undefined) };
    this.#state = initialState(stored);
    this.#next = nextReads(this.#state, this.#rules);
  }

  /** Immutable; another one after each poll. */
  get state(): DiscoveryState {
    return this.#state;
  }

  /**
   * Polls until `quit` aborts. One request to the feed is outstanding while there is a token; everything else happens
   * one at a time. Resolves once everything begun has ended.
   */
  async run(quit: AbortSignal): Promise<void> {
    let outstanding: Promise<FeedReply> | undefined;
    while (!quit.aborted) {
      const nowMs = this.#now();
      if (this.#next.feed.atMs <= nowMs) outstanding ??= askFeed(this.#deps, requestOf(this.#state.feed, nowMs), quit);
      const reply = await this.#replyOrDue(outstanding, quit);
      if (reply !== undefined) outstanding = undefined;
      if (reply !== undefined && !quit.aborted) await this.#take(reply, quit);
      if (this.#next.poll.atMs <= this.#now() && !quit.aborted) await this.#poll(quit);
    }
    await outstanding;
  }

  /** Polls by a list, whether it is due or not. Never rejects. */
  async list(signal: AbortSignal): Promise<DiscoveryReport> {
    const startedMs = this.#now();
    let feedEnd: FeedEnd | undefined;
    const work = async (): Promise<SessionReads> => {
      const { feed } = this.#state;
      // Before the list: what changes while the list is read comes behind this token.
      if (needsToken(feed, startedMs)) feedEnd = (await askFeed(this.#deps, requestOf(feed, startedMs), signal)).answer;
      const scan = await scanList(this.#deps, this.#state, signal);
      await this.#apply({ kind: 'listed', ...(await this.#withRows(scan)), startedMs, feedEnd, atMs: this.#now() });
      return scan;
    };
    return this.#report(work, async error =>
      this.#apply({ kind: 'list failed', error, startedMs, feedEnd, atMs: this.#now() }),
    );
  }

  /** Resolves with the feed's reply, or with undefined when something is due before that. */
  async #replyOrDue(outstanding: Promise<FeedReply> | undefined, quit: AbortSignal): Promise<FeedReply | undefined> {
    const { clock } = this.#deps;
    const { poll, feed } = this.#next;
    const dueMs = outstanding === undefined ? Math.min(poll.atMs, feed.atMs) : poll.atMs;
    const over = new AbortController();
    const rest = async (restMs: number): Promise<undefined> => {
      if (restMs > 0) await clock.sleep(restMs, AbortSignal.any([quit, over.signal])).catch(() => undefined);
    };
    const due = rest(dueMs - clock.monotonic());
    const reply = await Promise.race(outstanding === undefined ? [due] : [outstanding, due]);
    over.abort();
    return reply;
  }

  async #poll(quit: AbortSignal): Promise<void> {
    if (this.#next.poll.reads === 'list') {
      await this.list(quit);
    } else {
      await this.#apply({ kind: 'interval passed', atMs: this.#now() });
      this.#deps.wake();
    }
  }

  async #take({ request, answer }: FeedReply, quit: AbortSignal): Promise<void> {
    const { random, source, feed } = this.#deps;
    if (answer.kind !== 'changes') {
      await this.#apply({ kind: 'feed unavailable', why: answer, atMs: this.#now() });
      feed(statusOf(this.#state.feed));
      return;
    }
    const changes = answer;
    const work = async (): Promise<SessionReads> => {
      const reads = await readChanges(source, { state: this.#state, changes }, quit);
      await this.#apply({
        kind: 'changes read',
        ...(await this.#withRows(reads)),
        changes,
        request,
        atMs: this.#now(),
      });
      return reads;
    };
    await this.#report(work, async error => {
      const why = { kind: 'failed', error, ranMs: 0, jitter: random() } as const;
      await this.#apply({ kind: 'feed unavailable', why, atMs: this.#now() });
    });
  }

  async #withRows<R extends SessionReads>(reads: R): Promise<R & SessionFindings> {
    const { store, server } = this.#deps;
    return { ...reads, stored: await store.rows(server, sessionsOfInterest(this.#state, reads, this.#rules)) };
  }

  /** The new state counts once it has been stored. */
  async #apply(observation: Observation): Promise<void> {
    const step = observe(this.#state, observation, this.#rules);
    await commitStep(this.#deps, step, 'sessions' in observation ? observation : { sessions: [], startedAt: 0n });
    this.#state = step.state;
    this.#next = step.next;
  }

  /** Runs a poll and reports it. `failed` applies the error. */
  async #report(
    work: () => Promise<SessionReads>,
    failed: (error: ExporterError) => Promise<void>,
  ): Promise<DiscoveryReport> {
    const { clock, polled, wake, feed } = this.#deps;
    const startedMs = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - startedMs) / 1000;
    let report: DiscoveryReport;
    try {
      const { sessions, rejects } = await work();
      const result = rejects.length === 0 ? 'complete' : 'partial';
      report = { result, error: undefined, seconds: seconds(), listed: sessions.length, rejects };
    } catch (thrown) {
      const error = toExporterError(thrown);
      await failed(error);
      report = { result: 'failed', error, seconds: seconds(), listed: 0, rejects: [] };
    }
    polled(report, [...this.#state.open.values()]);
    if (report.error === undefined) wake();
    feed(statusOf(this.#state.feed));
    return report;
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }
}
