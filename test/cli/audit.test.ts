import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { inEncodings } from '../support/encodings.js';
import { otlpReceiver } from '../support/otlp-receiver.js';
import { onPastStage, type PastStage } from '../support/past.js';
import { program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { receivedLines } from '../support/stored-logs.js';
import { until } from '../support/until.js';

type Stage = PastStage & Readonly<{ lines: readonly string[]; file: string }>;

/** The exporter has sent all of the past, and still runs. */
async function onAuditStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onPastStage({ history: { sessions: 10, eventsEach: 9, days: 9 } }, {}, async stage => {
    const receiver = await otlpReceiver();
    const config = configOf(stage.folder, serverConfig(stage.simulator.url, { apiVersion: 'v8' }), receiver.url);
    const app = await program({ ...config, history: { kind: 'all' } });
    try {
      await until(() => receivedLines(receiver).length === 100);
      const committed = 'vb365_sink_delivered_total{server="hq",sink="logs",outcome="delivered"}';
      await until(async () => (await app.value(committed)) === 100);
      await play({ ...stage, lines: receivedLines(receiver), file: join(stage.folder, 'records.jsonl') });
    } finally {
      await app.stop(5_000);
      await receiver.close();
    }
  });
}

describe('audit', () => {
  test('is complete for what a running exporter has sent, and says why something is missing', async () => {
    await onAuditStage(async ({ run, file, lines }) => {
      for (const { bytes } of inEncodings(`${lines.join('\r\n')}\r\n`)) {
        writeFileSync(file, bytes);
        const whole = await run(['audit', '--records', file]);
        expect(whole).toEqual({
          code: 0,
          printed: ['Complete: 100 of 100 records; 0 missing, 0 altered, 0 repeated, 0 unknown'],
          errors: [],
        });
      }
      writeFileSync(
        file,
        [...lines.slice(1, -1), lines[1], String(lines.at(-1)).replace('"INFO"', '"OTHER"'), '{"cut'].join('\n'),
      );
      const { code, printed } = await run(['audit', '--records', file, '--state']);
      expect(code).toBe(1);
      expect(printed[0]).toMatch(
        /^missing {3}hq  [-\w]{36}  [-\w]{36} +20\S+Z  the receiver acknowledged it: it was lost or deleted/,
      );
      expect(printed.slice(1)).toEqual([
        expect.stringMatching(/^altered .*  severity$/),
        expect.stringMatching(/^repeated .*  2 times$/),
        'Ignored: 1 lines that are not JSON',
        'Incomplete: 99 of 100 records; 1 missing, 1 altered, 1 repeated, 0 unknown',
      ]);
      const json = JSON.parse(
        (await run(['audit', '--records', file, '--json', '--state'])).printed.join('\n'),
      ) as object;
      expect(json).toMatchObject({
        complete: false,
        expected: 100,
        missing: [{ server: 'hq', reason: expect.stringMatching(/^the receiver acknowledged it/) }],
        altered: [{ attributes: ['severity'] }],
        repeated: [{ times: 2 }],
        ignored: { unreadable: 1 },
      });
    });
  });

  test('reads standard input, in which a line may come in pieces', async () => {
    await onAuditStage(async ({ run, lines }) => {
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (let from = 0; from < bytes.length; from += 777) yield bytes.subarray(from, from + 777);
      };
      const { printed } = await run(['audit', '--records', '-'], { input: pieces });
      expect(printed.at(-1)).toBe('Complete: 100 of 100 records; 0 missing, 0 altered, 0 repeated, 0 unknown');
    });
  });

  test('reads several files, such as those of a Collector that rotates them', async () => {
    await onAuditStage(async ({ run, file, lines }) => {
      writeFileSync(file, lines.slice(0, 40).join('\n'));
      writeFileSync(`${file}.1`, `\ufeff${lines.slice(40).join('\r\n')}\r\n\r\n`);
      const { code, printed } = await run(['audit', '--records', file, '--records', `${file}.1`]);
      expect([code, ...printed]).toEqual([
        0,
        'Complete: 100 of 100 records; 0 missing, 0 altered, 0 repeated, 0 unknown',
      ]);
    });
  });

  test('a record cannot forge a line of what is printed', async () => {
    await onAuditStage(async ({ run, file, lines }) => {
      const invented = { 'log.record.uid': 'x\nComplete: all\u001b[2J\u202e', 'service.instance.id': 'hq' };
      writeFileSync(file, [...lines, JSON.stringify(invented)].join('\n'));
      const { code, printed } = await run(['audit', '--records', file]);
      expect([code, ...printed]).toEqual([
        1,
        'unknown   hq  x\ufffdComplete: all\ufffd[2J\ufffd',
        'Incomplete: 100 of 100 records; 0 missing, 0 altered, 0 repeated, 1 unknown',
      ]);
    });
  });

  test.each<[string, Buffer, RegExp]>([
    ['gzip', gzipSync('{}'), /^Could not read records ".*": they are compressed; use zcat and "--records -"$/],
    ['zstd', zstdCompressSync('{}'), /: they are compressed; use zstdcat and "--records -"$/],
    ['one line without end', Buffer.alloc(65 * 1024 * 1024, '['), /: a line is longer than 64 MiB; each record needs/],
  ])('records that are %s are an error, and not missing', async (_what, bytes, message) => {
    await onPastStage({ history: { sessions: 1, eventsEach: 1, days: 1 } }, {}, async ({ run, folder }) => {
      const file = join(folder, 'records');
      writeFileSync(file, bytes);
      const { code, printed, errors } = await run(['audit', '--records', file]);
      expect([code, printed, errors]).toEqual([1, [], [expect.stringMatching(message)]]);
    });
  });

  test('a record that occurs twice is no difference', async () => {
    await onAuditStage(async ({ run, file, lines }) => {
      writeFileSync(file, [...lines, ...lines].join('\n'));
      const { code, printed } = await run(['audit', '--records', file]);
      expect([code, printed.at(-1)]).toEqual([
        0,
        'Complete: 100 of 100 records; 0 missing, 0 altered, 100 repeated, 0 unknown',
      ]);
    });
  });

  test.each<[string, () => Readable]>([
    ['on an idle pipe', () => new PassThrough()],
    [
      'in the middle of what has no end',
      () =>
        new Readable({
          read() {
            setImmediate(() => this.push('{}\n'));
          },
        }),
    ],
  ])('ends at once when it is stopped, %s', async (_where, open) => {
    await onPastStage({}, {}, async ({ run }) => {
      const stop = new AbortController();
      const stream = open();
      const reading = run(['audit', '--records', '-'], { input: () => stream, stop: stop.signal });
      await until(() => stream.listenerCount('readable') > 0);
      stop.abort();
      expect(await reading).toEqual({ code: 1, printed: [], errors: ['Could not finish: interrupted'] });
    });
  });

  test('a state that cannot be read is an error before records and history are read', async () => {
    await onPastStage({}, {}, async ({ run }) => {
      const { errors } = await run(['audit', '--records', '/none/x', '--state']);
      expect(errors).toEqual([expect.stringMatching(/^Could not read state file .*state\.db/)]);
    });
    const postgresql = { url: 'postgresql://exporter@127.0.0.1:1/vb365' };
    await onPastStage({}, { state: { postgresql } }, async ({ run }) => {
      const { code, errors } = await run(['audit', '--records', '/none/x', '--state']);
      expect([code, ...errors]).toEqual([1, 'Could not read the state in PostgreSQL: connection refused']);
    });
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['no records', [], 2, /required option '--records <file>' not specified/],
    ['a missing file', ['--records', '/none/x'], 1, /^Could not read records "\/none\/x": no such file or directory/],
    ['a directory', ['--records', '/'], 1, /^Could not read records "\/": it is a directory/],
    ['a missing state', ['--records', '/dev/null', '--state', '/none/x'], 1, /^Could not read state file "\/none\/x"/],
    [
      'another state',
      ['--records', '/dev/null', '--state', '/bin/sh'],
      1,
      /^Could not open state file "\/bin\/sh": it is not/,
    ],
  ])('%s is one line', async (_what, flags, code, message) => {
    await onPastStage({}, {}, async ({ run }) => {
      const ran = await run(['audit', ...flags]);
      expect([ran.code, ran.printed]).toEqual([code, []]);
      expect(ran.errors.join('\n')).toMatch(message);
    });
  });
});
