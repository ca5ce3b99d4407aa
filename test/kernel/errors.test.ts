import { describe, expect, test } from '@jest/globals';
import { ExporterError, toExporterError } from '../../src/kernel/errors.js';

describe('an error', () => {
  test('carries its reason, details, cause and the wait that was asked for', () => {
    const cause = new Error('why');
    const error = new ExporterError('throttled', 'Could not ask', { details: { status: 429 }, cause, retryAfterMs: 5 });
    expect(error).toMatchObject({
      name: 'ExporterError',
      reason: 'throttled',
      details: { status: 429 },
      cause,
      retryAfterMs: 5,
    });
    expect(new ExporterError('bug', 'x')).toMatchObject({ details: {}, cause: undefined, retryAfterMs: undefined });
  });

  test('of ours stays itself', () => {
    const error = new ExporterError('auth', 'x');
    expect(toExporterError(error)).toBe(error);
  });

  test.each([
    [new DOMException('stopped', 'AbortError'), 'aborted', 'stopped'],
    [new RangeError('odd'), 'bug', 'odd'],
    ['text', 'bug', 'text'],
    [undefined, 'bug', 'undefined'],
  ])('made of %s is %s', (thrown, reason, message) => {
    expect(toExporterError(thrown)).toMatchObject({ reason, message, cause: thrown });
  });
});
