import { type DiscoveryReport, nothingRead } from '../../src/discovery/scheduler.js';
import { eventStatus, eventType, type RestoreEvent } from '../../src/model/event.js';
import { type Session, sessionResult, workload } from '../../src/model/session.js';
import type { Nanos } from '../../src/model/time.js';
import type {
  Batch,
  EventPage,
  EventRow,
  SeriesDelta,
  ServedSeries,
  Sink,
  SinkName,
} from '../../src/pipeline/ports.js';
import type { DeliveryReport } from '../../src/pipeline/delivery-report.js';
import type { LoginSource } from '../../src/server/installation.js';
import type { ExporterError } from '../../src/kernel/errors.js';

export const second = 1_000_000_000n;

export const session = (over: Partial<Session> = {}): Session => ({
  id: 's1',
  name: '',
  organization: 'contoso',
  workload: workload('Vex'),
  createdAt: 0n,
  endedAt: undefined,
  open: true,
  result: sessionResult('Success'),
  initiator: '',
  details: '',
  scope: '',
  clientHost: '',
  reason: '',
  ...over,
});

export const event = (order: number, over: Partial<RestoreEvent> = {}): RestoreEvent => ({
  id: `e${String(order)}`,
  order,
  type: eventType('Restore'),
  status: eventStatus('Success'),
  startedAt: 0n,
  endedAt: 1n,
  duration: 1n,
  title: '',
  message: '',
  item: { name: '', type: '', sizeBytes: undefined },
  source: '',
  target: '',
  reason: '',
  anomalies: [],
  ...over,
});

export const page = (rows: readonly EventRow[], over: Partial<EventPage> = {}): EventPage => ({
  offset: 0,
  rows,
  last: true,
  readAt: 0n,
  anomalies: [],
  ...over,
});

export const pageOf = (...events: readonly RestoreEvent[]): EventPage =>
  page(events.map(one => ({ order: one.order, event: one })));

/** A VB365 server that a test writes into: sessions, and their rows in whatever order the test keeps them. */
export interface FakeServer extends LoginSource {
  at: Nanos;
  readonly held: Map<string, Session>;
  readonly rows: Map<string, EventRow[]>;
  /** Rows per page. */
  limit: number;
  /** What the next calls throw. */
  failure: ExporterError | undefined;
  /** Every request, such as `events s1 30`. */
  readonly asked: string[];
}

export function fakeServer(): FakeServer {
  const fake: FakeServer = {
    at: 0n,
    held: new Map(),
    rows: new Map(),
    limit: 3,
    failure: undefined,
    asked: [],
    now: () => fake.at,
    tokenExpiresAtMs: () => undefined,
    instance: async () => ({ apiVersion: 'v6', version: '6.0', installationId: 'i' }),
    sessions: async from => {
      ask(from === undefined ? 'sessions' : `sessions ${String(from)}`);
      const all = [...fake.held.values()];
      return { sessions: all.filter(({ createdAt }) => from === undefined || createdAt >= from), rejects: [] };
    },
    session: async id => {
      ask(`session ${id}`);
      return fake.held.get(id);
    },
    events: async (id, offset) => {
      ask(`events ${id} ${String(offset)}`);
      const rows = fake.rows.get(id) ?? [];
      if (!fake.held.has(id)) return undefined;
      const shown = rows.slice(offset, offset + fake.limit);
      return page(shown, { offset, last: offset + shown.length >= rows.length, readAt: fake.at });
    },
    changes: async () => ({ kind: 'none' }),
  };
  const ask = (what: string): void => {
    fake.asked.push(what);
    if (fake.failure !== undefined) throw fake.failure;
  };
  return fake;
}

export interface RecordingSink extends Sink {
  readonly batches: Batch[];
  failure: ExporterError | undefined;
  /** Ids of the events taken, in order. */
  taken(): readonly string[];
}

/** A sink that keeps what it was given. Its deltas count the events, so that a test can hold the store against them. */
export function recordingSink(name: SinkName): RecordingSink {
  const sink: RecordingSink = {
    name,
    batches: [],
    failure: undefined,
    taken: () => sink.batches.flatMap(batch => batch.events.map(({ event: { id } }) => id)),
    deliver: async batch => {
      if (sink.failure !== undefined) throw sink.failure;
      sink.batches.push(batch);
      const delta: SeriesDelta = { family: 'taken', labels: [name], kind: 'counter', by: batch.events.length };
      return { deltas: batch.events.length === 0 ? [] : [delta] };
    },
  };
  return sink;
}

/** Series that nobody serves. */
export const noSeries: ServedSeries = {
  apply: () => undefined,
  initialDeltas: () => [],
  feedGapDeltas: () => [],
  deletedDeltas: () => [],
  replacedDeltas: () => [],
};

/** The report of a poll that read nothing, except for what `over` says. */
export const pollReport = (over: Partial<DiscoveryReport> = {}): DiscoveryReport => ({
  result: over.error === undefined ? 'complete' : 'failed',
  error: undefined,
  seconds: 0.5,
  ...nothingRead,
  ...over,
});

/** The report of a delivery that did nothing, except for what `over` says. */
export const deliveryReport = (over: Partial<DeliveryReport> = {}): DeliveryReport => ({
  taken: 0,
  errors: [],
  undelivered: [],
  unread: [],
  late: [],
  retryInMs: undefined,
  rejected: { count: 0, first: [] },
  corrected: { count: 0, first: [] },
  abandoned: { count: 0, first: [] },
  unknown: { count: 0, first: [] },
  deadLetters: { count: 0, first: [] },
  dropped: { count: 0, first: [] },
  due: 0,
  ...over,
});
