import { beforeEach, describe, expect, test } from '@jest/globals';
import { adoptInstallation, type InstallationChange, type Installations } from '../../src/server/installation.js';
import type { SeriesDelta, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { row } from '../store/conformance.js';
import { installationsOf } from '../support/installations.js';
import { noSeries } from '../support/server-run.js';

const changed: SeriesDelta = { family: 'changes', labels: [], kind: 'counter', by: 1 };

let store: Store;
let installations: Installations;
beforeEach(() => {
  store = memoryStore();
  installations = installationsOf('hq', 'branch');
});

const adopt = async (server: string, id: string): Promise<InstallationChange> =>
  adoptInstallation({ server, store, installations, series: { ...noSeries, replacedDeltas: () => [changed] } }, id);
/** Stores a cursor under a server's name. */
const remember = async (server: string, session: string): Promise<void> =>
  store.commit({ server, since: { metrics: 7n }, rows: [row({ session })] });
const sessions = async (server: string): Promise<readonly string[]> =>
  (await store.pending(server, 'metrics')).map(({ session }) => session);
const changes = async (): Promise<bigint> => {
  const [series] = await store.series();
  return series?.kind === 'counter' ? series.value : 0n;
};

describe('a server that reports its installation', () => {
  test('for the first time keeps the cursors from before it reported one', async () => {
    await remember('hq', 'a1');
    expect(await adopt('hq', 'a')).toBe('unchanged');
    expect(await sessions('hq')).toEqual(['a1']);
    expect((await store.state('hq')).facts).toEqual({ installationId: 'a' });
    expect(await adopt('hq', 'a')).toBe('unchanged');
    expect(await changes()).toBe(0n);
  });

  test('and stops to report it, is unchanged', async () => {
    await adopt('hq', 'a');
    await remember('hq', 'a1');
    expect(await adopt('hq', '')).toBe('unchanged');
    expect([await sessions('hq'), (await store.state('hq')).facts]).toEqual([['a1'], { installationId: 'a' }]);
  });

  test('as another one starts without cursors, and gets the old ones back with the old installation', async () => {
    await adopt('hq', 'a');
    await remember('hq', 'a1');
    expect(await adopt('hq', 'b')).toBe('replaced');
    expect([await sessions('hq'), (await store.state('hq')).since]).toEqual([[], {}]);
    await remember('hq', 'b1');
    expect(await adopt('hq', 'a')).toBe('returned');
    expect(await sessions('hq')).toEqual(['a1']);
    expect(await adopt('hq', 'b')).toBe('returned');
    expect(await sessions('hq')).toEqual(['b1']);
    expect(await changes()).toBe(3n);
  });

  test('under a new name takes over the cursors of the old name, which is not configured any more', async () => {
    await store.commit({ server: 'old', since: { metrics: 7n }, facts: { installationId: 'a' } });
    await remember('old', 'a1');
    expect(await adopt('hq', 'a')).toBe('renamed');
    expect([await sessions('hq'), await sessions('old')]).toEqual([['a1'], []]);
    expect((await store.state('hq')).since).toEqual({ metrics: 7n });
    expect(await changes()).toBe(0n);
  });
});

describe('one installation under two names', () => {
  const refused = { reason: 'config', message: expect.stringContaining('is the same installation') };
  test('is read through the first only', async () => {
    await adopt('hq', 'a');
    await expect(adopt('branch', 'a')).rejects.toMatchObject(refused);
    expect(await adopt('hq', 'a')).toBe('unchanged');
    expect(await store.holders('a')).toEqual(['hq']);
  });
  test('belongs to the server that its cursors are stored under, in any order after a restart', async () => {
    await adopt('branch', 'a');
    installations = installationsOf('hq', 'branch');
    await expect(adopt('hq', 'a')).rejects.toMatchObject(refused);
    expect(await adopt('branch', 'a')).toBe('unchanged');
  });
  test('is refused to one of two servers that report it at once', async () => {
    const both = await Promise.allSettled([adopt('hq', 'a'), adopt('branch', 'a')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
  test('may be read through the second once the first is another one', async () => {
    await adopt('hq', 'a');
    await remember('hq', 'a1');
    await expect(adopt('branch', 'a')).rejects.toMatchObject(refused);
    await adopt('hq', 'b');
    expect(await adopt('branch', 'a')).toBe('renamed');
    expect([await sessions('hq'), await sessions('branch')]).toEqual([[], ['a1']]);
  });
});

test.each([[['hq', 'branch']], [['branch', 'hq']]])(
  'two servers whose names were swapped take their cursors along, asked as %j',
  async order => {
    const reports: Readonly<Record<string, string>> = { hq: 'b', branch: 'a' };
    await adopt('hq', 'a');
    await adopt('branch', 'b');
    await remember('hq', 'a1');
    await remember('branch', 'b1');
    installations = installationsOf('hq', 'branch');
    for (const server of [...order, ...order]) await adopt(server, reports[server] ?? '').catch(() => undefined);
    expect([await sessions('hq'), await sessions('branch')]).toEqual([['b1'], ['a1']]);
  },
);

test('two servers that swap their installations while the exporter runs keep their cursors', async () => {
  await adopt('hq', 'a');
  await remember('hq', 'a1');
  await adopt('branch', 'b');
  await remember('branch', 'b1');
  await expect(adopt('hq', 'b')).rejects.toMatchObject({ reason: 'config' });
  expect(await adopt('branch', 'a')).toBe('returned');
  expect(await adopt('hq', 'b')).toBe('renamed');
  expect([await sessions('hq'), await sessions('branch')]).toEqual([['b1'], ['a1']]);
});
