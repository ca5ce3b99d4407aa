import { describe, expect, test } from '@jest/globals';
import { parseInstant } from '../src/model/time.js';
import { Secret } from '../src/kernel/secret.js';
import { type OtlpReceiver, refuse } from './support/otlp-receiver.js';
import { program } from './support/program.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';
import { drivenClock } from './support/simulator.js';
import { addEvents, onStage, openSession, restored, running } from './support/stage.js';

const at = (text: string) => parseInstant(text)?.at ?? 0n;
const uids = (receiver: OtlpReceiver): readonly unknown[] =>
  receiver.records().map(record => record.attributes.find(({ key }) => key === 'log.record.uid')?.value['stringValue']);

const sharepoint = (type: string): string =>
  `vb365_restore_events_total{server="hq",organization="example.onmicrosoft.com",workload="sharepoint",event_type="${type}",status="Success"}`;

describe('the documented sample page', () => {
  const sessionId = '61954db6-7278-4d26-86f7-888bda5a4ec4';
  const target =
    'C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727';

  test('from a v3 server of that day is counted as exactly two events', async () => {
    const clock = drivenClock(Date.parse('2017-05-30T10:53:00Z'));
    const quirks = { itemFields: false, linkHost: 'https://support.north.local:4443' };
    await onStage({ clock, quirks, versions: [3] }, async ({ folder, simulator, receiver }) => {
      const { world } = simulator;
      const server = serverConfig(simulator.url, { apiVersion: 'v3' });
      await running(await program(configOf(folder, server, receiver.url)), async app => {
        await until(async () => ((await app.value('vb365_polls_total{server="hq",result="complete"}')) ?? 0) >= 1);
        clock.advance(600_000);
        world.addSession({ id: sessionId, type: 'Vesp', createdAt: at('2017-05-30T10:53:45.0679711Z') });
        world.appendEvent(sessionId, {
          id: 'f346f90e-a02f-4747-b30e-ef34f980c670',
          startedAt: at('2017-05-30T10:53:45.0679711Z'),
          title: 'Restore session started',
          message: 'Restore session started',
        });
        world.appendEvent(sessionId, {
          id: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
          type: 'Save',
          startedAt: at('2017-05-30T10:57:28.0422679Z'),
          endedAt: at('2017-05-30T10:57:28.0869607Z'),
          title: 'Item is successfully restored.',
          message: `Item Image.jpg was saved successfully (type: Item; source: /personal/orgUser/Documents/Image.jpg; target: ${target})`,
        });
        await until(async () => (await app.value(sharepoint('Save'))) === 1 && receiver.records().length >= 2);
        expect(await app.value(sharepoint('None'))).toBe(1);
        const duration = 'vb365_restore_item_duration_seconds_sum{server="hq",workload="sharepoint",event_type="Save"}';
        expect(await app.value(duration)).toBe(0.0446928);
        expect(await app.value('vb365_sink_delivered_total{server="hq",sink="logs",outcome="delivered"}')).toBe(2);
      });
      const records = receiver.records();
      expect(records).toHaveLength(2);
      const saved = records.find(record => record.timeUnixNano === '1496141848086960700');
      const attributes = Object.fromEntries((saved?.attributes ?? []).map(({ key, value }) => [key, value]));
      expect(attributes).toMatchObject({
        'log.record.uid': { stringValue: '755d207e-ebd6-49da-9943-3b9e5eb31dee' },
        'veeam.restore.item.name': { stringValue: 'Image.jpg' },
        'veeam.restore.source': { stringValue: '/personal/orgUser/Documents/Image.jpg' },
        'veeam.restore.target': { stringValue: target },
      });
    });
  });
});

describe('the program', () => {
  test.each(['v3', 'v6', 'v7', 'v8'] as const)('reads a server over %s', async apiVersion => {
    await onStage({}, async ({ folder, simulator: { url, world }, receiver }) => {
      await running(await program(configOf(folder, serverConfig(url, { apiVersion }), receiver.url)), async app => {
        await until(async () => (await app.get('/-/ready')).status === 200);
        const session = openSession(world);
        addEvents(world, session, 50);
        await until(async () => (await app.value(restored)) === 50 && receiver.records().length >= 50);
        expect(new Set(uids(receiver)).size).toBe(50);
        expect(await app.value('vb365_server_up{server="hq"}')).toBe(1);
        expect((await app.get('/')).text).toContain('hq');
      });
    });
  });

  test('continues after a restart: counters stay and nothing is sent twice', async () => {
    await onStage({}, async ({ folder, simulator: { url, world }, receiver }) => {
      const config = configOf(folder, serverConfig(url), receiver.url);
      let session = '';
      await running(await program(config), async app => {
        await until(async () => (await app.get('/-/ready')).status === 200);
        session = openSession(world);
        addEvents(world, session, 7);
        await until(async () => (await app.value(restored)) === 7 && receiver.records().length >= 7);
      });
      addEvents(world, session, 3);
      await running(await program(config), async app => {
        expect(await app.value(restored)).toBeGreaterThanOrEqual(7);
        await until(async () => (await app.value(restored)) === 10 && receiver.records().length >= 10);
      });
      expect(receiver.records()).toHaveLength(10);
      expect(new Set(uids(receiver)).size).toBe(10);
    });
  });

  test('counts events while the receiver is down and delivers everything afterwards', async () => {
    await onStage({}, async ({ folder, simulator: { url, world }, receiver }) => {
      receiver.answers.push(refuse(503), refuse(503));
      await running(await program(configOf(folder, serverConfig(url), receiver.url)), async app => {
        await until(async () => (await app.get('/-/ready')).status === 200);
        addEvents(world, openSession(world), 20);
        await until(async () => (await app.value(restored)) === 20);
        const delivered = 'vb365_sink_delivered_total{server="hq",sink="logs",outcome="retried"}';
        await until(async () => (await app.value(delivered)) === 20);
        expect(await app.value('vb365_poll_errors_total{server="hq",reason="server"}')).toBe(0);
      });
      expect(new Set(uids(receiver)).size).toBe(20);
    });
  });

  test('a wrong password is logged once and shown in metrics and on the page', async () => {
    await onStage({}, async ({ folder, simulator: { url } }) => {
      const wrong = serverConfig(url, { password: { value: new Secret('hunter2-canary') } });
      await running(await program(configOf(folder, wrong)), async app => {
        await until(async () => ((await app.value('vb365_polls_total{server="hq",result="failed"}')) ?? 0) >= 3);
        expect(app.said.filter(line => line.includes('level=warn'))).toHaveLength(1);
        expect(await app.value('vb365_server_up{server="hq"}')).toBe(0);
        const { text } = await app.get('/');
        expect(text).toContain('Could not log in');
        expect(app.said.join('') + text + (await app.get('/metrics')).text).not.toContain('hunter2-canary');
      });
    });
  });

  test('a missing password file is logged and does not end the program', async () => {
    await onStage({}, async ({ folder, simulator: { url } }) => {
      const server = serverConfig(url, { password: { file: `${folder}/none` } });
      await running(await program(configOf(folder, server)), async app => {
        await until(async () => ((await app.value('vb365_poll_errors_total{server="hq",reason="auth"}')) ?? 0) >= 1);
        expect(app.said.join('')).toContain('Could not read password file');
      });
    });
  });
});

/** Poll intervals that never end in a test, so that only the change feed reports events. */
const v8 = (url: string) =>
  serverConfig(url, { apiVersion: 'v8', pollIntervalMs: 3_600_000, openPollIntervalMs: 3_600_000 });

describe('a server of version 8', () => {
  test('reports events by its change feed, long before the poll interval ends', async () => {
    await onStage({}, async ({ folder, simulator: { url, world } }) => {
      await running(await program(configOf(folder, v8(url))), async app => {
        await until(async () => (await app.value('vb365_change_feed_active{server="hq"}')) === 1);
        const id = openSession(world);
        addEvents(world, id, 2);
        await until(async () => (await app.value(restored)) === 2);
        addEvents(world, id, 1);
        await until(async () => (await app.value(restored)) === 3);
        world.purgeSession(id);
        const open =
          'vb365_restore_sessions_open{server="hq",organization="example.onmicrosoft.com",workload="exchange"}';
        await until(async () => (await app.value(open)) === 0);
        expect(await app.value('vb365_reconcile_missed_sessions_total{server="hq"}')).toBe(0);
      });
    });
  });

  test('Nothing lost: polls of open sessions find events that the feed does not report', async () => {
    await onStage({ quirks: { silentEvents: true } }, async ({ folder, simulator: { url, world } }) => {
      const server = { ...v8(url), openPollIntervalMs: 50 };
      await running(await program(configOf(folder, server)), async app => {
        await until(async () => (await app.value('vb365_change_feed_active{server="hq"}')) === 1);
        const id = openSession(world);
        await until(
          async () =>
            (await app.value('vb365_restore_oldest_open_session_start_timestamp_seconds{server="hq"}')) !== undefined,
        );
        addEvents(world, id, 3);
        await until(async () => (await app.value(restored)) === 3);
      });
    });
  });

  test.each(['missing', 'refused'] as const)('whose change feed is %s is polled, which is logged once', async feed => {
    await onStage({ quirks: { feed } }, async ({ folder, simulator: { url, world, traffic } }) => {
      await running(await program(configOf(folder, serverConfig(url, { apiVersion: 'v8' }))), async app => {
        await until(() => traffic.count('/RestoreSessions') > 1);
        addEvents(world, openSession(world), 2);
        await until(async () => (await app.value(restored)) === 2);
        await until(() => traffic.count('/RestoreSessions') > 5);
        expect(await app.value('vb365_change_feed_active{server="hq"}')).toBe(0);
        expect(await app.value('vb365_server_up{server="hq"}')).toBe(1);
        expect(traffic.count('/Events')).toBe(1);
        expect(app.said.filter(line => line.includes('Change feed failed'))).toHaveLength(1);
      });
    });
  });
});

describe('many servers', () => {
  test('one that is down does not affect the others, even with one concurrent request', async () => {
    await onStage({}, async ({ folder, simulator: { url, world } }) => {
      await onStage({ intercept: () => undefined }, async ({ simulator: silent }) => {
        const servers = [
          serverConfig(silent.url, { name: 'silent', requestTimeoutMs: 500 }),
          serverConfig(url),
          serverConfig('http://127.0.0.1:1', { name: 'nobody' }),
        ];
        const config = { ...configOf(folder, serverConfig(url)), servers, maxConcurrentRequests: 1 };
        await running(await program(config), async app => {
          await until(async () => (await app.value('vb365_server_up{server="hq"}')) === 1);
          addEvents(world, openSession(world), 2);
          await until(async () => (await app.value(restored)) === 2);
          await until(async () => (await app.value('vb365_server_up{server="silent"}')) === 0);
          expect(await app.value('vb365_server_up{server="nobody"}')).toBe(0);
          expect(await app.value('vb365_poll_errors_total{server="nobody",reason="network"}')).toBeGreaterThan(0);
        });
      });
    });
  });
});
