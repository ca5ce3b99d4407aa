import type { Clock } from '../kernel/clock.js';
import type { DiscoveryReport } from '../discovery/scheduler.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Log, LogFields } from '../kernel/log.js';
import type { DroppedRecords, SinkName } from '../pipeline/ports.js';
import type { Correction } from '../pipeline/batch-builder.js';
import type { DeliveryReport, Sample } from '../pipeline/sink-worker.js';
import type { InstallationChange } from './installation.js';
import type { ServerObserver } from './observer.js';

/** Logs what happens with one server: each poll and delivery at debug, each change of state once, a failure every hour. */
export function logObserver(log: Log, clock: FailureClock): ServerObserver {
  const poll = failureLog(log, clock, 'Poll');
  const feed = failureLog(log, clock, 'Change feed');
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
      logFindingsOfPoll(log, report);
      poll(error, {});
    },
    feed: ({ active, error }) => {
      if (active || error !== undefined) feed(error, { fallback: active ? undefined : 'polling' });
    },
    delivered: (sink, report) => {
      if (report.taken > 0 || report.errors.length > 0)
        log.debug('Delivery completed', { sink, taken: report.taken, due: report.due });
      logFindings(log, sink, report);
      // Every sink reads the same sessions; the counters of these findings are those of the metrics sink.
      if (sink === 'metrics') logFindingsOfServer(log, sink, report);
      const delivery = sinks.get(sink) ?? failureLog(log, clock, 'Delivery');
      sinks.set(sink, delivery);
      const { statusCode: status, answer } = report.errors[0]?.details ?? {};
      delivery(report.errors[0], { sink, status, answer });
    },
  };
}

const installationMessages: Readonly<Partial<Record<InstallationChange, string>>> = {
  renamed: 'Installation was known under another name; continuing from its cursors, counters start at 0',
  replaced: 'Server is now another installation; its history is not counted, the old cursors are archived',
  returned: 'Server is an installation that was known before; continuing from its cursors',
};

/** Lines for each kind of finding in one poll or delivery. */
const maxLines = 10;

function logFindingsOfPoll(log: Log, { rejects, missed }: DiscoveryReport): void {
  for (const error of rejects.slice(0, maxLines)) log.warn('Session could not be read, will retry', { error });
  if (rejects.length > maxLines) log.warn('Sessions that could not be read', { count: rejects.length });
  for (const session of missed.slice(0, maxLines))
    log.warn('Session was not reported by the change feed, found by a list', { session });
  if (missed.length > maxLines) log.warn('Sessions not reported by the change feed', { count: missed.length });
}

/** Names the first few events and sessions of each kind, and says how many there were if there are more. */
function logFindings(log: Log, sink: SinkName, { rejected, deadLetters, dropped }: DeliveryReport): void {
  for (const { session, order, id, reason } of rejected.first)
    log.warn('Event rejected, skipping', { sink, session, order, event: known(id), reason });
  logTotal(log, 'Events rejected', sink, rejected);
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

type FailureClock = Pick<Clock, 'now' | 'monotonic'>;

/** How often a failure that lasts is logged. */
const repeatMs = 3_600_000;

/**
 * Logs a failure when it begins or changes, every hour with its beginning while it lasts, and its end. Stopping is no
 * failure.
 */
export function failureLog(
  log: Log,
  clock: FailureClock,
  what: string,
  failed = `${what} failed, will retry`,
): FailureLog {
  let last: Readonly<{ message: string; since: string; loggedMs: number }> | undefined;
  const ended = (fields: LogFields): void => {
    if (last !== undefined) log.info(`${what} recovered`, fields);
    last = undefined;
  };
  const lasts = (error: ExporterError, fields: LogFields): void => {
    const { reason, message } = error;
    const loggedMs = clock.monotonic();
    const same = last?.message === message ? last : undefined;
    if (same !== undefined && loggedMs - same.loggedMs < repeatMs) return;
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
