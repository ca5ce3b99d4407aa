import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../src/config/parse.js';
import { systemClock } from '../../src/kernel/clock.js';
import { openOtlpSinks, sinkNamesOf } from '../../src/otlp/sinks.js';
import { keepAll, target } from '../support/otlp-target.js';
import { otlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { batch, taken } from '../support/restore.js';

const server = serverConfig('http://127.0.0.1:1');
const never = new AbortController().signal;

/** Logs with persons hashed, and traces. */
function hashing(folder: string, { url }: OtlpReceiver): Config {
  const config = configOf(folder, server, url);
  const personalData = { ...keepAll, person: 'hash' } as const;
  return {
    ...config,
    logs: config.logs && { ...config.logs, personalData },
    traces: { ...target(new URL('/v1/traces', url)), personalData, maxAheadMs: undefined },
    hashKeyFile: join(folder, 'key'),
  };
}

async function onStage(play: (folder: string, receiver: OtlpReceiver) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const receiver = await otlpReceiver();
    try {
      await play(folder, receiver);
    } finally {
      await receiver.close();
    }
  });
}

describe('what leaves over OTLP', () => {
  test('is what the configuration asks for', async () => {
    await onStage(async (folder, receiver) => {
      const config = configOf(folder, server);
      expect(sinkNamesOf(config)).toEqual(['metrics']);
      expect(sinkNamesOf(hashing(folder, receiver))).toEqual(['metrics', 'logs', 'traces']);
      const otlpSinks = await openOtlpSinks({ config, version: '1', clock: systemClock });
      expect([otlpSinks.sinksOf(server), otlpSinks.ownTelemetry]).toEqual([[], undefined]);
      await otlpSinks.close();
    });
  });

  test('has the same hash of a person in log records and in spans', async () => {
    await onStage(async (folder, receiver) => {
      writeFileSync(join(folder, 'key'), 'a key of sixteen bytes or more');
      const config = hashing(folder, receiver);
      const otlpSinks = await openOtlpSinks({ config, version: '1', clock: systemClock });
      for (const sink of otlpSinks.sinksOf(server)) await sink.deliver(batch({ events: [taken()] }), never);
      await otlpSinks.close();
      const bodies = receiver.requests.map(({ body }) => body.toString());
      const hashes = bodies.map(
        body => /session.initiator","value":{"stringValue":"(hmac:[0-9a-f]{32})"/.exec(body)?.[1],
      );
      expect(hashes).toHaveLength(2);
      expect(hashes[0]).toBeDefined();
      expect(hashes[1]).toBe(hashes[0]);
      expect(bodies.join('')).not.toContain('alice');
    });
  });

  test.each([
    ['is not there', undefined, /^Could not read hash key file ".*key": no such file$/],
    ['is too short', 'fifteen bytes..', /^Could not use hash key file ".*key": it must hold at least 16 bytes$/],
  ])('is nothing at all when the key of hashes %s', async (_, key, message) => {
    await onStage(async (folder, receiver) => {
      if (key !== undefined) writeFileSync(join(folder, 'key'), key);
      const config = hashing(folder, receiver);
      await expect(openOtlpSinks({ config, version: '1', clock: systemClock })).rejects.toMatchObject({
        reason: 'config',
        message: expect.stringMatching(message),
      });
    });
  });
});
