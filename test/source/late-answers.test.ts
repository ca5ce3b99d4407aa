import { expect, test } from '@jest/globals';
import type { Reply } from '../support/scripted-server.js';
import { until } from '../support/until.js';
import { bench, never } from '../support/source-rig.js';

const { begin } = bench();

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };

test('a request that is not answered is sent once more, and the first answer counts', async () => {
  const hanging = Promise.withResolvers<Reply>();
  const answers = [hanging.promise, page];
  const one = await begin(() => answers.shift() ?? page, { repeatMs: 20 });
  await expect(one.source.events(id, 0, never)).resolves.toMatchObject({ rows: [] });
  expect(one.reads()).toHaveLength(2);
  hanging.resolve(page);
});

test('of the requests to a server that answers none, four are sent twice, and each fails at its deadline', async () => {
  const hanging = Promise.withResolvers<Reply>();
  const asked: number[] = [];
  const one = await begin(() => (asked.push(0), hanging.promise), { repeatMs: 20, requestTimeoutMs: 1_000 });
  const reads = Array.from({ length: 6 }, async () => one.source.events(id, 0, never));
  const outcomes = await Promise.allSettled(reads);
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'rejected'));
  expect(asked).toHaveLength(10);
  hanging.resolve(page);
});

test('a list that is not answered is logged while it waits: once, until an answer has come', async () => {
  const warned: unknown[] = [];
  const warn = (...line: readonly [string, Readonly<Record<string, unknown>>?]): void => {
    // A login may be late too, on a busy machine.
    if (line[1]?.['operation'] === 'sessions') warned.push(line);
  };
  const log = { info: () => undefined, warn };
  let isSilent = true;
  const one = await begin(() => (isSilent ? { silent: true } : page), { log, lateLogMs: 20, requestTimeoutMs: 200 });
  const list = async () => one.source.sessions(undefined, never);
  const line = ['No response from the server after 10 s', { side: 'source', operation: 'sessions' }];
  const waiting = list();
  await until(() => warned.length > 0);
  await expect(waiting).rejects.toMatchObject({ reason: 'timeout' });
  await expect(list()).rejects.toMatchObject({ reason: 'timeout' });
  expect(warned).toEqual([line]);
  isSilent = false;
  await list();
  isSilent = true;
  await expect(list()).rejects.toMatchObject({ reason: 'timeout' });
  expect(warned).toEqual([line, line]);
});
