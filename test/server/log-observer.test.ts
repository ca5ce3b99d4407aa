import { expect, test } from '@jest/globals';
import { ExporterError, toExporterError } from '../../src/kernel/errors.js';
import { createLog, type LogLevel } from '../../src/kernel/log.js';
import type { DiscoveryReport } from '../../src/discovery/scheduler.js';
import { logObserver } from '../../src/server/log-observer.js';
import type { DeliveryReport } from '../../src/pipeline/sink-worker.js';
import type { ServerObserver } from '../../src/server/run.js';
import { session } from '../support/server-run.js';

/** A journal, and what it said since it was last asked, without the time. */
function journalAt(level: LogLevel = 'info'): Readonly<{ observer: ServerObserver; said: () => readonly string[] }> {
  const lines: string[] = [];
  const log = createLog({ level, format: 'logfmt', write: line => lines.push(line) });
  const said = (): readonly string[] => lines.splice(0).map(line => line.replace(/^ts=\S+ level=/, '').trimEnd());
  return { observer: logObserver(log), said };
}

const turn = (error?: ExporterError, rejects: readonly string[] = []): DiscoveryReport => ({
  result: error === undefined ? 'complete' : 'failed',
  error,
  seconds: 0.5,
  listed: 3,
  rejects,
});
const report = (over: Partial<DeliveryReport> = {}): DeliveryReport => ({
  taken: 0,
  corrections: 0,
  errors: [],
  due: 0,
  ...over,
});
const silent = new ExporterError('network', 'Could not read sessions: nobody answers');
const refused = new ExporterError('auth', 'Could not log in: the password is wrong');
const aborted = new ExporterError('aborted', 'Stopped');

test('says that the server was reached, and its version where it tells one', () => {
  const { observer, said } = journalAt();
  observer.met({ apiVersion: 'v8', version: '8.1', installationId: 'i' });
  observer.met({ apiVersion: 'v5', version: '', installationId: '' });
  expect(said()).toEqual([
    'info msg="Reached the server" api_version=v8 version=8.1',
    'info msg="Reached the server" api_version=v5',
  ]);
});

test('says a failure of reading when it begins, when it becomes another, and when it ends', () => {
  const { observer, said } = journalAt();
  for (const error of [undefined, silent, silent, refused, refused, undefined, undefined, silent])
    observer.discovered(turn(error), []);
  expect(said()).toEqual([
    'warn msg="Reading from the server failed" reason=network error="Could not read sessions: nobody answers"',
    'warn msg="Reading from the server failed" reason=auth error="Could not log in: the password is wrong"',
    'info msg="Reading from the server works again"',
    'warn msg="Reading from the server failed" reason=network error="Could not read sessions: nobody answers"',
  ]);
});

test('says failures of each sink apart', () => {
  const { observer, said } = journalAt();
  observer.delivered('logs', report({ errors: [silent, refused] }));
  observer.delivered('metrics', report());
  observer.delivered('logs', report({ errors: [silent] }));
  observer.delivered('metrics', report({ errors: [silent] }));
  observer.delivered('logs', report());
  expect(said().map(line => line.replace(/ reason=.*/, ''))).toEqual([
    'warn msg="Delivering failed" sink=logs',
    'warn msg="Delivering failed" sink=metrics',
    'info msg="Delivering works again" sink=logs',
  ]);
});

test('stopping is no failure, and ends none', () => {
  const { observer, said } = journalAt();
  observer.discovered(turn(aborted), []);
  observer.delivered('logs', report({ errors: [aborted] }));
  expect(said()).toEqual([]);
  observer.discovered(turn(silent), []);
  observer.discovered(turn(aborted), []);
  observer.discovered(turn(silent), []);
  expect(said()).toHaveLength(1);
});

test('what nobody foresaw is told with its stack, on one line', () => {
  const { observer, said } = journalAt();
  observer.discovered(turn(toExporterError(new TypeError('x is undefined'))), []);
  const [line = ''] = said();
  expect(line).toContain('reason=bug error="x is undefined" stack="TypeError: x is undefined\\n    at ');
  expect(line).not.toContain('\n');
});

test('says how many sessions of the list were set aside, and why the first', () => {
  const { observer, said } = journalAt();
  observer.discovered(turn(undefined, ['entry 3: no id', 'entry 9: no id']), []);
  expect(said()).toEqual(['warn msg="Set sessions of the list aside" count=2 first="entry 3: no id"']);
});

test('says that counted events changed', () => {
  const { observer, said } = journalAt();
  observer.delivered('metrics', report({ corrections: 2 }));
  expect(said()).toEqual([
    'warn msg="Events changed their status after they had been counted; counters stay" sink=metrics events=2',
  ]);
});

test('Says so: names the first ten records that were set aside, and says how many more there are', () => {
  const { observer, said } = journalAt();
  const refusedOne = { sink: 'logs', session: 's1', reason: 'refused', at: 0n } as const;
  const deadLetters = Array.from({ length: 13 }, (_, n) => ({ ...refusedOne, event: n === 0 ? '' : `e${String(n)}` }));
  observer.delivered('logs', report({ deadLetters }));
  const lines = said();
  expect(lines.slice(0, 2)).toEqual([
    'warn msg="Set a record aside that the receiver refuses" sink=logs session=s1 reason=refused',
    'warn msg="Set a record aside that the receiver refuses" sink=logs session=s1 event=e1 reason=refused',
  ]);
  expect(lines).toHaveLength(11);
  expect(lines[10]).toBe('warn msg="Set more records aside that the receiver refuses" sink=logs count=3');
  observer.delivered('logs', report({ deadLetters: deadLetters.slice(0, 10) }));
  expect(said()).toHaveLength(10);
});

test('tells every turn at debug, but not those of a sink with nothing to do', () => {
  const { observer, said } = journalAt('debug');
  observer.discovered(turn(), [session()]);
  observer.delivered('logs', report());
  observer.delivered('logs', report({ taken: 5, due: 1 }));
  expect(said()).toEqual([
    'debug msg="Turn of discovery ended" result=complete seconds=0.5 listed=3 open=1',
    'debug msg="Turn of a sink ended" sink=logs taken=5 due=1',
  ]);
});
