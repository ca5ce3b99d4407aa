import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/kernel/clock.js';
import type { PersonalData } from '../src/model/personal-data.js';
import { milliseconds } from '../src/model/time.js';
import { simulate } from '../src/simulator/simulate.js';
import { nobody, type World } from '../src/simulator/world.js';
import { keepAll, target } from './support/otlp-target.js';
import { otlpReceiver, type OtlpReceiver, refuse } from './support/otlp-receiver.js';
import { type Script, scriptedServer } from './support/scripted-server.js';
import { program, type Program } from './support/program.js';
import { inFolder } from './support/folder.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

/** In every text of the API that may be personal. */
const canary = 'canary7f3a';
/** A value in every enumeration: records hold it as the server wrote it, but no series has it as a label. */
const word = 'Canaryword';
/** The organization is a label, so it may be on metrics, and in nothing that we say of ourselves. */
const organization = 'canaryorg.example.com';
const dropAll: PersonalData = { person: 'drop', item: 'drop', path: 'drop', client: 'drop' };
const hashAll: PersonalData = { person: 'hash', item: 'hash', path: 'hash', client: 'hash' };

/** The members of an event that name an owner without a mailbox, by kind. */
const places = {
  organizationId: 'organization',
  backedUpOrganizationId: 'organization',
  groupId: 'group',
  siteId: 'site',
  teamId: 'team',
} as const;

const now = () => milliseconds(systemClock.now());

/** A session, stopped, with an event of each kind that says things in its own way. */
function haunt(world: World): void {
  world.addOwner({
    kind: 'user',
    id: `${canary} owner id`,
    name: `${canary} owner name`,
    organizationId: canary,
    email: `${canary}-owner@example.com`,
    url: `https://x.example.com/personal/${canary}`,
  });
  for (const [member, kind] of Object.entries(places)) {
    const id = `${canary} ${member}`;
    world.addOwner({ kind, id, name: `${id} name`, organizationId: id, email: `${canary}@example.com`, url: canary });
  }
  const { id } = world.addSession({
    createdAt: now(),
    organization,
    type: word,
    name: `${canary} name`,
    initiatedBy: `${canary} initiator`,
    scopeName: `${canary} scope`,
    clientHost: `${canary} client`,
    reason: `${canary} reason`,
  });
  const texts = {
    title: `${canary} title`,
    itemName: `${canary} item`,
    itemType: word,
    source: `${canary} source`,
    target: `${canary} target`,
    touched: {
      organizationId: canary,
      backedUpOrganizationId: canary,
      userId: `${canary} owner id`,
      groupId: canary,
      siteId: canary,
      teamId: canary,
    },
  };
  const message = `Item ${canary} was saved with error: ${canary} (type: ${word}; source: ${canary}; target: ${canary})`;
  world.appendEvent(id, { startedAt: now(), type: 'Save', status: 'Failed', message, ...texts });
  world.appendEvent(id, { startedAt: now(), type: word, status: word, message: canary, ...texts });
  for (const kind of Object.keys(places))
    world.appendEvent(id, {
      startedAt: now(),
      type: 'None',
      title: canary,
      message: canary,
      touched: { ...nobody, [kind]: `${canary} ${kind}` },
    });
  world.stopSession(id, { endedAt: now(), result: 'Failed', details: `${canary} details` });
}

type Haunted = Readonly<{ app: Program; receiver: OtlpReceiver; selfReceiver: OtlpReceiver; statePath: string }>;

/** Everywhere a sensitive value could leak: add new outputs here. */
const outputs: Readonly<Record<string, (of: Haunted) => Promise<string> | string>> = {
  'the page': async ({ app }) => (await app.get('/')).text,
  'the answer of /-/ready': async ({ app }) => (await app.get('/-/ready')).text,
  'the answer of /-/healthy': async ({ app }) => (await app.get('/-/healthy')).text,
  'the own log': ({ app }) => app.said.join('\n'),
  'the own telemetry': async ({ selfReceiver }) => {
    await until(() => ['poll', 'delivery', 'Listening'].every(text => sent(selfReceiver).includes(text)), 20_000);
    return sent(selfReceiver);
  },
};
const withOrganization: typeof outputs = {
  'the metrics': async ({ app }) => (await app.get('/metrics')).text,
  'the state file': ({ statePath }) =>
    ['', '-wal'].map(end => (existsSync(statePath + end) ? readFileSync(statePath + end, 'latin1') : '')).join(''),
};

/** Runs the program on a haunted server until logs and traces have everything. */
async function haunted(personalData: PersonalData, look: (of: Haunted) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock, instance: { installationId: canary, version: canary } });
    const receiver = await otlpReceiver();
    const selfReceiver = await otlpReceiver();
    receiver.answers.push(refuse(503, { 'x-canary': canary }, canary), refuse(400, {}, canary));
    const hashKeyFile = join(folder, 'key');
    writeFileSync(hashKeyFile, '0123456789abcdef');
    const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' }), receiver.url);
    const traces = { ...target(new URL('/v1/traces', receiver.url)), personalData, maxAheadMs: undefined };
    const logs = config.logs && { ...config.logs, personalData };
    const app = await program({
      ...config,
      hashKeyFile,
      logs,
      traces,
      ownTelemetry: { traces: target(selfReceiver.url), logs: target(selfReceiver.url) },
    });
    try {
      await until(async () => (await app.get('/-/ready')).status === 200);
      haunt(simulator.world);
      await until(async () => valuesIn(receiver).every(({ length }) => length >= 8), 30_000);
      await look({ app, receiver, selfReceiver, statePath: config.state.path });
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await selfReceiver.close();
      await simulator.close();
    }
  });
}

/** Distinct records and spans that were sent, as text. */
function valuesIn({ requests }: OtlpReceiver): readonly (readonly string[])[] {
  return ['/v1/logs', '/v1/traces'].map(path => {
    const bodies = requests.filter(({ url }) => url === path).map(({ body }) => body.toString());
    return [
      ...new Set(bodies.flatMap(body => body.match(/"(?:traceId":"[0-9a-f]+",)?"?spanId":"[0-9a-f]{16}"/g) ?? [])),
    ];
  });
}
const sent = ({ requests }: OtlpReceiver): string => requests.map(({ body }) => body.toString()).join('\n');

describe('Sensitive values', () => {
  test('are in records and spans only, when everything is kept', async () => {
    await haunted(keepAll, async of => {
      const ofPlaces = Object.keys(places).flatMap(member => [member, `${member} name`]);
      for (const field of ['owner id', 'owner name', ...ofPlaces])
        expect(sent(of.receiver)).toContain(`${canary} ${field}`);
      expect(sent(of.receiver)).toContain(`${canary}-owner@example.com`);
      for (const field of ['name', 'initiator', 'scope', 'client', 'reason', 'item', 'source', 'target'])
        expect(sent(of.receiver)).toContain(`${canary} ${field}`);
      for (const [where, look] of Object.entries({ ...outputs, ...withOrganization })) {
        const text = await look(of);
        expect([where, text.length > 0, text.includes(canary), text.includes(word)]).toEqual([
          where,
          true,
          false,
          // The log, which is part of its own telemetry, names a word that the exporter does not know.
          where === 'the own log' || where === 'the own telemetry',
        ]);
      }
      for (const [where, look] of Object.entries(outputs))
        expect([where, (await look(of)).includes(organization)]).toEqual([where, false]);
      for (const [where, look] of Object.entries(withOrganization))
        expect([where, (await look(of)).includes(organization)]).toEqual([where, true]);
    });
  });

  test('are nowhere, when everything is dropped', async () => {
    await haunted(dropAll, async of => {
      expect(sent(of.receiver)).toContain(organization);
      expect(sent(of.receiver)).not.toContain(canary);
    });
  });

  test('are nowhere in their own words, when everything is hashed', async () => {
    await haunted(hashAll, async of => {
      expect(sent(of.receiver)).toContain('hmac:');
      expect(sent(of.receiver).toLowerCase()).not.toContain(canary);
    });
  });

  const token = { access_token: `${canary}-token`, token_type: 'bearer', expires_in: 3600, refresh_token: canary };
  const error = { errorCode: canary, message: `${canary} was not found`, error: canary, error_description: canary };
  test.each<readonly [string, Script]>([
    ['a refused login', () => ({ status: 400, json: error })],
    ['an error of the server', ({ url }) => (url.includes('/token') ? { json: token } : { status: 500, json: error })],
    ['a page of a proxy', () => ({ status: 502, body: `<html>${canary}</html>`, headers: { 'x-canary': canary } })],
    ['an answer that is not JSON', ({ url }) => (url.includes('/token') ? { json: token } : { body: `{ "${canary}` })],
    [
      'sessions that are none',
      ({ url }) =>
        url.includes('/token')
          ? { json: token }
          : { json: { offset: 0, limit: 1, results: [{ id: canary, name: canary }] } },
    ],
  ])('from the server in %s are nowhere', async (_, script) => {
    await inFolder(async folder => {
      const server = await scriptedServer(script);
      const config = configOf(folder, serverConfig(server.url.origin));
      const app = await program(config);
      const polled = async (result: string) =>
        (await app.value(`vb365_polls_total{server="hq",result="${result}"}`)) ?? 0;
      try {
        await until(async () => (await polled('failed')) + (await polled('partial')) > 0);
        const texts = [app.said.join('\n'), (await app.get('/')).text, (await app.get('/metrics')).text];
        for (const text of [...texts, readFileSync(config.state.path, 'latin1')]) expect(text).not.toContain(canary);
      } finally {
        await app.stop(5_000);
        await server.close();
      }
    });
  });
});
