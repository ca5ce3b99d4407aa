import { describe, expect, test } from '@jest/globals';
import { networkFailure, statusFailure } from '../../src/source/request-errors.js';

const way = { host: 'h:1' };

const coded = (code: string, over: object = {}): Error => Object.assign(new Error('canary'), { code, ...over });

describe('a network error', () => {
  test.each([
    ['ECONNREFUSED', 'network', expect.stringMatching(/^connection refused; check that the REST service is enabled/)],
    ['ECONNRESET', 'network', 'connection reset'],
    ['ENOTFOUND', 'network', 'host name not found'],
    ['ETIMEDOUT', 'timeout', 'connection timed out'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'connection timed out'],
    ['ESOMETHING', 'network', 'ESOMETHING'],
  ])('%s is %s: %s', (code, reason, words) => {
    const error = networkFailure(coded(code), { host: 'vb365.example.com:4443' });
    expect([error.reason, error.message.split(': ').slice(1).join(': ')]).toEqual([reason, words]);
    expect(error.message.split(': ')[0]).toBe('Could not connect to "vb365.example.com:4443"');
  });

  test.each([
    ['one of the addresses that were tried', new AggregateError([coded('ECONNREFUSED'), coded('EPIPE')])],
    ['a cause', new Error('outer', { cause: coded('ECONNREFUSED') })],
  ])('is understood by the code of %s', (_, thrown) => {
    expect(networkFailure(thrown, way)).toMatchObject({
      message: expect.stringMatching(/^Could not connect to "h:1": connection refused/),
      cause: thrown,
    });
  });

  test.each([new Error('canary'), 'canary', undefined])('without a code is said to be unknown: %s', thrown => {
    expect(networkFailure(thrown, way).message).toBe('Could not connect to "h:1": unknown network error');
  });

  test('of the HTTP parser keeps to itself what the server sent', () => {
    const error = networkFailure(coded('HPE_INVALID_CONSTANT', { name: 'HTTPParserError', data: 'canary' }), way);
    expect(error).toMatchObject({
      reason: 'decode',
      message: 'Could not read the answer of "h:1": not HTTP',
      cause: undefined,
    });
  });
});

describe('a status', () => {
  test.each([
    [301, undefined, 'rejected'],
    [400, undefined, 'rejected'],
    [401, undefined, 'auth'],
    [403, undefined, 'auth'],
    [404, undefined, 'rejected'],
    [429, undefined, 'throttled'],
    [429, 7000, 'throttled'],
    [500, undefined, 'server'],
    [503, undefined, 'server'],
    [503, 7000, 'throttled'],
    [500, 7000, 'server'],
  ])('of %i with a wait of %s is %s', (status, retryAfterMs, reason) => {
    expect(statusFailure('sessions', { status, retryAfterMs })).toMatchObject({
      reason,
      retryAfterMs,
      message: expect.stringContaining(`Could not list restore sessions: HTTP ${String(status)}`),
      details: { operation: 'sessions', status },
    });
  });
});
