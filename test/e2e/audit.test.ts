import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OtlpTarget } from '../../src/config/otlp.js';
import type { PersonalData } from '../../src/model/personal-data.js';
import { Secret } from '../../src/kernel/secret.js';
import { target } from '../support/otlp-target.js';
import { onPastStage, type PastStage } from '../support/past.js';
import { program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { startCollector } from './support/collector.js';
import { eventually, freePort } from './support/running.js';
import { startVictoriaLogs } from './support/victoria-logs.js';

const history = { sessions: 20, eventsEach: 19, days: 20 } as const;
const all = history.sessions * (history.eventsEach + 1);
const complete = `Complete: ${String(all)} of ${String(all)} records; 0 missing, 0 altered, 0 repeated, 0 unknown`;

const personalData: PersonalData = { person: 'hash', item: 'keep', path: 'keep', client: 'drop' };
const settings = { logs: { personal_data: personalData }, personal_data: { hash_key_file: 'key' } };

/** Sends all of the past to a receiver. */
async function sendAll({ folder, simulator }: PastStage, url: URL, over: Partial<OtlpTarget> = {}): Promise<void> {
  const limits = { maxAgeMs: undefined, maxBehindMs: undefined, maxAheadMs: undefined };
  const app = await program({
    ...configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' })),
    history: { kind: 'all' },
    logs: { ...target(url, { protocol: 'http/protobuf', ...over }), personalData, ...limits },
    hashKeyFile: join(folder, 'key'),
  });
  const delivered = 'vb365_sink_delivered_total{server="hq",sink="logs",outcome="delivered"}';
  await eventually('everything is delivered', async () => ((await app.value(delivered)) === all ? true : undefined));
  await app.stop(5_000);
}

/** The records as the store has them are complete; one line less, and another with another text, are named. */
async function audit({ run, folder }: PastStage, lines: readonly string[]): Promise<void> {
  const records = join(folder, 'records.jsonl');
  writeFileSync(records, lines.join('\n'));
  expect(await run(['audit', '--records', records])).toEqual({ code: 0, printed: [complete], errors: [] });
}

describe('an audit of real log stores', () => {
  test('of VictoriaLogs is complete, and names what was tampered with', async () => {
    await onPastStage({ history }, settings, async stage => {
      const store = await startVictoriaLogs(stage.folder, { flags: ['-retentionPeriod=10y'] });
      try {
        await sendAll(stage, store.url);
        await store.flush();
        const records = await store.records('*');
        await audit(
          stage,
          records.map(record => JSON.stringify(record)),
        );
        const [first, second, ...rest] = records;
        const changed = { ...second, 'veeam.organization.name': 'nobody.example.com' };
        const file = join(stage.folder, 'tampered.jsonl');
        writeFileSync(file, [changed, ...rest].map(record => JSON.stringify(record)).join('\n'));
        const { code, printed } = await stage.run(['audit', '--records', file]);
        expect(code).toBe(1);
        expect(printed).toEqual([
          expect.stringContaining(`missing   hq  ${first?.['veeam.restore.session.id'] ?? ''}`),
          expect.stringMatching(/^altered .*  veeam\.organization\.name$/),
          `Incomplete: ${String(all - 1)} of ${String(all)} records; 1 missing, 1 altered, 0 repeated, 0 unknown`,
        ]);
      } finally {
        await store.stop();
      }
    });
  });

  test('of the file of a Collector is complete', async () => {
    await onPastStage({ history }, settings, async stage => {
      const collector = await startCollector(stage.folder, await freePort());
      try {
        const headers = { authorization: new Secret(`Bearer ${collector.token}`) };
        await sendAll(stage, new URL('/v1/logs', collector.url), { headers });
        await eventually('everything is written', () => (collector.logs().length === all ? true : undefined));
      } finally {
        await collector.stop();
      }
      await audit(stage, readFileSync(join(stage.folder, 'logs.jsonl'), 'utf8').split('\n'));
    });
  });
});
