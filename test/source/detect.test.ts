import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { detectVersion, isServed } from '../../src/source/detect.js';
import type { ApiVersion } from '../../src/model/api-versions.js';
import type { Answer, Call } from '../../src/source/transport.js';
import { simulate } from '../../src/simulator/simulate.js';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import { drivenClock } from '../support/simulator.js';
import { bench, never } from '../support/source-rig.js';

const { begin, closeLater } = bench();

const page = '<!doctype html><title>canary</title>';

/** An answer of a server, by what it is asked for, such as `GET v8/ServiceInstance`. */
type Reply = Partial<Pick<Answer, 'status' | 'body' | 'retryAfterMs'>> | ExporterError;

/** Asks a server that answers by `replyTo`; `asked` has the requests. */
function askedOf(replyTo: (what: string) => Reply) {
  const asked: string[] = [];
  const ask = async ({ path, form }: Call): Promise<Answer> => {
    const what = `${form === undefined ? 'GET' : 'POST'} ${path}`;
    asked.push(what);
    const reply = replyTo(what);
    if (reply instanceof ExporterError) throw reply;
    return { status: 404, body: '', retryAfterMs: undefined, beganMs: 0, tookMs: 0, ...reply };
  };
  return { ask, asked };
}

const where =
  (pattern: RegExp, reply: Reply, other: Reply = {}) =>
  (what: string) =>
    pattern.test(what) ? reply : other;

describe('the newest version that is served', () => {
  test.each([
    [[8, 7, 6, 5, 4, 3, 2], 'v8'],
    [[7, 6, 5, 4, 3], 'v7'],
    [[6, 5], 'v6'],
    [[5, 4, 3, 2], 'v5'],
    [[3, 2], 'v3'],
    [[2], 'v2'],
  ] as const)('of a server that serves %j is %s, found without a login', async (versions, newest) => {
    const simulator = await simulate({
      clock: drivenClock(),
      versions: simulatedVersions.filter(each => versions.some(one => one === each)),
    });
    closeLater(simulator.close);
    const one = await begin(() => ({}), { baseUrl: new URL(simulator.url), apiVersion: 'auto' });
    await one.source.sessions(undefined, never).catch(() => undefined);
    expect(one.source.apiVersion()).toBe(newest);
  });

  test('from v6 on is found by four requests, sent at once', async () => {
    const { ask, asked } = askedOf(where(/v[67]\/Serv/, { status: 401 }));
    expect(await detectVersion(ask)).toBe('v7');
    expect(asked).toEqual(['v99', 'v6', 'v7', 'v8'].map(version => `GET ${version}/ServiceInstance`));
  });

  test('up to v5 is found by eight more, which name no account', async () => {
    const { ask, asked } = askedOf(where(/v[345]\/token/, { status: 400, body: '{"error":"unsupported_grant_type"}' }));
    expect(await detectVersion(ask)).toBe('v5');
    expect(asked.slice(4)).toEqual(
      ['v99', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'].map(version => `POST ${version}/token`),
    );
  });

  test.each<[string, Reply, Reply]>([
    ['403 in place of 401', { status: 403, body: '{"message":"x"}' }, {}],
    ['an instance that needs no login', { status: 200, body: '{"version":"7"}' }, {}],
    ['web pages for what is not there', { status: 401 }, { status: 404, body: page }],
    ['a portal for what is not there', { status: 401 }, { status: 200, body: page }],
    ['a way to a portal for what is not there', { status: 401 }, { status: 302 }],
    ['500 for what is not there', { status: 401 }, { status: 500 }],
    ['400 for what is not there', { status: 401 }, { status: 400, body: page }],
  ])('is found through %s', async (_, there, other) => {
    expect(await detectVersion(askedOf(where(/v7\/Serv/, there, other)).ask)).toBe('v7');
  });

  test.each([
    ['in trouble', { status: 503 }, 'server'],
    ['busy', { status: 429, retryAfterMs: 5000 }, 'throttled'],
    ['out of order where the rest is fine', { status: 500 }, 'server'],
    ['slow', { status: 408 }, 'rejected'],
  ] as const)('is not guessed while a newer one is %s', async (_, reply, reason) => {
    const replyTo = (what: string): Reply => (what.includes('v8') ? reply : where(/v7\/Serv/, { status: 401 })(what));
    await expect(detectVersion(askedOf(replyTo).ask)).rejects.toMatchObject({ reason });
  });

  test('is not guessed when a request fails', async () => {
    const replyTo = where(/v8/, new ExporterError('timeout', 'late'), { status: 401 });
    await expect(detectVersion(askedOf(replyTo).ask)).rejects.toMatchObject({ reason: 'timeout' });
  });

  test.each<[string, Reply, string]>([
    [
      'a proxy that wants a login for everything',
      { status: 401, body: page },
      'HTTP 401, even one that VB365 does not have',
    ],
    ['a proxy that forbids everything', { status: 403 }, 'HTTP 403, even one that VB365 does not have'],
    [
      'another program',
      {},
      'Could not detect the API version: found none from v2 to v8 (HTTP 404); check that the URL has the port',
    ],
    [
      'a web site',
      { body: page },
      '(HTTP 404 and a web page); check that the URL has the port of the REST API (default 4443)',
    ],
    ['a portal on another port', { status: 200, body: page }, '(HTTP 200 and a web page)'],
    ['a way elsewhere', { status: 302 }, '(HTTP 302)'],
  ])('is not found behind %s', async (_, reply, words) => {
    const error: unknown = await detectVersion(askedOf(() => reply).ask).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'rejected', message: expect.stringContaining(words) });
    expect(String(error)).not.toContain('canary');
  });

  test('is not found where only operators may log in', async () => {
    const { ask } = askedOf(where(/POST v[2-8]\//, { status: 400 }));
    await expect(detectVersion(ask)).rejects.toMatchObject({
      message: expect.stringContaining('only restore operators'),
    });
  });
});

test.each<[ApiVersion, RegExp, boolean]>([
  ['v7', /v7\/Serv/, true],
  ['v7', /v8\/Serv/, false],
  ['v4', /POST v4\/token/, true],
  ['v4', /POST v5\/token/, false],
])('whether %s is served is known by %s: %s', async (version, pattern, served) => {
  const { ask, asked } = askedOf(where(pattern, { status: version === 'v4' ? 400 : 401 }));
  expect(await isServed(ask, version)).toBe(served);
  expect(asked).toHaveLength(2);
});
