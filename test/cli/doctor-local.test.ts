import { describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from '../../src/config/parse.js';
import { type Check, examine } from '../../src/cli/doctor-result.js';
import { listenCheck, otlpCheck, stateCheck } from '../../src/cli/doctor-local.js';
import { systemClock } from '../../src/kernel/clock.js';
import { createFile } from '../../src/store/open.js';
import { DatabaseSync } from 'node:sqlite';
import { withTakenPort } from '../support/exporter-stage.js';
import { target } from '../support/logs.js';
import { type Answer, otlpReceiver, refuse } from '../support/otlp-receiver.js';
import { inFolder } from '../support/program.js';
import { refusedPort } from './doctor-rig.js';

const find = async (check: Check) => (await examine([check]))[0];
const sending = { version: '1.2.3', clock: systemClock, signal: new AbortController().signal };

describe('the doctor, of the OTLP receiver', () => {
  test.each([
    ['logs', 'http/json', '{"resourceLogs":[]}', 'application/json'],
    ['traces', 'http/json', '{"resourceSpans":[]}', 'application/json'],
    ['logs', 'http/protobuf', '', 'application/x-protobuf'],
    ['traces', 'http/protobuf', '', 'application/x-protobuf'],
  ] as const)('sends an empty export request of %s in %s', async (signal, protocol, body, type) => {
    const receiver = await otlpReceiver();
    const found = await find(otlpCheck({ signal, target: target(receiver.url, { protocol }) }, sending));
    await receiver.close();
    expect(found).toMatchObject({ check: 'otlp', status: 'ok', message: expect.stringContaining(receiver.url.host) });
    expect(receiver.requests.map(one => one.body.toString())).toEqual([body]);
    expect(receiver.requests[0]?.headers['content-type']).toBe(type);
  });

  const answers: readonly (readonly [string, Answer, string, RegExp])[] = [
    ['a missing token', refuse(401), 'wrong', /otlp\.headers/],
    ['a path that is not there', refuse(404), 'wrong', /\/v1\/logs/],
    ['a protocol that is not spoken', refuse(415), 'wrong', /otlp\.protocol/],
    ['a receiver in trouble', refuse(500), 'wrong', /4318/],
    ['a receiver that asks for patience', refuse(429, { 'retry-after': '5' }), 'warning', /waits as it is asked/],
  ];
  test.each(answers)('tells of %s, and does not repeat what was answered', async (_, answer, status, advice) => {
    const receiver = await otlpReceiver();
    receiver.answers.push((response, request) => {
      response.setHeader('x-canary', 'canary');
      answer(response, request);
    });
    const found = await find(otlpCheck({ signal: 'logs', target: target(receiver.url) }, sending));
    await receiver.close();
    expect(found).toMatchObject({ status, advice: expect.stringMatching(advice) });
    expect(receiver.requests).toHaveLength(1);
  });

  test('is content with one that refuses only the empty request, as Loki does', async () => {
    const receiver = await otlpReceiver();
    receiver.answers.push(refuse(422, {}, 'canary'));
    const found = await find(otlpCheck({ signal: 'logs', target: target(receiver.url) }, sending));
    await receiver.close();
    expect(found).toMatchObject({ status: 'ok', message: expect.stringContaining('nothing in it') });
    expect(found?.message).not.toContain('canary');
  });

  test('tells of a receiver that is not there', async () => {
    const url = new URL(`http://127.0.0.1:${String(await refusedPort())}/v1/logs`);
    expect(await find(otlpCheck({ signal: 'logs', target: target(url) }, sending))).toMatchObject({
      status: 'wrong',
      message: expect.stringContaining('ECONNREFUSED'),
      advice: expect.stringContaining('4318'),
    });
  });

  test('tells of one that speaks no TLS, and of a file that is not there', async () => {
    const receiver = await otlpReceiver();
    const url = new URL(receiver.url);
    url.protocol = 'https:';
    const tls = { caFile: '/nonexistent/ca.pem', certFile: undefined, keyFile: undefined };
    const found = [
      await find(otlpCheck({ signal: 'traces', target: target(url) }, sending)),
      await find(otlpCheck({ signal: 'traces', target: target(url, { tls }) }, sending)),
    ];
    await receiver.close();
    expect(found).toMatchObject([
      { status: 'wrong', advice: expect.stringContaining('http or https') },
      { status: 'wrong', advice: expect.stringContaining('the files below "otlp.tls"') },
    ]);
  });

  test('skips what is not configured', async () => {
    expect(await find(otlpCheck({ signal: 'logs', target: undefined }, sending))).toMatchObject({ status: 'skipped' });
  });
});

const stateAt = (path: string) => find(stateCheck({ state: { path } } as Config));

describe('the doctor, of the state file', () => {
  test('changes nothing, and does not hold up an exporter that runs', async () => {
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

  test('finds a place for a file that is not there yet, and makes none', async () => {
    await inFolder(async folder => {
      const found = await stateAt(join(folder, 'a', 'b', 'state.db'));
      expect(found).toMatchObject({ status: 'ok', message: expect.stringContaining('can be made') });
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  const bad: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['something else', path => writeFileSync(path, 'x'.repeat(200)), /not a state file, or it is damaged/],
    ['nothing in it', path => writeFileSync(path, ''), /it is empty/],
    ['a directory in its place', path => mkdirSync(path), /directory/],
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
  test.each(bad)('tells of %s', async (_, make, says) => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      make(path);
      expect(await stateAt(path)).toMatchObject({ status: 'wrong', message: expect.stringMatching(says) });
    });
  });

  test('tells of a path through a file', async () => {
    await inFolder(async folder => {
      writeFileSync(join(folder, 'file'), '');
      expect(await stateAt(join(folder, 'file', 'state.db'))).toMatchObject({
        status: 'wrong',
        message: expect.stringContaining('not a directory'),
      });
    });
  });

  test('warns of a file that others can read', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'state.db');
      createFile(path);
      chmodSync(path, 0o644);
      expect(await stateAt(path)).toMatchObject({ status: 'warning' });
    });
  });
});

describe('the doctor, of the listen address', () => {
  test('finds a port free, taken, or taken by an exporter that is well', async () => {
    const free = { host: '127.0.0.1', port: await refusedPort() };
    expect(await find(listenCheck(free, async () => false))).toMatchObject({ status: 'ok' });
    await withTakenPort(async port => {
      const taken = { host: '127.0.0.1', port };
      expect(await find(listenCheck(taken, async () => true))).toMatchObject({
        status: 'ok',
        message: expect.stringContaining('by an exporter that is well'),
      });
      expect(await find(listenCheck(taken, async () => false))).toMatchObject({
        status: 'wrong',
        message: expect.stringContaining('EADDRINUSE'),
        advice: expect.stringContaining('--web.listen-address'),
      });
    });
  });
});
