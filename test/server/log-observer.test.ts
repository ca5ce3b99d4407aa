import { expect, test } from '@jest/globals';
import { ExporterError, toExporterError } from '../../src/kernel/errors.js';
import { createLog, type LogLevel } from '../../src/kernel/log.js';
import type { DiscoveryReport } from '../../src/discovery/scheduler.js';
import { logObserver } from '../../src/server/log-observer.js';
import { fakeClock } from '../support/fake-clock.js';
import { deliveryReport as report, pollReport, session } from '../support/server-run.js';

/** A log observer, and its lines since the last call of `said`, without the time. */
function observerAt(level: LogLevel = 'info', clock = fakeClock()) {
  const lines: string[] = [];
  const log = createLog({ level, format: 'logfmt', write: line => lines.push(line) });
  const said = (): readonly string[] => lines.splice(0).map(line => line.replace(/^ts=\S+ level=/, '').trimEnd());
  /** Each report a minute after the one before it, so that no line is left out. */
  const minuteLater = async (): Promise<void> => clock.advance(60_000);
  return { observer: logObserver(log, clock), said, minuteLater };
}

const polled = (error?: ExporterError, rest: Partial<DiscoveryReport> = {}) =>
  pollReport({ listed: 3, error, ...rest });
const silent = new ExporterError('network', 'Could not read sessions: nobody answers');
const refused = new ExporterError('auth', 'Could not log in: the password is wrong');
const aborted = new ExporterError('aborted', 'Stopped');

test('logs that the server was reached, with its versions, once', () => {
  const { observer, said } = observerAt();
  observer.identified({ apiVersion: 'v8', version: '8.1', installationId: 'i' });
  observer.identified({ apiVersion: 'v5', version: '', installationId: '' });
  expect(said()).toEqual([
    'info msg="Connected to server" api_version=v8 version=8.1',
    'info msg="Connected to server" api_version=v5',
  ]);
});

test('logs a failure of polls when it begins, when it changes, and when it ends', async () => {
  const { observer, said, minuteLater } = observerAt();
  for (const error of [undefined, silent, silent, refused, refused, undefined, undefined, silent]) {
    observer.discovered(polled(error), []);
    await minuteLater();
  }
  expect(said()).toEqual([
    'warn msg="Poll failed, will retry" side=source reason=network error="Could not read sessions: nobody answers"',
    'warn msg="Poll failed, will retry" side=source reason=auth error="Could not log in: the password is wrong"',
    'info msg="Poll recovered" side=source',
    'warn msg="Poll failed, will retry" side=source reason=network error="Could not read sessions: nobody answers"',
  ]);
});

test('repeats a failure that lasts every hour, with its beginning', async () => {
  const { observer, said, minuteLater } = observerAt('info', fakeClock(Date.parse('2026-11-28T12:00:00Z')));
  const pollFor = async (minutes: number, error?: ExporterError): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      observer.discovered(polled(error), []);
      await minuteLater();
    }
  };
  await pollFor(150, silent);
  await pollFor(1);
  await pollFor(1, silent);
  const failedPoll =
    'warn msg="Poll failed, will retry" side=source reason=network error="Could not read sessions: nobody answers"';
  expect(said()).toEqual([
    failedPoll,
    `${failedPoll} since=2026-11-28T12:00:00.000Z`,
    `${failedPoll} since=2026-11-28T12:00:00.000Z`,
    'info msg="Poll recovered" side=source',
    failedPoll,
  ]);
});

const failed = (...undelivered: readonly ExporterError[]) => report({ undelivered, errors: undelivered });

test('logs what the receiver said to a refused delivery, once, and to a refused record', async () => {
  const { observer, said, minuteLater } = observerAt();
  for (const answer of ['tenant limit reached', 'tenant limit reached again']) {
    const error = new ExporterError('throttled', 'Could not send', { details: { statusCode: 429, answer } });
    observer.delivered('logs', failed(error), 1);
  }
  await minuteLater();
  const letter = { sink: 'logs', session: 's1', event: 'e1', reason: 'refused', answer: 'too old', at: 0n } as const;
  observer.delivered('logs', report({ deadLetters: { count: 1, first: [letter] } }), 1);
  expect(said()).toEqual([
    'warn msg="Delivery failed, will retry" side=receiver sink=logs status=429 answer="tenant limit reached" reason=throttled error="Could not send"',
    'warn msg="Record refused by the receiver, skipping" sink=logs session=s1 event=e1 reason=refused answer="too old"',
    'info msg="Delivery recovered" sink=logs',
  ]);
});

test('logs failures of each sink separately', async () => {
  const { observer, said, minuteLater } = observerAt();
  observer.delivered('logs', failed(silent, refused), 1);
  observer.delivered('metrics', report(), 1);
  observer.delivered('logs', failed(silent), 1);
  observer.delivered('metrics', failed(new ExporterError('store', 'Could not store: disk full')), 1);
  await minuteLater();
  observer.delivered('logs', report(), 1);
  expect(said().map(line => line.replace(/ reason=.*/, ''))).toEqual([
    'warn msg="Delivery failed, will retry" side=receiver sink=logs',
    'warn msg="Delivery failed, will retry" side=state sink=metrics',
    'info msg="Delivery recovered" sink=logs',
  ]);
});

const unreadIn = (id: string, ofServer = false) => {
  const error = new ExporterError('server', 'Could not read restore events: HTTP 500');
  return report({ errors: [error], unread: [{ session: id, error, ofServer }] });
};

test('says which session could not be read, and that it is the source, once for all sinks', () => {
  const { observer, said } = observerAt();
  const unread = unreadIn('s1');
  observer.delivered('metrics', unread, 1);
  observer.delivered('logs', unread, 1);
  for (const sink of ['logs', 'traces'] as const) observer.delivered(sink, report({ late: ['s2'] }), 1);
  expect(said()).toEqual([
    'warn msg="Restore session could not be read, will retry" side=source sink=metrics session=s1 reason=server error="Could not read restore events: HTTP 500"',
    'warn msg="No response for restore session after 10 s" side=source sink=logs session=s2',
  ]);
});

test('writes at most six lines a minute about faults that come and go, and the last state in the end', async () => {
  const { observer, said, minuteLater } = observerAt();
  const perMinute: number[] = [];
  for (let minute = 0; minute < 3; minute += 1) {
    for (let count = 0; count < 50; count += 1) {
      observer.discovered(polled(count % 2 === 0 ? silent : undefined), []);
      observer.delivered('metrics', unreadIn(`s${String(count)}`, count % 10 === 0), 1);
      observer.delivered('logs', report(count % 2 === 0 ? { undelivered: [silent] } : {}), 1);
    }
    perMinute.push(said().length);
    await minuteLater();
  }
  expect(Math.max(...perMinute)).toBeLessThanOrEqual(6);
  observer.discovered(polled(silent), []);
  observer.discovered(polled(undefined), []);
  await minuteLater();
  observer.delivered('metrics', unreadIn('s1'), 1);
  expect(said().slice(-2)).toEqual(['info msg="Poll recovered" side=source', expect.stringContaining('omitted=48')]);
});

test('says that the state file is at fault when a poll could not be stored', () => {
  const { observer, said } = observerAt();
  observer.discovered(polled(new ExporterError('store', 'Could not write the state file')), []);
  expect(said()).toEqual([
    'warn msg="Poll failed, will retry" side=state reason=store error="Could not write the state file"',
  ]);
});

test('does not log a stop as a failure or its end', () => {
  const { observer, said } = observerAt();
  observer.discovered(polled(aborted), []);
  observer.delivered('logs', report({ errors: [aborted] }), 1);
  expect(said()).toEqual([]);
  observer.discovered(polled(silent), []);
  observer.discovered(polled(aborted), []);
  observer.discovered(polled(silent), []);
  expect(said()).toHaveLength(1);
});

test('logs an unexpected error with its stack, on one line', () => {
  const { observer, said } = observerAt();
  observer.discovered(polled(toExporterError(new TypeError('x is undefined'))), []);
  const [line = ''] = said();
  expect(line).toContain('reason=bug error="x is undefined" stack="TypeError: x is undefined\\n    at ');
  expect(line).not.toContain('\n');
});

test('names the session that does not answer a poll, and in one line ten of those that could not be read', () => {
  const { observer, said } = observerAt();
  const rejects = Array.from({ length: 12 }, (_, entry) => `entry ${String(entry)}: no id`);
  observer.discovered(polled(undefined, { rejects, late: ['s3'] }), []);
  const [line, ...others] = said();
  expect(others).toEqual(['warn msg="No response for restore session after 10 s" side=source session=s3']);
  expect(line).toBe(
    `warn msg="Sessions could not be read, will retry" side=source count=12 error="${rejects.slice(0, 10).join('; ')}"`,
  );
});

const sample = <Item>(first: readonly Item[], count = first.length) => ({ count, first });

test('Says so: names each rejected event by session, order and reason, once for all sinks', () => {
  const { observer, said } = observerAt();
  const rejected = sample([
    { session: 's1', order: 17, id: 'e17', reason: 'no_status' as const },
    { session: 's2', order: 0, id: '', reason: 'no_id' as const },
  ]);
  for (const sink of ['logs', 'metrics', 'traces'] as const) observer.delivered(sink, report({ rejected }), 1);
  expect(said()).toEqual([
    'warn msg="Event rejected, skipping" sink=logs session=s1 order=17 event=e17 reason=no_status',
    'warn msg="Event rejected, skipping" sink=logs session=s2 order=0 reason=no_id',
  ]);
});

test('Says so: names each event that changed after it was counted, once for all sinks', () => {
  const { observer, said } = observerAt();
  const change = { order: 3, id: 'e3', was: 'Failed', status: 'Success' } as const;
  const corrected = sample([
    { session: 's1', events: 1, event: change },
    { session: 's2', events: 2 },
  ]);
  for (const sink of ['metrics', 'logs'] as const) observer.delivered(sink, report({ corrected }), 1);
  expect(said()).toEqual([
    'warn msg="Event changed its status after it was counted" sink=metrics session=s1 order=3 event=e3 was=Failed status=Success',
    'warn msg="Event changed its status after it was counted" sink=metrics session=s2 events=2',
  ]);
});

test('Says so: names the sessions of which the receiver dropped records', () => {
  const { observer, said } = observerAt();
  const dropped = sample([{ dropped: 2, sent: 5, sessions: ['s1', 's2'], answer: 'too old' }]);
  observer.delivered('logs', report({ dropped }), 1);
  expect(said()).toEqual([
    'warn msg="Receiver dropped records without naming them" sink=logs sessions=s1,s2 dropped=2 sent=5 reason=partial_success answer="too old"',
  ]);
});

test('Says so: names the sessions with events that never became final, once for all sinks', () => {
  const { observer, said } = observerAt();
  const abandoned = sample([{ session: 's1', events: 4, orders: '3-5,9', reason: 'missing' as const }], 12);
  for (const sink of ['metrics', 'logs'] as const) observer.delivered(sink, report({ abandoned }), 1);
  expect(said()).toEqual([
    'warn msg="Events never became final, giving up" sink=metrics session=s1 events=4 orders=3-5,9 reason=missing',
    'warn msg="Sessions with events that never became final" sink=metrics count=12',
  ]);
});

test('Says so: names each unknown value by session and order', () => {
  const { observer, said } = observerAt();
  const unknown = sample([
    { session: 's1', order: 3, field: 'status', value: 'Paused' } as const,
    { session: 's2', order: undefined, field: 'result', value: 'Partial' } as const,
  ]);
  observer.delivered('metrics', report({ unknown }), 1);
  expect(said()).toEqual([
    'warn msg="Unknown value, counted as other" sink=metrics session=s1 order=3 field=status value=Paused',
    'warn msg="Unknown value, counted as other" sink=metrics session=s2 field=result value=Partial',
  ]);
});

test('Says so: names each refused record by session and event', () => {
  const { observer, said } = observerAt();
  const refusedOne = { sink: 'logs', session: 's1', reason: 'refused', at: 0n } as const;
  const refusedTwice = sample(['', 'e1'].map(id => ({ ...refusedOne, event: id })));
  observer.delivered('logs', report({ deadLetters: refusedTwice }), 1);
  expect(said()).toEqual([
    'warn msg="Record refused by the receiver, skipping" sink=logs session=s1 reason=refused',
    'warn msg="Record refused by the receiver, skipping" sink=logs session=s1 event=e1 reason=refused',
  ]);
});

test('logs the total if there are more than are named', () => {
  const { observer, said } = observerAt();
  const rejected = sample([{ session: 's1', order: 17, id: 'e17', reason: 'no_status' as const }], 13);
  const corrected = sample([{ session: 's1', events: 2 }], 14);
  const deadLetters = sample([{ sink: 'logs', session: 's1', event: 'e1', reason: 'refused', at: 0n } as const], 15);
  observer.delivered('metrics', report({ rejected, corrected, deadLetters }), 1);
  expect(said().filter(line => line.includes('count='))).toEqual([
    'warn msg="Events rejected" sink=metrics count=13',
    'warn msg="Records refused by the receiver" sink=metrics count=15',
    'warn msg="Events that changed their status" sink=metrics count=14',
  ]);
});

test('logs what the server has become, if it is another installation than before', () => {
  const { observer, said } = observerAt();
  for (const change of ['unchanged', 'renamed', 'replaced', 'returned'] as const) observer.installationChanged(change);
  expect(said().map(line => line.split(' is ')[0]?.slice(0, 34))).toEqual([
    'warn msg="Installation was known u',
    'warn msg="Server',
    'warn msg="Server',
  ]);
});

test('logs every poll at debug, and every delivery that did something', () => {
  const { observer, said } = observerAt('debug');
  observer.discovered(polled(), [session()]);
  observer.delivered('logs', report(), 1);
  observer.delivered('logs', report({ taken: 5, due: 1 }), 1);
  expect(said()).toEqual([
    'debug msg="Poll completed" result=complete seconds=0.5 listed=3 open=1',
    'debug msg="Delivery completed" sink=logs taken=5 due=1',
  ]);
});
