import { describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from '../../src/config/parse.js';
import { type Check, runChecks } from '../../src/cli/doctor-checks.js';
import { listenCheck, otlpCheck, stateCheck } from '../../src/cli/doctor-local.js';
import { systemClock } from '../../src/kernel/clock.js';
import { createFile } from '../../src/store/open.js';
import { DatabaseSync } from 'node:sqlite';
import { withTakenPort } from '../support/exporter-stage.js';
import { target } from '../support/otlp-target.js';
import { type Answer, otlpReceiver, refuse } from '../support/otlp-receiver.js';
import { inFolder } from '../support/folder.js';
import { refusedPort } from './doctor-rig.js';

const find = async (check: Check) => (await runChecks([check]))[0];
const sender = { version: '1.2.3', clock: systemClock, signal: new AbortController().signal };

describe('doctor check of the OTLP receiver', () => {
  test.each([
    ['logs', 'http/json', '{"resourceLogs":[]}', 'application/json'],
    ['traces', 'http/json', '{"resourceSpans":[]}', 'application/json'],
    ['logs', 'http/protobuf', '', 'application/x-protobuf'],
    ['traces', 'http/protobuf', '', 'application/x-protobuf'],
  ] as const)('sends an empty export request of %s in %s', async (signal, protocol, body, type) => {
    const receiver = await otlpReceiver();
    const found = await find(otlpCheck(signal, target(receiver.url, { protocol }), sender));
    await receiver.close();
    expect(found).toMatchObject({ check: 'otlp', status: 'ok', message: expect.stringContaining(receiver.url.host) });
    expect(receiver.requests.map(one => one.body.toString())).toEqual([body]);
    expect(receiver.requests[0]?.headers['content-type']).toBe(type);
  });

  const answers: readonly (readonly [string, Answer, string, RegExp])[] = [
    ['a missing token', refuse(401), 'failed', /otlp\.headers/],
    ['an unknown path', refuse(404), 'failed', /\/v1\/logs/],
    ['an unsupported protocol', refuse(415), 'failed', /otlp\.protocol/],
    ['a receiver with an internal error', refuse(500), 'failed', /4318/],
    ['a receiver that throttles', refuse(429, { 'retry-after': '5' }), 'warning', /waits as the receiver requests/],
  ];
  test.each(answers)('reports %s, and repeats no header of the response', async (_, answer, status, advice) => {
    const receiver = await otlpReceiver();
    receiver.answers.push((response, request) => {
      response.setHeader('x-canary', 'canary');
      answer(response, request);
    });
    const found = await find(otlpCheck('logs', target(receiver.url), sender));
    await receiver.close();
    expect(found).toMatchObject({ status, advice: expect.stringMatching(advice) });
    expect(receiver.requests).toHaveLength(1);
  });

  test('shows what the receiver said', async () => {
    const receiver = await otlpReceiver();
    receiver.answers.push(refuse(403, {}, '{"code":7,"message":"tenant is\\u001b[31m disabled"}'));
    const found = await find(otlpCheck('logs', target(receiver.url), sender));
    await receiver.close();
    expect(found?.message).toBe(
      `Could not send to "${receiver.url.host}/v1/logs": answered 403, "tenant is [31m disabled"`,
    );
  });

  test.each([
    [422, 'error at least one valid stream is required for ingestion\n', 'ok', 'because it is empty'],
    [422, '{"message":"error at least one valid stream is required for ingestion"}', 'ok', 'because it is empty'],
    [422, '\b\u0001\u00126error at least one valid stream is required for ingestion', 'ok', 'because it is empty'],
    [422, 'tenant is disabled', 'failed', 'answered 422, "tenant is disabled"'],
    [422, '', 'failed', 'answered 422'],
    [400, 'error at least one valid stream is required for ingestion', 'failed', 'answered 400'],
  ] as const)('takes a %d with %j for what it is: Loki refuses only the empty request', async (...row) => {
    const [code, body, status, says] = row;
    const receiver = await otlpReceiver();
    receiver.answers.push(refuse(code, {}, body));
    const found = await find(otlpCheck('logs', target(receiver.url), sender));
    await receiver.close();
    expect(found).toMatchObject({ status, message: expect.stringContaining(says) });
  });

  test('reports a receiver that does not run', async () => {
    const url = new URL(`http://127.0.0.1:${String(await refusedPort())}/v1/logs`);
    expect(await find(otlpCheck('logs', target(url), sender))).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('ECONNREFUSED'),
      advice: expect.stringContaining('4318'),
    });
  });

  test('reports a receiver without TLS, and a missing TLS file', async () => {
    const receiver = await otlpReceiver();
    const url = new URL(receiver.url);
    url.protocol = 'https:';
    const tls = { caFile: '/nonexistent/ca.pem', certFile: undefined, keyFile: undefined };
    const found = [
      await find(otlpCheck('traces', target(url), sender)),
      await find(otlpCheck('traces', target(url, { tls }), sender)),
    ];
    await receiver.close();
    expect(found).toMatchObject([
      { status: 'failed', advice: expect.stringContaining('http or https') },
      { status: 'failed', advice: expect.stringContaining('the files below "otlp.tls"') },
    ]);
  });

  test('skips a signal that is off', async () => {
    expect(await find(otlpCheck('logs', undefined, sender))).toMatchObject({ status: 'skipped' });
  });
});

const stateAt = (path: string) => find(stateCheck({ state: { path } } as Config));

describe('doctor check of the state file', () => {
  test('changes nothing, and does not block a running exporter', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      createFile(path);
      const running = new DatabaseSync(path);
      running.exec('PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
      const before = [readdirSync(folder), readFileSync(path), statSync(path).mtimeMs];
      expect(await stateAt(path)).toMatchObject({ status: 'ok', message: expect.stringContaining('schema') });
      expect([readdirSync(folder), readFileSync(path), statSync(path).mtimeMs]).toEqual(before);
      running.exec("INSERT INTO since VALUES ('hq', 'metrics', 1); COMMIT");
      running.close();
    });
  });

  test('accepts a file that does not exist yet, and does not create it', async () => {
    await inFolder(async folder => {
      const found = await stateAt(join(folder, 'a', 'b', 'state.db'));
      expect(found).toMatchObject({ status: 'ok', message: expect.stringContaining('can be created') });
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  const bad: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['a file of another format', path => writeFileSync(path, 'x'.repeat(200)), /not a state file, or it is damaged/],
    [
      'a file of which only the header is left',
      path => {
        createFile(path);
        truncateSync(path, 16);
      },
      /not a state file, or it is damaged/,
    ],
    [
      'a file with zeros behind the first 16 bytes',
      path => writeFileSync(path, `SQLite format 3\0${'\0'.repeat(4_080)}`),
      /not a state file, or it is damaged/,
    ],
    [
      'a database of another program',
      path => {
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE theirs (a)');
        database.close();
      },
      /database of another program/,
    ],
    ['an empty file', path => writeFileSync(path, ''), /it is empty/],
    ['a directory instead of a file', path => mkdirSync(path), /directory/],
    [
      'a file of a newer program',
      path => {
        createFile(path);
        const database = new DatabaseSync(path);
        database.exec('PRAGMA user_version = 999');
        database.close();
      },
      /999/,
    ],
  ];
  test.each(bad)('reports %s', async (_, make, says) => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      make(path);
      expect(await stateAt(path)).toMatchObject({ status: 'failed', message: expect.stringMatching(says) });
    });
  });

  test('finds damage in a file, with advice that fits', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      createFile(path);
      const database = new DatabaseSync(path);
      database.exec("INSERT INTO series (key, kind, value) VALUES ('canary', 'counter', '1')");
      database.close();
      const found = await stateAt(path);
      expect(found).toMatchObject({
        status: 'failed',
        message: expect.stringMatching(
          /^Could not use state file ".*": it is damaged; .*"vb365-exporter state quarantine"/,
        ),
        advice: expect.stringMatching(/^stop the exporter and keep a copy/),
      });
      expect(found?.message).not.toContain('canary');
    });
  });

  test('reports a path through a file', async () => {
    await inFolder(async folder => {
      writeFileSync(join(folder, 'file'), '');
      expect(await stateAt(join(folder, 'file', 'state.db'))).toMatchObject({
        status: 'failed',
        message: expect.stringContaining('not a directory'),
      });
    });
  });

  test('warns about a file that other users can read', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      createFile(path);
      chmodSync(path, 0o644);
      expect(await stateAt(path)).toMatchObject({ status: 'warning' });
    });
  });
});

describe('doctor check of the listen address', () => {
  test('reports a free port, a port in use, and one in use by a healthy exporter', async () => {
    const free = { host: '127.0.0.1', port: await refusedPort() };
    expect(await find(listenCheck(free, async () => false))).toMatchObject({ status: 'ok' });
    await withTakenPort(async port => {
      const taken = { host: '127.0.0.1', port };
      expect(await find(listenCheck(taken, async () => true))).toMatchObject({
        status: 'ok',
        message: expect.stringContaining('by a healthy exporter'),
      });
      expect(await find(listenCheck(taken, async () => false))).toMatchObject({
        status: 'failed',
        message: expect.stringContaining('EADDRINUSE'),
        advice: expect.stringContaining('--web.listen-address'),
      });
    });
  });
});
