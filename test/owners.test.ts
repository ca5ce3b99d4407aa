import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/kernel/clock.js';
import { keyedHash } from '../src/kernel/keyed-hash.js';
import { ownershipOf } from '../src/model/ownership.js';
import { workload } from '../src/model/session.js';
import type { PersonalData } from '../src/model/personal-data.js';
import { milliseconds } from '../src/model/time.js';
import type { Quirks } from '../src/simulator/quirks.js';
import { simulate, type Simulator } from '../src/simulator/simulate.js';
import { nobody } from '../src/simulator/world.js';
import { inFolder } from './support/folder.js';
import { keepAll, target } from './support/otlp-target.js';
import { otlpReceiver } from './support/otlp-receiver.js';
import { program, type Program } from './support/program.js';
import { configOf, serverConfig } from './support/program-config.js';
import { event as eventOf, session as sessionOf } from './support/restore.js';
import { until } from './support/until.js';

const alice = 'alice@contoso.com';
type Owned = Readonly<{
  app: Program;
  simulator: Simulator;
  sent: () => string;
  state: () => string;
  /** Attributes of the records and spans of events. */
  attributes: () => readonly Readonly<Record<string, string | undefined>>[];
}>;

/** `{ key, value: { stringValue } }` of each attribute. */
type OtlpItem = Readonly<{ attributes: readonly Readonly<{ key: string; value: { stringValue?: string } }>[] }>;
type OtlpScope = Readonly<{ logRecords?: readonly OtlpItem[]; spans?: readonly OtlpItem[] }>;
type OtlpResource = Readonly<{ scopeLogs?: readonly OtlpScope[]; scopeSpans?: readonly OtlpScope[] }>;
type OtlpBody = Readonly<{ resourceLogs?: readonly OtlpResource[]; resourceSpans?: readonly OtlpResource[] }>;

function attributesIn(body: string): readonly Readonly<Record<string, string | undefined>>[] {
  const { resourceLogs = [], resourceSpans = [] } = JSON.parse(body) as OtlpBody;
  return [...resourceLogs, ...resourceSpans]
    .flatMap(({ scopeLogs = [], scopeSpans = [] }) => [...scopeLogs, ...scopeSpans])
    .flatMap(({ logRecords = [], spans = [] }) => [...logRecords, ...spans])
    .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue])));
}

/** Alice opens two items of her own, one of Bob, and one of somebody who no longer exists. */
async function owned(
  {
    quirks = {},
    resolveOwners = true,
    personalData = keepAll,
  }: Readonly<{ quirks?: Partial<Quirks>; resolveOwners?: boolean; personalData?: PersonalData }>,
  look: (of: Owned) => Promise<void>,
): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock, quirks });
    const { world } = simulator;
    const receiver = await otlpReceiver();
    const hashKeyFile = join(folder, 'key');
    writeFileSync(hashKeyFile, '0123456789abcdef');
    const base = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8', resolveOwners }), receiver.url);
    const traces = { ...target(new URL('/v1/traces', receiver.url)), personalData, maxAheadMs: undefined };
    const config = { ...base, hashKeyFile, logs: base.logs && { ...base.logs, personalData }, traces };
    const app = await program(config);
    for (const [id, email] of [
      ['a', alice],
      ['b', 'bob@contoso.com'],
    ] as const)
      world.addOwner({ kind: 'user', id, name: `Name of ${id}`, organizationId: 'o', email });
    try {
      await until(async () => (await app.get('/-/ready')).status === 200);
      const startedAt = milliseconds(systemClock.now());
      const session = world.addSession({ createdAt: startedAt, initiatedBy: 'Alice@Contoso.com' });
      for (const userId of ['a', 'a', 'b', 'gone'])
        world.appendEvent(session.id, { startedAt, type: 'View', touched: { ...nobody, userId } });
      await until(async () => (await relations(app)).reduce((sum, count) => sum + count, 0) === 4);
      const attributes = () =>
        receiver.requests
          .flatMap(({ body }) => attributesIn(body.toString()))
          .filter(found => found['veeam.restore.event.type'] !== undefined);
      await until(() => attributes().length === 8);
      const state = () =>
        ['', '-wal']
          .map(end => config.state.path + end)
          .map(path => (existsSync(path) ? readFileSync(path, 'latin1') : ''))
          .join('');
      await look({
        app,
        simulator,
        attributes,
        sent: () => receiver.requests.map(({ body }) => body.toString()).join(''),
        state,
      });
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await simulator.close();
    }
  });
}

const relations = async (app: Program): Promise<readonly number[]> =>
  Promise.all(
    ['self', 'other', 'unknown'].map(
      async relation =>
        (await app.value(
          `vb365_restore_owner_events_total{server="hq",organization="example.onmicrosoft.com",relation="${relation}"}`,
        )) ?? 0,
    ),
  );

describe('whose data it is', () => {
  test('is looked up, counted and sent, and names are not stored', async () => {
    await owned({}, async ({ app, simulator, sent, state }) => {
      expect(await relations(app)).toEqual([2, 1, 1]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBe(3);
      expect(await app.value('vb365_owner_lookups_total{server="hq",outcome="found"}')).toBe(2);
      expect(await app.value('vb365_owner_lookups_total{server="hq",outcome="not_found"}')).toBe(1);
      for (const text of ['Name of a', 'Name of b', alice]) {
        expect(sent()).toContain(text);
        expect([text, state().includes(text)]).toEqual([text, false]);
        expect([text, (await app.get('/metrics')).text.includes(text)]).toEqual([text, false]);
      }
    });
  });

  test('is on each record and span', async () => {
    await owned({}, async ({ attributes }) => {
      const seen = attributes().map(found =>
        ['kind', 'id', 'name', 'email', 'relation'].map(part => found[`veeam.restore.owner.${part}`]),
      );
      const own = ['user', 'a', 'Name of a', alice, 'self'];
      const events = [
        own,
        own,
        ['user', 'b', 'Name of b', 'bob@contoso.com', 'other'],
        ['user', 'gone', undefined, undefined, 'unknown'],
      ];
      expect(seen.map(String).sort()).toEqual([...events, ...events].map(String).sort());
    });
  });

  test('is hashed so that one person is one hash wherever they occur', async () => {
    const personalData = { ...keepAll, person: 'hash' } as const;
    await owned({ personalData }, async ({ attributes, sent }) => {
      const hash = keyedHash(Buffer.from('0123456789abcdef'));
      for (const found of attributes()) expect(found['veeam.restore.session.initiator']).toBe(hash(alice));
      const own = attributes().filter(found => found['veeam.restore.owner.relation'] === 'self');
      expect(own.map(found => found['veeam.restore.owner.email'])).toEqual(own.map(() => hash(alice)));
      for (const [part, text] of [['id', 'a'] as const, ['name', 'Name of a'] as const])
        expect(own.map(found => found[`veeam.restore.owner.${part}`])).toEqual(own.map(() => hash(text)));
      expect(own).toHaveLength(4);
      expect(sent().toLowerCase()).not.toMatch(/alice@contoso|name of/);
    });
  });

  test('is read from the path before v8, where a person who opens their own OneDrive is seen too', async () => {
    const simulator = await simulate({ clock: systemClock });
    const owner = simulator.world.owners('user').find(({ name }) => name === 'Alex Wilber');
    await simulator.close();
    const source = new URL(String(owner?.url)).pathname;
    const found = ownershipOf(
      sessionOf({ workload: workload('Veod'), initiator: String(owner?.email).toUpperCase() }),
      eventOf({ source: `${source}/Documents/Budget.xlsx` }),
    );
    expect(found).toMatchObject({ relation: 'self', owner: { kind: 'user', derived: true } });
  });

  test('is the id alone where the server refuses, which the log says once', async () => {
    await owned({ quirks: { owners: 'refused' } }, async ({ app, simulator }) => {
      expect(await relations(app)).toEqual([0, 0, 4]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBeLessThanOrEqual(3);
      expect(app.said.filter(line => line.includes('may not read the owners'))).toHaveLength(1);
    });
  });

  test('is the id alone, without a request, when look-ups are switched off', async () => {
    await owned({ resolveOwners: false }, async ({ app, simulator }) => {
      expect(await relations(app)).toEqual([0, 0, 4]);
      expect(simulator.traffic.count('/ProtectedUsers/{id}')).toBe(0);
    });
  });
});
