import type { ExporterError } from '../kernel/errors.js';
import type { Log, LogFields } from '../kernel/log.js';
import type { InstallationChange } from './installation.js';
import type { DeliveryReport } from '../pipeline/sink-worker.js';
import type { ServerObserver } from './run.js';
import type { SinkName } from '../pipeline/ports.js';

/** Tells our own log how a line is doing: every turn at debug, every change of state once. */
export function logObserver(log: Log): ServerObserver {
  const server = stateOf(log);
  const feed = stateOf(log);
  const sinks = new Map<SinkName, State>();
  return {
    installationChanged: change => {
      const words = arrivals[change];
      if (words !== '') log.warn(words);
    },
    met: ({ apiVersion, version }) => {
      log.info('Reached the server', { api_version: apiVersion, version: version === '' ? undefined : version });
    },
    discovered: ({ result, error, seconds, listed, rejects }, open) => {
      log.debug('Turn of discovery ended', { result, seconds, listed, open: open.length });
      if (rejects.length > 0) log.warn('Set sessions of the list aside', { count: rejects.length, first: rejects[0] });
      server.now(error, 'Reading from the server', {});
    },
    feed: state => {
      if (state.active || state.error !== undefined)
        feed.now(state.error, 'Following the change feed', { instead: state.active ? undefined : 'polling' });
    },
    delivered: (sink, report) => {
      if (report.taken > 0 || report.errors.length > 0)
        log.debug('Turn of a sink ended', { sink, taken: report.taken, due: report.due });
      sayCorrections(log, sink, report);
      saySetAside(log, sink, report);
      const state = sinks.get(sink) ?? stateOf(log);
      sinks.set(sink, state);
      state.now(report.errors[0], 'Delivering', { sink });
    },
  };
}

/** What it means that a server is not, or no longer, the installation that was known under its name. */
const arrivals: Readonly<Record<InstallationChange, string>> = {
  same: '',
  found: 'This installation was known under another name before; going on where that ended, counters begin at 0',
  another: 'The server has become another installation; its history is not counted, what was known is put aside',
  back: 'The server has become an installation that was known before; going on where that ended',
};

function sayCorrections(log: Log, sink: SinkName, { corrections }: DeliveryReport): void {
  if (corrections === 0) return;
  log.warn('Events changed their status after they had been counted; counters stay', { sink, events: corrections });
}

/** So many records a turn are named; the state file has them all. */
const mostNamed = 10;

function saySetAside(log: Log, sink: SinkName, { deadLetters = [] }: DeliveryReport): void {
  for (const { session, event, reason } of deadLetters.slice(0, mostNamed))
    log.warn('Set a record aside that the receiver refuses', {
      sink,
      session,
      event: event === '' ? undefined : event,
      reason,
    });
  if (deadLetters.length > mostNamed)
    log.warn('Set more records aside that the receiver refuses', { sink, count: deadLetters.length - mostNamed });
}

type State = Readonly<{ now: (error: ExporterError | undefined, what: string, fields: LogFields) => void }>;

/** Says a failure when it begins or changes, and the end of it; not what lasts. Stopping is no failure. */
function stateOf(log: Log): State {
  let last = '';
  return {
    now: (error, what, fields) => {
      if (error?.reason === 'aborted') return;
      const state = error?.message ?? '';
      if (state === last) return;
      last = state;
      if (error === undefined) log.info(`${what} works again`, fields);
      else log.warn(`${what} failed`, { ...fields, reason: error.reason, error: error.message, ...stackOf(error) });
    },
  };
}

/** Only what we did not foresee needs a stack. */
const stackOf = (error: ExporterError): LogFields =>
  error.reason === 'bug' && error.cause instanceof Error ? { stack: error.cause.stack } : {};
