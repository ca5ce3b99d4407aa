import { type Clock, nextTurn, type Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { linkAbort } from '../kernel/linked-abort.js';
import { createNotify } from '../kernel/notify.js';
import type { Session } from '../model/session.js';
import { type Backlog, entryOf } from '../pipeline/backlog.js';
import type { CursorRow, ServedSeries, ServerState, SinkName, Source, Store } from '../pipeline/ports.js';
import type { SinkWorker } from '../pipeline/sink-worker.js';
import { type FeedResult, type FeedStatus, needsToken, positionOf, statusOf } from './feed-state.js';
import { readSessions, scanList } from './list-scan.js';
import { checkKept, idsOfInterest, sessionsOfInterest } from './interest.js';
import { type DiscoveryStep, nextReads, observe, sessionsToRead, type SinkWake } from './observe.js';
import { ReadsById, type ReadsByIdDeps } from './reads-by-id.js';
import {
  type DiscoveryEvent,
  type DiscoveryRules,
  type DiscoveryState,
  initialState,
  type ReadEvent,
} from './state.js';

export type DiscoveryDeps = Omit<DiscoveryRules, 'sinks' | 'series'> &
  Pick<SinkWorker, 'server' | 'sessionCache' | 'pageCache'> &
  Pick<ReadsByIdDeps, 'lateAfterMs'> &
  Readonly<{
    source: Pick<Source, 'now' | 'sessions' | 'session' | 'changes'>;
    store: Pick<Store, 'rows' | 'commit'>;
    series: Omit<ServedSeries, 'replacedDeltas'>;
    backlogs: ReadonlyMap<SinkName, Backlog>;
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
  /** Without the feed's long poll; a list poll that asks for the end of the feed includes that request (it waits 1 s at most). */
  seconds: number;
  /** Sessions of interest that were read, by a list or because the feed reported them. */
  listed: number;
  /** What could not be decoded or read, one line each. */
  rejects: readonly string[];
  /** Sessions whose answer has been missing for 10 s, each once. */
  late: readonly string[];
  /** Sessions that the feed did not report; a list has found them. */
  missed: readonly string[];
  /** Sessions that the server has deleted before its retention may do so. */
  deleted: readonly string[];
}>;

/** Sessions that are taken in at once: more would block the event loop, and make a large transaction. */
const partSize = 500;

/** What a poll reports that has read nothing. */
export const nothingRead = { listed: 0, rejects: [], late: [], missed: [], deleted: [] } as const;

type FeedReply = Readonly<{ answer: FeedResult; askedMs: number }>;

/** Finds the sessions of one server that its sinks have to read. */
export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #rules: DiscoveryRules;
  /** A session that the feed reported has answered late. */
  readonly #lateAnswer = createNotify();
  readonly #reported: ReadsById;
  readonly #unlisted: ReadsById;
  #state: DiscoveryState;
  #next: DiscoveryStep['next'];

  constructor(deps: DiscoveryDeps, stored: ServerState) {
    this.#deps = deps;
    this.#reported = new ReadsById(deps, () => this.#lateAnswer.notify());
    this.#unlisted = new ReadsById(deps);
    this.#rules = { ...deps, sinks: [...deps.backlogs.keys()] };
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
      if (this.#next.feed.atMs <= this.#now()) outstanding ??= this.#askFeed(quit);
      const reply = await this.#replyOrDue(outstanding, quit);
      if (reply !== undefined) outstanding = undefined;
      if (reply !== undefined && !quit.aborted) await this.#wakingSinks(quit, async () => this.#take(reply, quit));
      if (!quit.aborted) await this.#askAgain(quit);
      if (!quit.aborted) await this.#poll(quit);
    }
    await outstanding;
  }

  /** Polls, if that is due. */
  async #poll(quit: AbortSignal): Promise<void> {
    if (this.#next.poll.atMs > this.#now()) return;
    if (this.#next.poll.reads === 'list') await this.#wakingSinks(quit, async () => this.list(quit));
    else await this.#apply({ kind: 'interval passed' });
  }

  /** Reads open sessions at their interval while a poll is late. Not a rule of `observe`: there is nothing to observe yet. */
  async #wakingSinks(quit: AbortSignal, poll: () => Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const unlink = linkAbort(over, [quit]);
    const waking = this.#wakeUntil(over.signal);
    await poll().finally(() => over.abort());
    unlink();
    await waking;
  }

  async #wakeUntil(over: AbortSignal): Promise<void> {
    const { clock, schedule, backlogs, pageCache, wake } = this.#deps;
    for (;;) {
      await clock.sleep(schedule.openMs, over).catch(() => undefined);
      if (over.aborted) return;
      if (this.#state.watermark === undefined) continue;
      for (const backlog of backlogs.values()) backlog.wake();
      pageCache.invalidate();
      wake();
    }
  }

  /** Polls by a list, whether it is due or not. Never rejects. */
  async list(signal: AbortSignal): Promise<DiscoveryReport> {
    const startedMs = this.#now();
    let feedEnd: FeedResult | undefined;
    const read = async (): Promise<ReadEvent> => {
      // Before the list: what changes while the list is read comes behind this token.
      if (needsToken(this.#state.feed, startedMs)) feedEnd = (await this.#askFeed(signal)).answer;
      const { source, store, server } = this.#deps;
      const rows = async (ids: readonly string[]) => store.rows(server, ids);
      const isKept = sessionsOfInterest(this.#state, this.#rules, { now: () => source.now(), rows });
      const reads = await scanList({ ...this.#deps, byId: this.#unlisted, isKept }, this.#state, signal);
      return { kind: 'listed', ...reads, startedMs, feedEnd };
    };
    return this.#report(read, error => ({ kind: 'list failed', error, startedMs, feedEnd }));
  }

  /** Asks the feed what has changed and waits for it. Never rejects. */
  async #askFeed(signal: AbortSignal): Promise<FeedReply> {
    const { source, random } = this.#deps;
    const askedMs = this.#now();
    try {
      return { answer: await source.changes(positionOf(this.#state.feed), signal), askedMs };
    } catch (thrown) {
      const ranMs = this.#now() - askedMs;
      return { answer: { kind: 'failed', error: toExporterError(thrown), ranMs, jitter: random() }, askedMs };
    }
  }

  /** While the feed is not followed, lists find the sessions that are unread. */
  #unreadDueMs(): number {
    return this.#state.feed.kind === 'following' ? this.#reported.dueMs(this.#state.unread) : Infinity;
  }

  /** Resolves with the feed's reply, or with undefined when something is due before that, or a late answer has come. */
  async #replyOrDue(outstanding: Promise<FeedReply> | undefined, quit: AbortSignal): Promise<FeedReply | undefined> {
    const { poll, feed } = this.#next;
    const dueMs = Math.min(poll.atMs, outstanding === undefined ? feed.atMs : Infinity, this.#unreadDueMs());
    const over = new AbortController();
    const unlink = linkAbort(over, [quit]);
    const rest = async (restMs: number): Promise<undefined> => {
      if (restMs > 0) await this.#deps.clock.sleep(restMs, over.signal).catch(() => undefined);
    };
    const answered = this.#lateAnswer.wait(over.signal).catch(() => undefined);
    const due = Promise.race([rest(dueMs - this.#now()), answered]).then(() => undefined);
    const reply = await Promise.race(outstanding === undefined ? [due] : [outstanding, due]);
    over.abort();
    unlink();
    return reply;
  }

  async #take({ answer, askedMs }: FeedReply, quit: AbortSignal): Promise<void> {
    const { source, feed } = this.#deps;
    if (answer.kind !== 'changes') {
      await this.#apply({ kind: 'feed unavailable', why: answer });
      feed(statusOf(this.#state.feed));
      return;
    }
    this.#reported.outdate(answer.updated.keys());
    const read = async (): Promise<ReadEvent> => {
      const reads = await readSessions({ source, byId: this.#reported }, sessionsToRead(this.#state, answer), quit);
      return { kind: 'changes read', ...reads, changes: answer, askedMs };
    };
    await this.#report(read, error => this.#feedFailed(error));
  }

  /** Asks for the sessions that are unread, if that is due. */
  async #askAgain(quit: AbortSignal): Promise<void> {
    if (this.#unreadDueMs() > this.#now()) return;
    const read = async (): Promise<ReadEvent> => {
      return { kind: 'unread asked again', ...(await this.#reported.read([...this.#state.unread], quit)) };
    };
    await this.#wakingSinks(quit, async () => this.#report(read, error => this.#feedFailed(error)));
  }

  #feedFailed(error: ExporterError): DiscoveryEvent {
    return { kind: 'feed unavailable', why: { kind: 'failed', error, ranMs: 0, jitter: this.#deps.random() } };
  }

  /**
   * Stores what an event changes, adopts the state after that, and wakes the sinks. Resolves with the step's findings.
   * @throws {ExporterError} `store`; nothing has changed then.
   */
  async #apply(event: DiscoveryEvent): Promise<Pick<DiscoveryReport, 'missed' | 'deleted'>> {
    const { store, server, series } = this.#deps;
    const ids = 'sessions' in event ? idsOfInterest(this.#state, event, this.#rules) : undefined;
    const stored = ids === undefined ? [] : await store.rows(server, ids);
    const step = observe(this.#state, { ...event, stored, atMs: this.#now() }, this.#rules);
    if (ids !== undefined) checkKept(step.state, this.#unfinishedWith(step.commit));
    if (step.commit !== undefined) {
      await store.commit({ server, ...step.commit });
      series.apply(step.commit.deltas);
    }
    this.#state = step.state;
    this.#next = step.next;
    if (step.wake !== undefined) this.#handOut(event, step.wake, step.commit?.rows ?? []);
    return { missed: step.missed ?? [], deleted: step.deleted ?? [] };
  }

  /** Of the sink that has most. */
  #unfinishedWith({ rows }: Pick<NonNullable<DiscoveryStep['commit']>, 'rows'> = { rows: [] }): number {
    const added = (sink: SinkName): number => rows.filter(row => row.sink === sink).length;
    return Math.max(0, ...[...this.#deps.backlogs].map(([sink, backlog]) => backlog.count() + added(sink)));
  }

  /** As `#apply`. A long list is taken in by parts; a failure undoes none of those before. */
  async #applyRead(event: ReadEvent): Promise<Pick<DiscoveryReport, 'missed' | 'deleted'>> {
    if (event.kind !== 'listed') return this.#apply(event);
    const deleted: string[] = [];
    let { sessions, gone } = event;
    while (sessions.length > partSize) {
      const part = { ...event, kind: 'listed part', sessions: sessions.slice(0, partSize), gone } as const;
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      deleted.push(...(await this.#apply(part)).deleted);
      [sessions, gone] = [sessions.slice(partSize), new Set()];
      // oxlint-disable-next-line no-await-in-loop -- lets others have the event loop
      await nextTurn();
    }
    const last = await this.#apply({ ...event, sessions, gone });
    return { ...last, deleted: [...deleted, ...last.deleted] };
  }

  /** Makes due what the sinks have to read, and caches the sessions that they need for that. */
  #handOut(event: DiscoveryEvent, wake: SinkWake, rows: readonly CursorRow[]): void {
    const { sessions, startedAt } = 'sessions' in event ? event : { sessions: [], startedAt: 0n };
    const { sessionCache, pageCache } = this.#deps;
    const backlogs = [...this.#deps.backlogs.values()];
    const isWanted = ({ id }: Session): boolean => backlogs.some(backlog => backlog.get(id) !== undefined);
    for (const backlog of backlogs) {
      if (wake.open) backlog.wake();
      for (const id of wake.sessions) backlog.requeue(id, startedAt);
    }
    for (const row of rows) this.#deps.backlogs.get(row.sink)?.put(entryOf(row));
    for (const session of sessions.filter(isWanted)) sessionCache.put(session, startedAt);
    pageCache.invalidate();
    this.#deps.wake();
  }

  /** Runs a poll and reports it. */
  async #report(
    read: () => Promise<ReadEvent>,
    failed: (error: ExporterError) => DiscoveryEvent,
  ): Promise<DiscoveryReport> {
    const { polled, feed } = this.#deps;
    const startedMs = this.#now();
    let outcome: Omit<DiscoveryReport, 'seconds'>;
    try {
      const event = await read();
      const found = await this.#applyRead(event);
      const { sessions, rejects } = event;
      const result = rejects.length === 0 ? 'complete' : 'partial';
      outcome = { result, error: undefined, listed: sessions.length, rejects, late: this.#newlyLate(), ...found };
    } catch (thrown) {
      const error = toExporterError(thrown);
      await this.#apply(failed(error));
      outcome = { result: 'failed', error, ...nothingRead, late: this.#newlyLate() };
    }
    const report = { ...outcome, seconds: (this.#now() - startedMs) / 1000 };
    polled(report, [...this.#state.open.values()]);
    feed(statusOf(this.#state.feed));
    return report;
  }

  #newlyLate(): readonly string[] {
    return [...this.#reported.newlyLate(), ...this.#unlisted.newlyLate()];
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }
}
