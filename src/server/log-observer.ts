import type { ExporterError } from '../kernel/errors.js';
import type { Log, LogFields } from '../kernel/log.js';
import type { SinkName } from '../pipeline/ports.js';
import type { DeliveryReport, Sample } from '../pipeline/sink-worker.js';
import type { InstallationChange } from './installation.js';
import type { ServerObserver } from './observer.js';

/** Logs what happens with one server: each poll and delivery at debug, each change of state once. */
export function logObserver(log: Log): ServerObserver {
  const poll = failureLog(log, 'Poll');
  const feed = failureLog(log, 'Change feed');
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
    discovered: ({ result, error, seconds, listed, rejects }, open) => {
      log.debug('Poll completed', { result, seconds, listed, open: open.length });
      if (rejects.length > 0) log.warn('Sessions could not be read', { count: rejects.length, first: rejects[0] });
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
      const delivery = sinks.get(sink) ?? failureLog(log, 'Delivery');
      sinks.set(sink, delivery);
      delivery(report.errors[0], { sink });
    },
  };
}

const installationMessages: Readonly<Partial<Record<InstallationChange, string>>> = {
  renamed: 'Installation was known under another name; continuing from its cursors, counters start at 0',
  replaced: 'Server is now another installation; its history is not counted, the old cursors are archived',
  returned: 'Server is an installation that was known before; continuing from its cursors',
};

/** Names the first few events and sessions of each kind, and says how many there were if there are more. */
function logFindings(log: Log, sink: SinkName, { rejected, corrected, deadLetters }: DeliveryReport): void {
  for (const { session, order, id, reason } of rejected.first)
    log.warn('Event rejected, skipping', { sink, session, order, event: known(id), reason });
  logTotal(log, 'Events rejected', sink, rejected);
  for (const { session, events } of corrected.first)
    log.warn('Events changed status after they were counted; counters stay', { sink, session, events });
  logTotal(log, 'Sessions with events that changed status', sink, corrected);
  for (const { session, event, reason } of deadLetters.first)
    log.warn('Record refused by the receiver, skipping', { sink, session, event: known(event), reason });
  logTotal(log, 'Records refused by the receiver', sink, deadLetters);
}

function logFindingsOfServer(log: Log, sink: SinkName, { abandoned, unknown }: DeliveryReport): void {
  for (const { session, events, orders } of abandoned.first)
    log.warn('Events never became final, giving up', { sink, session, events, orders: known(orders) });
  logTotal(log, 'Sessions with events that never became final', sink, abandoned);
  for (const { session, order, field, value } of unknown.first)
    log.warn('Unknown value, counted as other', { sink, session, order, field, value });
  logTotal(log, 'Unknown values', sink, unknown);
}

/** A field without a value is left out. */
const known = (value: string): string | undefined => (value === '' ? undefined : value);

function logTotal(log: Log, message: string, sink: SinkName, { count, first }: Sample<unknown>): void {
  if (count > first.length) log.warn(message, { sink, count });
}

type FailureLog = (error: ExporterError | undefined, fields: LogFields) => void;

/** Logs a failure when it begins or changes, and its end; nothing while it lasts. Stopping is no failure. */
function failureLog(log: Log, what: string): FailureLog {
  let last = '';
  return (error, fields) => {
    if (error?.reason === 'aborted') return;
    const message = error?.message ?? '';
    if (message === last) return;
    last = message;
    if (error === undefined) log.info(`${what} recovered`, fields);
    else log.warn(`${what} failed, will retry`, { ...fields, reason: error.reason, error: message, ...stackOf(error) });
  };
}

/** Only unexpected errors need a stack. */
const stackOf = (error: ExporterError): LogFields =>
  error.reason === 'bug' && error.cause instanceof Error ? { stack: error.cause.stack } : {};
