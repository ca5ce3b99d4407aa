import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../src/kernel/clock.js';
import { simulate } from '../src/simulator/simulate.js';
import { families } from '../src/metrics/catalogue.js';
import { selfSigned } from './support/authority.js';
import { otlpReceiver } from './support/otlp-receiver.js';
import { program } from './support/program.js';
import { inFolder } from './support/folder.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

/** The page of the program, when it has counted a Failed event and a stopped session of a simulated server. */
async function page(): Promise<string> {
  let text = '';
  await inFolder(async folder => {
    const { cert, key, fingerprint } = await selfSigned([{ type: 'ip', value: '127.0.0.1' }]);
    const simulator = await simulate({ clock: systemClock, tls: { cert, key } });
    const pinned = { caFile: undefined, serverFingerprint: fingerprint, insecureSkipVerify: false };
    const receiver = await otlpReceiver();
    const app = await program(configOf(folder, serverConfig(simulator.url, { tls: pinned }), receiver.url));
    try {
      await until(async () => (await app.get('/-/ready')).status === 200);
      const now = BigInt(systemClock.now()) * 1_000_000n;
      const { world } = simulator;
      const stopped = world.addSession({ createdAt: now });
      world.appendEvent(stopped.id, { startedAt: now, type: 'Restore', message: 'x', status: 'Failed' });
      world.appendEvent(stopped.id, { startedAt: now, type: 'Restore', message: 'x' });
      world.stopSession(stopped.id, { endedAt: now + 1n, result: 'Success' });
      world.addSession({ createdAt: now });
      await until(async () => {
        ({ text } = await app.get('/metrics'));
        return /restore_events_total\{.*Failed"\} 1\n/.test(text) && /restore_sessions_total\{.*\} 1\n/.test(text);
      });
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await simulator.close();
    }
  });
  return text;
}

type Exposed = { type: string; help: string; labels: Set<string>; samples: number };

/** Families as a scraper reads them: a sample belongs to the family whose `# TYPE` stands above it. */
function read(text: string): ReadonlyMap<string, Exposed> {
  const found = new Map<string, Exposed>();
  const at = (name: string): Exposed => {
    const exposed = found.get(name) ?? { type: '', help: '', labels: new Set<string>(), samples: 0 };
    found.set(name, exposed);
    return exposed;
  };
  let current = '';
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) at((current = name))[kind === 'HELP' ? 'help' : 'type'] = rest;
    else if (line !== '') {
      const sample = at(current);
      sample.samples += 1;
      for (const [, label = ''] of line.matchAll(/[{,](\w+)="/g)) sample.labels.add(label);
    }
  }
  return found;
}

describe('the exposed metrics and the catalogue', () => {
  test('agree in both directions: names, types, help and labels', async () => {
    const exposed = read(await page());
    const own = [...exposed.keys()].filter(name => name.startsWith('vb365_'));
    expect(own.toSorted()).toEqual(families.map(({ name }) => name));
    for (const { name, type, help, labels, onFirstUse } of families) {
      const { samples, ...rest } = exposed.get(name) ?? { samples: 0 };
      const expected = samples === 0 ? [] : [...labels, ...(type === 'histogram' ? ['le'] : [])];
      expect({ name, ...rest }).toEqual({ name, type, help, labels: new Set(expected) });
      // Only replicas have leases.
      const isUsed = onFirstUse !== true && !name.startsWith('vb365_lease_');
      if (isUsed) expect(`${name}: ${samples > 0 ? 'has' : 'lacks'} series`).toBe(`${name}: has series`);
    }
    expect([...exposed.keys()].filter(name => !/^(vb365|process|nodejs)_/.test(name))).toEqual([]);
  });
});

test('an idle v8 server costs at most 90 series with all sinks, and its error counters exist at 0', async () => {
  await inFolder(async folder => {
    const { cert, key, fingerprint } = await selfSigned([{ type: 'ip', value: '127.0.0.1' }]);
    const simulator = await simulate({ clock: systemClock, tls: { cert, key } });
    const receiver = await otlpReceiver();
    const tls = { caFile: undefined, serverFingerprint: fingerprint, insecureSkipVerify: false };
    const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8', tls }), receiver.url);
    const app = await program({ ...config, traces: config.logs });
    try {
      await until(async () => (await app.value('vb365_change_feed_active{server="hq"}')) === 1);
      await until(async () => (await app.get('/metrics')).text.includes('operation="feed",code="2xx"'));
      const { text } = await app.get('/metrics');
      const lines = text.split('\n').filter(line => line.startsWith('vb365_') && line.includes('server="hq"'));
      expect(lines.length).toBeLessThanOrEqual(90);
      for (const sample of [
        'vb365_sink_delivered_total{server="hq",sink="traces",outcome="rejected"} 0',
        'vb365_events_rejected_total{server="hq",sink="metrics",reason="no_status"} 0',
        'vb365_poll_errors_total{server="hq",reason="auth"} 0',
        'vb365_polls_total{server="hq",result="failed"} 0',
        'vb365_restore_events_abandoned_total{server="hq"} 0',
      ])
        expect(lines).toContain(sample);
    } finally {
      await app.stop(5_000);
      await receiver.close();
      await simulator.close();
    }
  });
});
