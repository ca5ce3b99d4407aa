import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/kernel/secret.js';
import type { OtlpTarget } from '../../src/config/otlp.js';
import { type OtlpTransport, otlpTransport } from '../../src/otlp/transport.js';
import { stopped } from '../support/logs.js';
import { target } from '../support/otlp-target.js';
import { type OtlpReceiver, otlpReceiver, refuse } from '../support/otlp-receiver.js';

const never = new AbortController().signal;
const data = new TextEncoder().encode('{"resourceLogs":[]}');
const now = Date.UTC(2026, 0, 1, 12, 0, 0);

let receiver: OtlpReceiver;
const open: OtlpTransport[] = [];
const transport = (over: Partial<OtlpTarget> = {}): OtlpTransport => {
  const made = otlpTransport(target(receiver.url, over), '1.2.3', stopped(now));
  open.push(made);
  return made;
};
beforeEach(async () => {
  receiver = await otlpReceiver();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async each => each.close()));
  await receiver.close();
});

describe('a request', () => {
  test('says what it is and who sends it', async () => {
    await transport({ headers: { 'X-Scope-OrgID': new Secret('t1'), 'Content-Type': new Secret('text/plain') } }).send(
      data,
      never,
    );
    expect(receiver.requests[0]?.headers).toMatchObject({
      'user-agent': 'vb365-exporter/1.2.3',
      'content-type': 'application/json',
      'content-length': '19',
      'x-scope-orgid': 't1',
    });
  });

  test.each(['http/json', 'http/protobuf'] as const)('with gzip holds the same bytes (%s)', async protocol => {
    await transport({ compression: 'gzip', protocol }).send(data, never);
    expect(receiver.requests[0]?.headers['content-encoding']).toBe('gzip');
    expect(receiver.requests[0]?.body.toString()).toBe('{"resourceLogs":[]}');
  });

  test('is sent once, and connections are kept', async () => {
    const one = transport();
    receiver.answers.push(refuse(503));
    await expect(one.send(data, never)).rejects.toMatchObject({ reason: 'server' });
    for (let i = 0; i < 5; i += 1) await one.send(data, never);
    expect(receiver.requests).toHaveLength(6);
    expect(new Set(receiver.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(2);
  });
});

describe('an answer', () => {
  test.each([
    [301, 'rejected'],
    [400, 'rejected'],
    [404, 'rejected'],
    [413, 'rejected'],
    [401, 'auth'],
    [403, 'auth'],
    [408, 'timeout'],
    [504, 'timeout'],
    [429, 'throttled'],
    [500, 'server'],
    [501, 'server'],
    [502, 'server'],
    [503, 'server'],
  ])('%i is %s', async (statusCode, reason) => {
    receiver.answers.push(refuse(statusCode, { location: 'http://127.0.0.1:1/' }, 'no'));
    const host = receiver.url.host;
    await expect(transport().send(data, never)).rejects.toMatchObject({
      reason,
      message: `Could not send to "${host}/v1/logs": answered ${String(statusCode)}`,
      details: { statusCode },
      retryAfterMs: undefined,
    });
  });

  test.each([
    [503, '7', 'throttled', 7_000],
    [429, 'Thu, 01 Jan 2026 12:00:30 GMT', 'throttled', 30_000],
    [502, '0', 'server', 1_000],
    [503, 'soon', 'server', undefined],
  ])('%i with Retry-After %j is %s after %s ms', async (statusCode, header, reason, wait) => {
    receiver.answers.push(refuse(statusCode, { 'retry-after': header }));
    await expect(transport().send(data, never)).rejects.toMatchObject({ reason, retryAfterMs: wait });
  });

  test.each([200, 202, 204])('%i has taken the request', async statusCode => {
    receiver.answers.push(refuse(statusCode));
    await expect(transport().send(data, never)).resolves.toHaveLength(0);
  });

  test('200 that breaks off has taken the request all the same', async () => {
    receiver.answers.push(response => {
      response.writeHead(200, { 'content-length': '10' }).write('{');
      setImmediate(() => response.destroy());
    });
    await expect(transport().send(data, never)).resolves.toBeUndefined();
  });

  test('200 of more than 4 MiB is not read to the end', async () => {
    receiver.answers.push(
      refuse(200, {}, 'x'.repeat(4 * 1024 * 1024 + 1)),
      refuse(200, {}, 'x'.repeat(4 * 1024 * 1024)),
    );
    await expect(transport().send(data, never)).resolves.toBeUndefined();
    await expect(transport().send(data, never)).resolves.toHaveLength(4 * 1024 * 1024);
  });
});

describe('the deadline', () => {
  test('ends a wait for an answer that never comes', async () => {
    receiver.answers.push(() => undefined);
    await expect(transport({ timeoutMs: 50 }).send(data, never)).rejects.toMatchObject({ reason: 'timeout' });
  });

  test.each([
    [200, 'taken'],
    [500, 'server'],
  ])('ends a body that only drips, whose status %i stands', async (statusCode, wanted) => {
    receiver.answers.push(response => {
      response.writeHead(statusCode);
      const drip = (): void => {
        if (!response.destroyed) response.write('x', () => setImmediate(drip));
      };
      drip();
    });
    const outcome = await transport({ timeoutMs: 100 })
      .send(data, never)
      .then(
        () => 'taken',
        (error: { reason: string }) => error.reason,
      );
    expect(outcome).toBe(wanted);
  });
});

describe('what goes wrong before an answer', () => {
  test('a refused connection is network, and named', async () => {
    await receiver.close();
    await expect(transport().send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: `Could not send to "${receiver.url.host}/v1/logs": connection refused (ECONNREFUSED)`,
    });
  });

  test('a connection that breaks is network, and named', async () => {
    receiver.answers.push(response => response.destroy());
    await expect(transport().send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringMatching(/: connection closed by the other side \(UND_ERR_SOCKET\)$/),
    });
  });

  test('a host that does not exist is network, and named', async () => {
    await expect(transport({ url: new URL('http://nobody.invalid/v1/logs') }).send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringMatching(/: host name (not found|could not be resolved) \((ENOTFOUND|EAI_AGAIN)\)$/),
    });
  });

  test('a receiver without TLS at an https URL is network, and named', async () => {
    const url = new URL(receiver.url);
    url.protocol = 'https:';
    await expect(transport({ url }).send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringMatching(/: the TLS handshake failed \([A-Z_]*SSL[A-Z_]*\)$/),
    });
  });

  test('an abort is aborted', async () => {
    const aborting = new AbortController();
    receiver.answers.push(() => {
      aborting.abort();
    });
    await expect(transport().send(data, aborting.signal)).rejects.toMatchObject({ reason: 'aborted' });
    await expect(transport().send(data, aborting.signal)).rejects.toMatchObject({ reason: 'aborted' });
  });

  test('is reported without query, header or credentials', async () => {
    const url = new URL('/v1/logs?key=canary-query', receiver.url);
    url.password = 'canary-password';
    receiver.answers.push(refuse(401), response => response.destroy());
    const one = transport({ url, headers: { authorization: new Secret('canary-header') } });
    for (const reason of ['auth', 'network']) {
      const error = await one.send(data, never).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ reason });
      const { message, details, stack } = error as { message: string; details: unknown; stack: string };
      expect(JSON.stringify([message, details, stack])).not.toContain('canary');
    }
  });
});
