import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { otlpReceiver } from '../support/otlp-receiver.js';
import { onPastStage } from '../support/past.js';
import { program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { receivedLines } from '../support/stored-logs.js';
import { startPostgresql, stateIn, urlOf } from './support/postgresql.js';
import { eventually } from './support/running.js';

const dayMs = 86_400_000;

/** What the lines say, with the reason. */
const reasons = (printed: readonly string[]): readonly string[] =>
  printed.filter(line => line.startsWith('missing')).map(line => line.replace(/^.*Z  /, '').replace(/, at .*/, ''));

test('an audit next to two replicas explains what is missing from their state in PostgreSQL, as from a file', async () => {
  const database = await startPostgresql();
  const receiver = await otlpReceiver();
  const name = await database.createDatabase();
  const settings = { state: { postgresql: { url: urlOf(database.port, name) } } };
  try {
    await onPastStage({ history: { sessions: 10, eventsEach: 9, days: 20 } }, settings, async stage => {
      const { run, folder, simulator } = stage;
      const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' }), receiver.url);
      const shared = {
        ...config,
        history: { kind: 'ago', ms: 10 * dayMs },
        state: { path: '', postgresql: stateIn(database.port, name) },
      } as const;
      const file = join(folder, 'records.jsonl');
      const early = await run(['audit', '--records', '/dev/null', '--state']);
      expect([early.code, early.errors]).toEqual([1, [expect.stringContaining('it holds no state yet')]]);
      const replicas = [await program(shared), await program(shared)];
      try {
        const sent = await eventually('the past is sent, and committed', async () => {
          const [row] = await database.sql(
            "SELECT count(*)::integer AS pending FROM vb365_exporter.session WHERE sink = 'logs' AND NOT done",
            name,
          );
          const lines = receivedLines(receiver);
          return row?.['pending'] === 0 && lines.length > 20 ? lines : undefined;
        });
        const [refused = '', lost = '', ...rest] = sent;
        const [, session = ''] = /"veeam\.restore\.session\.id","value":\{"stringValue":"([^"]+)"/.exec(refused) ?? [];
        const [, event = ''] = /"log\.record\.uid","value":\{"stringValue":"([^"]+)"/.exec(refused) ?? [];
        await database.sql(
          `INSERT INTO vb365_exporter.set_aside (server, sink, session, event, reason, at) VALUES ('hq', 'logs', '${session}', '${event}', 'too_large', 0)`,
          name,
        );
        expect(lost).not.toBe('');
        writeFileSync(file, rest.join('\n'));
        const ran = await run(['audit', '--records', file, '--state']);
        const history = 100 - sent.length;
        expect([ran.code, ran.errors, ran.printed.at(-1)]).toEqual([
          1,
          [],
          `Incomplete: ${String(rest.length)} of 100 records; ${String(history + 2)} missing, 0 altered, 0 repeated, 0 unknown`,
        ]);
        const found = Map.groupBy(reasons(ran.printed), reason => reason);
        expect(Object.fromEntries([...found].map(([reason, all]) => [reason, all.length]))).toEqual({
          'before the exporter began with the server': history,
          'the receiver refused it (too_large)': 1,
          'the receiver acknowledged it: it was lost or deleted after that': 1,
        });
        await Promise.all(replicas.map(async replica => replica.stop(5_000)));
        const copy = join(folder, 'copy.db');
        expect(await run(['state', 'copy', '--from', 'postgresql:', '--to', `sqlite:${copy}`])).toMatchObject({
          code: 0,
        });
        expect((await run(['audit', '--records', file, '--state', copy])).printed).toEqual(ran.printed);
      } finally {
        await Promise.all(replicas.map(async replica => replica.stop(5_000)));
      }
    });
  } finally {
    await receiver.close();
    await database.remove();
  }
});
