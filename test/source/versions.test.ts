import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/kernel/secret.js';
import { createLog } from '../../src/kernel/log.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { VersionMemory } from '../../src/source/options.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';
import { drivenClock } from '../support/simulator.js';
import { bench, type Extras, never, type Rig } from '../support/source-rig.js';
import type { Asked, Reply } from '../support/scripted-server.js';

const { begin, closeLater } = bench();

type Kept = { apiVersion?: string; installationId?: string };

/** What is remembered, by a source and the next. */
const memoryOf = (kept: Kept): VersionMemory => ({
  recall: async () => ({ ...kept }),
  keep: async apiVersion => {
    kept.apiVersion = apiVersion;
  },
});

function heard() {
  const said: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'logfmt',
    write: line => void said.push(line.replace(/^ts=\S+ /, '').trim()),
  });
  return { said, log };
}

async function server(options: Partial<SimulateOptions> = {}): Promise<Simulator> {
  const simulator = await simulate({ clock: drivenClock(), ...options });
  closeLater(simulator.close);
  return simulator;
}

const sourceOf = async ({ url }: Pick<Simulator, 'url'>, kept: Kept, over: Extras = {}): Promise<Rig> =>
  begin(() => ({}), {
    baseUrl: new URL(url),
    apiVersion: 'auto',
    credentials: { kind: 'password', username: 'simulator', secret: async () => new Secret('simulator') },
    memory: memoryOf(kept),
    ...over,
  });

const probes = ({ traffic }: Simulator): number =>
  traffic.recent.filter(
    ({ route, method, status }) =>
      (route === '/ServiceInstance' && status === 401) || (method === 'GET' && route === '*'),
  ).length;

describe('a version that was detected', () => {
  test('is remembered, said once, and used by the next process without a probe', async () => {
    const simulator = await server({ versions: [6, 7] });
    const kept: Kept = {};
    const { said, log } = heard();
    const first = await sourceOf(simulator, kept, { log });
    expect(await first.source.instance(never)).toMatchObject({ apiVersion: 'v7' });
    await first.source.sessions(undefined, never);
    expect(kept).toEqual({ apiVersion: 'v7' });
    expect(said).toEqual(['level=info msg="Detected the API version" api_version=v7']);
    expect(probes(simulator)).toBe(4);
    const next = await sourceOf(simulator, kept, { log });
    await next.source.sessions(undefined, never);
    expect(next.source.apiVersion()).toBe('v7');
    expect([probes(simulator), said.length]).toEqual([4, 1]);
  });

  test('is never left for a newer one', async () => {
    const kept: Kept = { apiVersion: 'v6' };
    const { source } = await sourceOf(await server(), kept);
    expect(await source.instance(never)).toMatchObject({ apiVersion: 'v6' });
    await source.sessions(undefined, never);
    expect(kept.apiVersion).toBe('v6');
  });

  test('is found once for all concurrent requests', async () => {
    const simulator = await server();
    const { source } = await sourceOf(simulator, {});
    await Promise.all([source.sessions(undefined, never), source.instance(never), source.sessions(undefined, never)]);
    expect([probes(simulator), simulator.traffic.count('/token')]).toEqual([4, 1]);
  });

  test('that is not served any more is replaced, and that is said', async () => {
    const kept: Kept = { apiVersion: 'v6' };
    const { said, log } = heard();
    const { source } = await sourceOf(await server({ versions: [7, 8] }), kept, { log });
    await expect(source.sessions(undefined, never)).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('HTTP 404'),
    });
    await source.sessions(undefined, never);
    expect(await source.instance(never)).toMatchObject({ apiVersion: 'v8' });
    expect([kept.apiVersion, source.apiVersion()]).toEqual(['v8', 'v8']);
    expect(said).toEqual([
      'level=warn msg="Server no longer supports the API version; switching" before=v6 api_version=v8',
    ]);
  });

  test('that vanishes while it is spoken is replaced too', async () => {
    const kept: Kept = {};
    let versions = /^\/v[67]\//;
    const one = await begin(
      scripted(() => versions),
      { apiVersion: 'auto', memory: memoryOf(kept) },
    );
    await one.source.sessions(undefined, never);
    versions = /^\/v[78]\//;
    await one.source.sessions(undefined, never);
    expect(kept.apiVersion).toBe('v7');
    versions = /^\/v8\//;
    await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'rejected' });
    await one.source.sessions(undefined, never);
    expect(kept.apiVersion).toBe('v8');
  });

  test('stays when the server only seems to have lost it', async () => {
    const kept: Kept = { apiVersion: 'v6' };
    let lost = true;
    const one = await begin(
      asked => (lost && asked.url.includes('RestoreSessions') ? { status: 404 } : scripted(() => /^\/v[678]\//)(asked)),
      { apiVersion: 'auto', memory: memoryOf(kept) },
    );
    await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'rejected' });
    await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'rejected' });
    lost = false;
    await one.source.sessions(undefined, never);
    expect([kept.apiVersion, one.source.apiVersion()]).toEqual(['v6', 'v6']);
  });

  test('belongs to its installation: another one at the same place has its own detected', async () => {
    const simulator = await server({ versions: [6, 7, 8] });
    const kept: Kept = { apiVersion: 'v6', installationId: '11111111-2222-3333-4444-555555555555' };
    const { source } = await sourceOf(simulator, kept);
    const instance = await source.instance(never);
    expect(instance).toMatchObject({ apiVersion: 'v8' });
    const same = await sourceOf(simulator, { apiVersion: 'v6', installationId: instance.installationId });
    expect(await same.source.instance(never)).toMatchObject({ apiVersion: 'v6' });
  });

  test('that is unknown is detected again', async () => {
    const { source } = await sourceOf(await server({ versions: [8] }), { apiVersion: 'v1' });
    expect(await source.instance(never)).toMatchObject({ apiVersion: 'v8' });
  });

  test('that cannot be remembered is not used', async () => {
    const memory: VersionMemory = {
      recall: async () => ({}),
      keep: async () => {
        throw new ExporterError('store', 'full');
      },
    };
    const { source } = await sourceOf(await server(), {}, { memory });
    await expect(source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'store' });
    expect(source.apiVersion()).toBeUndefined();
  });
});

test('a version that is set is spoken without looking', async () => {
  const simulator = await server();
  const kept: Kept = { apiVersion: 'v8' };
  const { source } = await sourceOf(simulator, kept, { apiVersion: 'v3' });
  await source.sessions(undefined, never);
  expect([source.apiVersion(), kept.apiVersion, probes(simulator)]).toEqual(['v3', 'v8', 0]);
});

test('a server that is not there yet is probed again after a wait, and found when it is', async () => {
  let there = false;
  const one = await begin(asked => (there ? scripted(() => /^\/v8\//)(asked) : { status: 503 }), {
    apiVersion: 'auto',
    random: () => 0.5,
  });
  await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({
    reason: 'server',
    message: expect.stringContaining('HTTP 503'),
  });
  const before = one.server.asked.length;
  there = true;
  await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'server' });
  expect(one.server.asked).toHaveLength(before);
  one.clock.move(500);
  await one.source.sessions(undefined, never);
  expect(one.source.apiVersion()).toBe('v8');
});

/** A server that serves what `versions` matches, and has no sessions. */
const scripted =
  (versions: () => RegExp) =>
  ({ url, authorization }: Asked): Reply => {
    if (!versions().test(url)) return { status: 404 };
    if (authorization === undefined) return { status: 401 };
    return { json: { offset: 0, limit: 10_000, results: [] } };
  };
