import { expect, test } from '@jest/globals';
import { ExporterError, toExporterError } from '../../src/kernel/errors.js';

test('an error of ours passes as it is', () => {
  const error = new ExporterError('throttled', 'Could not read', { retryAfterMs: 5, details: { status: 429 } });
  expect(toExporterError(error)).toBe(error);
  expect(error).toMatchObject({ name: 'ExporterError', retryAfterMs: 5, details: { status: 429 } });
});

test('an abort is told from a fault', () => {
  const abort = Object.assign(new Error('Stopped'), { name: 'AbortError' });
  expect(toExporterError(abort)).toMatchObject({ reason: 'aborted', message: 'Stopped', cause: abort });
});

test('what nobody foresaw is a bug, with its cause', () => {
  const cause = new TypeError('x is undefined');
  expect(toExporterError(cause)).toMatchObject({ reason: 'bug', message: 'x is undefined', cause });
  expect(toExporterError('thrown text')).toMatchObject({ reason: 'bug', message: 'thrown text', details: {} });
});
