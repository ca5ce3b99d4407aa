import type { Clock } from '../kernel/clock.js';
import type { DiscoveryReport } from '../discovery/scheduler.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Log, LogFields } from '../kernel/log.js';
import type { DroppedRecords, RejectedEvent, SinkName } from '../pipeline/ports.js';
import type { Correction } from '../pipeline/batch-builder.js';
import type { DeliveryReport, Sample } from '../pipeline/delivery-report.js';
import type { InstallationChange } from './installation.js';
import type { ServerObserver } from './observer.js';

/**
 * Logs what happens with one server: each poll and delivery at debug, each change of state once, a failure every hour.
 * Faults cause at most six lines a minute, however often they come and go: two each about polls, sessions and deliveries.
 */
export function logObserver(log: Log, clock: FailureClock): ServerObserver {
  const [polls, sessions, deliveries] = [lineBudget(clock), lineBudget(clock), lineBudget(clock)];
  const poll = failureLog(log, clock, { ...words.poll, budget: polls });
  const feed = failureLog(log, clock, { ...words.feed, budget: polls });
  const logUnlisted = unlistedLog(log, polls);
  const warnOfSession = linesWithin(log, sessions);
  const logLate = lateLog(warnOfSession, clock);
  const logRejected = rejectedLog(log, clock);
  const logUnread = unreadLog(warnOfSession);
  const sinks = new Map<SinkName, FailureLog>();
  let lastInstance = '';
  return {
    installationChanged: change => {
      const message = installationMessages[change];
      if (message !== undefined) log.warn(message);
    },
    identified: ({ apiVersion, version }) => {
      const instance = `${apiVersion} ${version}`;
      if (instance === lastInstance) return;
      lastInstance = instance;
      log.info('Connected to server', { api_version: apiVersion, version: known(version) });
    },
    discovered: (report, open) => {
      const { result, error, seconds, listed } = report;
      log.debug('Poll completed', { result, seconds, listed, open: open.length });
      logUnlisted(report.rejects);
      logLate(report.late);
      logMissed(log, report.missed);
      logDeleted(log, report.deleted);
      poll(error, { side: sideOf(error, 'source') });
    },
    feed: ({ active, error }) => {
      if (active || error !== undefined) feed(error, { side: 'source', fallback: active ? undefined : 'polling' });
    },
    delivered: (sink, report) => {
      if (report.taken > 0 || report.errors.length > 0)
        log.debug('Delivery completed', { sink, taken: report.taken, due: report.due });
      logRejected(sink, report.rejected);
      logFindings(log, sink, report);
      // Every sink reads the same sessions; the counters of these findings are those of the metrics sink.
      if (sink === 'metrics') logFindingsOfServer(log, sink, report);
      logLate(report.late, sink);
      logUnread(sink, report);
      const delivery = sinks.get(sink) ?? failureLog(log, clock, { ...words.delivery, budget: deliveries });
      sinks.set(sink, delivery);
      const [error] = report.undelivered;
      const { statusCode: status, answer } = error?.details ?? {};
      delivery(error, { side: error && sideOf(error, 'receiver'), sink, status, answer });
    },
  };
}

const words = {
  poll: { failed: 'Poll failed, will retry', recovered: 'Poll recovered' },
  feed: { failed: 'Change feed failed, will retry', recovered: 'Change feed recovered' },
  delivery: { failed: 'Delivery failed, will retry', recovered: 'Delivery recovered' },
} as const;

/** Which side has failed: the state file, or the other side of the connection. */
const sideOf = (error: ExporterError | undefined, other: 'source' | 'receiver'): string =>
  error?.reason === 'store' ? 'state' : other;

const installationMessages: Readonly<Partial<Record<InstallationChange, string>>> = {
  renamed: 'Installation was known under another name; continuing from its cursors, counters start at 0',
  replaced: 'Server is now another installation; its history is not counted, the old cursors are archived',
  returned: 'Server is an installation that was known before; continuing from its cursors',
};

/** Lines for each kind of finding in one poll or delivery. */
const maxLines = 10;

/** Names sessions that a poll could not read, within a budget: it may be so at every poll. */
function unlistedLog(log: Log, budget: LineBudget) {
  const warn = linesWithin(log, budget);
  return (rejects: DiscoveryReport['rejects']): void => {
    if (rejects.length === 0) return;
    const error = rejects.slice(0, maxLines).join('; ');
    warn('Sessions could not be read, will retry', { side: 'source', count: rejects.length, error });
  };
}

function logMissed(log: Log, missed: DiscoveryReport['missed']): void {
  for (const session of missed.slice(0, maxLines))
    log.warn('Session was not reported by the change feed, found by a list', { session, reason: 'feed_gap' });
  if (missed.length > maxLines) log.warn('Sessions not reported by the change feed', { count: missed.length });
}

function logDeleted(log: Log, deleted: DiscoveryReport['deleted']): void {
  for (const session of deleted.slice(0, maxLines))
    log.warn('Restore session was deleted on the server within a week', { session, reason: 'deleted_early' });
  if (deleted.length > maxLines) log.warn('Restore sessions deleted on the server', { count: deleted.length });
}

const newsAgainMs = 600_000;

/** Of what one sink reports, what none of them has reported for ten minutes: they read the same sessions. */
function onceForSinks<Fact>({ monotonic }: FailureClock): (facts: readonly Fact[]) => readonly Fact[] {
  const reported = new Map<string, number>();
  return facts => {
    for (const [key, atMs] of reported) if (monotonic() - atMs >= newsAgainMs) reported.delete(key);
    const news = facts.filter(fact => !reported.has(JSON.stringify(fact)));
    for (const fact of news) reported.set(JSON.stringify(fact), monotonic());
    return news;
  };
}

function rejectedLog(log: Log, clock: FailureClock) {
  const newsIn = onceForSinks<RejectedEvent>(clock);
  return (sink: SinkName, rejected: Sample<RejectedEvent>): void => {
    const news = newsIn(rejected.first);
    for (const { session, order, id, reason } of news)
      log.warn('Event rejected, skipping', { sink, session, order, event: known(id), reason });
    if (news.length > 0) logTotal(log, 'Events rejected', sink, rejected);
  };
}

/** Names the first few records and requests of each kind, and says how many there were if there are more. */
function logFindings(log: Log, sink: SinkName, { deadLetters, dropped }: DeliveryReport): void {
  for (const { session, event, reason, answer } of deadLetters.first)
    log.warn('Record refused by the receiver, skipping', { sink, session, event: known(event), reason, answer });
  logTotal(log, 'Records refused by the receiver', sink, deadLetters);
  for (const one of dropped.first) log.warn('Receiver dropped records without naming them', droppedFields(sink, one));
  logTotal(log, 'Requests of which the receiver dropped records', sink, dropped);
}

function logFindingsOfServer(log: Log, sink: SinkName, { corrected, abandoned, unknown }: DeliveryReport): void {
  for (const correction of corrected.first)
    log.warn('Event changed its status after it was counted', { sink, ...correctionFields(correction) });
  logTotal(log, 'Events that changed their status', sink, corrected);
  for (const { session, events, orders, reason } of abandoned.first)
    log.warn('Events never became final, giving up', { sink, session, events, orders, reason });
  logTotal(log, 'Sessions with events that never became final', sink, abandoned);
  for (const { session, order, field, value } of unknown.first)
    log.warn('Unknown value, counted as other', { sink, session, order, field, value: value.slice(0, 64) });
  logTotal(log, 'Unknown values', sink, unknown);
}

const droppedFields = (sink: SinkName, { dropped, sent, sessions, answer }: DroppedRecords): LogFields => ({
  sink,
  sessions: sessions.slice(0, maxLines).join(','),
  dropped,
  sent,
  reason: 'partial_success',
  answer: known(answer),
});

const correctionFields = ({ session, events, event }: Correction): LogFields =>
  event === undefined
    ? { session, events }
    : { session, order: event.order, event: known(event.id), was: event.was, status: event.status };

/** A field without a value is left out. */
const known = (value: string): string | undefined => (value === '' ? undefined : value);

function logTotal(log: Log, message: string, sink: SinkName, { count, first }: Sample<unknown>): void {
  if (count > first.length) log.warn(message, { sink, count });
}

type FailureLog = (error: ExporterError | undefined, fields: LogFields) => void;

/** Whether one more line may be written; allows two a minute. */
type LineBudget = () => boolean;

const linesPerMinute = 2;

function lineBudget({ monotonic }: Pick<Clock, 'monotonic'>): LineBudget {
  let written: readonly number[] = [];
  return () => {
    written = written.filter(atMs => monotonic() - atMs < 60_000);
    if (written.length >= linesPerMinute) return false;
    written = [...written, monotonic()];
    return true;
  };
}

type WarnWithin = (message: string, fields: LogFields) => void;

/** Warns while the budget lasts; the next line says how many were omitted. */
function linesWithin(log: Log, budget: LineBudget): WarnWithin {
  let omitted = 0;
  return (message, fields) => {
    if (!budget()) return void (omitted += 1);
    log.warn(message, { ...fields, omitted: omitted === 0 ? undefined : omitted });
    omitted = 0;
  };
}

/** Logs sessions that have not answered yet. */
function lateLog(warn: WarnWithin, clock: FailureClock) {
  const newsIn = onceForSinks<string>(clock);
  return (late: readonly string[], sink?: SinkName): void => {
    for (const session of newsIn(late))
      warn('No response for restore session after 10 s', { side: 'source', sink, session });
  };
}

/** Logs sessions that could not be read. Sinks share pages, and so their failures. */
function unreadLog(warn: WarnWithin) {
  const logged = new WeakSet<ExporterError>();
  return (sink: SinkName, { unread }: Pick<DeliveryReport, 'unread'>): void => {
    for (const { session, error, ofServer } of unread) {
      if (error.reason === 'aborted' || logged.has(error)) continue;
      logged.add(error);
      const message = ofServer
        ? 'Reading sessions failed, will retry'
        : 'Restore session could not be read, will retry';
      warn(message, { side: 'source', sink, session, reason: error.reason, error: error.message, ...stackOf(error) });
    }
  };
}

type FailureClock = Pick<Clock, 'now' | 'monotonic'>;

/** How often a failure that lasts is logged. */
const repeatMs = 3_600_000;

type FailureWords = Readonly<{ failed: string; recovered: string; budget?: LineBudget }>;

/**
 * Logs a failure when it begins or changes, every hour while it lasts, and when it ends. `aborted` is not a failure. What
 * the budget does not allow is logged with the next report, if it is still true.
 */
export function failureLog(
  log: Log,
  clock: FailureClock,
  { failed, recovered, budget = () => true }: FailureWords,
): FailureLog {
  let last: Readonly<{ message: string; since: string; loggedMs: number }> | undefined;
  const ended = (fields: LogFields): void => {
    if (last === undefined || !budget()) return;
    log.info(recovered, fields);
    last = undefined;
  };
  const lasts = (error: ExporterError, fields: LogFields): void => {
    const { reason, message } = error;
    const loggedMs = clock.monotonic();
    const same = last?.message === message ? last : undefined;
    if (same !== undefined && loggedMs - same.loggedMs < repeatMs) return;
    if (!budget()) return;
    log.warn(failed, { ...fields, reason, error: message, since: same?.since, ...stackOf(error) });
    last = { message, since: last?.since ?? new Date(clock.now()).toISOString(), loggedMs };
  };
  return (error, fields) => {
    if (error === undefined) ended(fields);
    else if (error.reason !== 'aborted') lasts(error, fields);
  };
}

/** Only unexpected errors need a stack. */
const stackOf = (error: ExporterError): LogFields =>
  error.reason === 'bug' && error.cause instanceof Error ? { stack: error.cause.stack } : {};
