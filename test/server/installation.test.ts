import { beforeEach, describe, expect, test } from '@jest/globals';
import { type InstallationChange, adoptInstallation } from '../../src/server/installation.js';
import type { Installations } from '../../src/server/installations.js';
import type { SeriesDelta, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { row } from '../store/conformance.js';
import { installationsOf } from '../support/installations.js';

const changed: SeriesDelta = { family: 'changes', labels: [], kind: 'counter', by: 1 };

let store: Store;
let installations: Installations;
beforeEach(() => {
  store = memoryStore();
  installations = installationsOf('hq', 'branch');
});

const enter = async (server: string, id: string): Promise<InstallationChange> =>
  adoptInstallation({ server, store, installations, replacedDeltas: () => [changed], stored: () => undefined }, id);
/** Something to remember of a server, as it is while it is this installation. */
const remember = async (server: string, session: string): Promise<void> =>
  store.commit({ server, since: { metrics: 7n }, rows: [row({ session })] });
const sessions = async (server: string): Promise<readonly string[]> =>
  (await store.pending(server, 'metrics')).map(({ session }) => session);
const changes = async (): Promise<bigint> => {
  const [series] = await store.series();
  return series?.kind === 'counter' ? series.value : 0n;
};

describe('a server that has told which installation it is', () => {
  test('for the first time keeps what is known from before it could tell', async () => {
    await remember('hq', 'a1');
    expect(await enter('hq', 'a')).toBe('same');
    expect(await sessions('hq')).toEqual(['a1']);
    expect((await store.state('hq')).facts).toEqual({ installationId: 'a' });
    expect(await enter('hq', 'a')).toBe('same');
    expect(await changes()).toBe(0n);
  });

  test('and does not tell any more, is what it was', async () => {
    await enter('hq', 'a');
    await remember('hq', 'a1');
    expect(await enter('hq', '')).toBe('same');
    expect([await sessions('hq'), (await store.state('hq')).facts]).toEqual([['a1'], { installationId: 'a' }]);
  });

  test('as another begins anew, and finds what it knew when the first one is back', async () => {
    await enter('hq', 'a');
    await remember('hq', 'a1');
    expect(await enter('hq', 'b')).toBe('another');
    expect([await sessions('hq'), (await store.state('hq')).since]).toEqual([[], {}]);
    await remember('hq', 'b1');
    expect(await enter('hq', 'a')).toBe('back');
    expect(await sessions('hq')).toEqual(['a1']);
    expect(await enter('hq', 'b')).toBe('back');
    expect(await sessions('hq')).toEqual(['b1']);
    expect(await changes()).toBe(3n);
  });

  test('under a new name takes up what is kept under the old one, which is no server any more', async () => {
    await store.commit({ server: 'old', since: { metrics: 7n }, facts: { installationId: 'a' } });
    await remember('old', 'a1');
    expect(await enter('hq', 'a')).toBe('found');
    expect([await sessions('hq'), await sessions('old')]).toEqual([['a1'], []]);
    expect((await store.state('hq')).since).toEqual({ metrics: 7n });
    expect(await changes()).toBe(0n);
  });
});

describe('one installation under two names', () => {
  const refused = { reason: 'config', message: expect.stringContaining('is the same installation') };
  test('is read through the first alone', async () => {
    await enter('hq', 'a');
    await expect(enter('branch', 'a')).rejects.toMatchObject(refused);
    expect(await enter('hq', 'a')).toBe('same');
    expect(await store.holders('a')).toEqual(['hq']);
  });
  test('is left to the one that it is remembered of, whoever asks first after a restart', async () => {
    await enter('branch', 'a');
    installations = installationsOf('hq', 'branch');
    await expect(enter('hq', 'a')).rejects.toMatchObject(refused);
    expect(await enter('branch', 'a')).toBe('same');
  });
  test('is refused to one of two that ask at once', async () => {
    const both = await Promise.allSettled([enter('hq', 'a'), enter('branch', 'a')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
  test('is over when the first is another one now', async () => {
    await enter('hq', 'a');
    await remember('hq', 'a1');
    await expect(enter('branch', 'a')).rejects.toMatchObject(refused);
    await enter('hq', 'b');
    expect(await enter('branch', 'a')).toBe('found');
    expect([await sessions('hq'), await sessions('branch')]).toEqual([[], ['a1']]);
  });
});

test.each([[['hq', 'branch']], [['branch', 'hq']]])(
  'two servers whose names were swapped take their cursors along, asked as %j',
  async order => {
    const tells: Readonly<Record<string, string>> = { hq: 'b', branch: 'a' };
    await enter('hq', 'a');
    await enter('branch', 'b');
    await remember('hq', 'a1');
    await remember('branch', 'b1');
    installations = installationsOf('hq', 'branch');
    for (const server of [...order, ...order]) await enter(server, tells[server] ?? '').catch(() => undefined);
    expect([await sessions('hq'), await sessions('branch')]).toEqual([['b1'], ['a1']]);
  },
);
