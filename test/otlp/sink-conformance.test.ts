import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Sink, sinkNames } from '../../src/pipeline/ports.js';
import { metricsSink } from '../../src/metrics/metrics-sink.js';
import { families } from '../../src/metrics/catalogue.js';
import { logsTo, tracesTo } from '../support/logs.js';
import { type OtlpReceiver, otlpReceiver, refuse } from '../support/otlp-receiver.js';
import { batch, noFindings, session, taken } from '../support/restore.js';

const never = new AbortController().signal;
const some = batch({
  events: [taken(), taken({ order: 2 })],
  results: [session()],
  findings: { ...noFindings, rejected: { no_id: 2 } },
});

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await otlpReceiver();
});
afterAll(async () => receiver.close());

type Case = Readonly<{
  make: () => Sink & { close: () => Promise<void> };
  /** Undefined for a sink whose other side cannot fail. */
  fail: (() => void) | undefined;
}>;

const cases: Readonly<Record<(typeof sinkNames)[number], Case>> = {
  metrics: { make: () => ({ ...metricsSink('hq'), close: async () => undefined }), fail: undefined },
  logs: {
    make: () => logsTo(receiver.url),
    fail: () => {
      receiver.answers.push(refuse(503));
    },
  },
  traces: {
    make: () => tracesTo(receiver.url),
    fail: () => {
      receiver.answers.push(refuse(503));
    },
  },
};

describe.each(sinkNames)('the %s sink keeps the word of a sink', name => {
  const { make, fail } = cases[name];
  const using = async <T>(use: (sink: Sink) => Promise<T>): Promise<T> => {
    const sink = make();
    try {
      return await use(sink);
    } finally {
      await sink.close();
    }
  };

  test('it says its name', () => {
    expect(make().name).toBe(name);
  });

  test('it resolves with what was delivered, once the other side has it', async () => {
    const { deltas } = await using(async sink => sink.deliver(some, never));
    const delivered = {
      family: 'vb365_sink_delivered_total',
      labels: ['hq', name, 'delivered'],
      kind: 'counter',
      by: 3,
    };
    expect(deltas).toContainEqual(delivered);
    const rejected = { family: 'vb365_events_rejected_total', labels: ['hq', name, 'no_id'], kind: 'counter', by: 2 };
    expect(deltas).toContainEqual(rejected);
  });

  test('its deltas are of stored families, with their labels, each series once', async () => {
    const { deltas } = await using(async sink => sink.deliver(some, never));
    for (const { family, labels } of deltas) {
      const row = families.find(({ name: of }) => of === family);
      expect(row?.stored).toBe(true);
      expect(labels).toHaveLength(row?.labels.length ?? -1);
    }
    expect(new Set(deltas.map(({ family, labels }) => JSON.stringify([family, labels]))).size).toBe(deltas.length);
  });

  test('an empty batch changes nothing and asks for nothing', async () => {
    const before = receiver.requests.length;
    expect((await using(async sink => sink.deliver(batch(), never))).deltas).toEqual([]);
    expect(receiver.requests).toHaveLength(before);
  });

  test('a batch of nothing but findings is counted', async () => {
    const findings = { ...noFindings, rejected: { duplicate_order: 1 } };
    expect((await using(async sink => sink.deliver(batch({ findings }), never))).deltas).toEqual([
      { family: 'vb365_events_rejected_total', labels: ['hq', name, 'duplicate_order'], kind: 'counter', by: 1 },
    ]);
  });

  test('it rejects when the other side has not taken the batch, and takes it the next time', async () => {
    if (fail === undefined) return;
    await using(async sink => {
      fail();
      await expect(sink.deliver(some, never)).rejects.toMatchObject({ name: 'ExporterError', reason: 'server' });
      const retried = { family: 'vb365_sink_delivered_total', labels: ['hq', name, 'retried'], kind: 'counter', by: 3 };
      expect((await sink.deliver(some, never)).deltas).toContainEqual(retried);
      expect((await sink.deliver(some, never)).deltas.map(({ labels }) => labels)).toContainEqual([
        'hq',
        name,
        'delivered',
      ]);
    });
  });

  test('it settles at once when it is aborted', async () => {
    const aborting = new AbortController();
    receiver.answers.push(() => {
      aborting.abort();
    });
    const outcome = await using(async sink =>
      sink.deliver(some, aborting.signal).then(
        () => 'taken',
        (error: unknown) => error,
      ),
    );
    receiver.answers.length = 0;
    if (fail === undefined) expect(outcome).toBe('taken');
    else expect(outcome).toMatchObject({ reason: 'aborted' });
  });
});
