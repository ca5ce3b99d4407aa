import { ExporterError } from '../../src/kernel/errors.js';
import type { FeedState } from '../../src/discovery/feed-state.js';
import type { DiscoveryStep } from '../../src/discovery/observe.js';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';
import { type DiscoveryRules, type DiscoveryState, initialState, type Observation } from '../../src/discovery/state.js';
import { formatCursor, startCursor } from '../../src/pipeline/cursor.js';
import type { CursorRow, SeriesDelta } from '../../src/pipeline/ports.js';
import { session } from './server-run.js';

const counted = (family: string): SeriesDelta => ({ family, labels: [], kind: 'counter', by: 0 });

export const rules: DiscoveryRules = {
  sinks: ['metrics'],
  schedule: { idleMs: 30_000, openMs: 5_000, reconcileMs: 900_000 },
  grace: 0n,
  beginAt: (_, now) => now,
  series: {
    initialDeltas: sessions => sessions.map(({ organization }) => counted(organization)),
    feedGapDeltas: missed => [counted(`missed ${String(missed)}`)],
    deletedDeltas: sessions => [counted(`deleted ${String(sessions)}`)],
  },
};

export const following: Extract<FeedState, { kind: 'following' }> = {
  kind: 'following',
  token: { value: 't1', fresh: false },
  due: { atMs: 0, reason: 'long poll ended' },
  waitSeconds: 25,
};

/** A server that has been listed at 0 ms and whose feed is followed. */
export const steady: DiscoveryState = {
  ...initialState({ since: { metrics: 0n }, facts: {} }),
  watermark: 0n,
  initialized: new Set(['["contoso","exchange"]']),
  feed: following,
  storedMs: 0,
  listedMs: 0,
  poll: { startedMs: 0, notBeforeMs: 0 },
};

export const atMs = 100_000;
const reads = { sessions: [], gone: new Set<string>(), unread: [], rejects: [], startedAt: 7n, stored: [] };

export const listed = (over: Partial<Extract<Observation, { kind: 'listed' }>> = {}): Observation => ({
  ...reads,
  kind: 'listed',
  all: false,
  startedMs: 99_000,
  askedAt: new Map(),
  feedEnd: undefined,
  atMs,
  ...over,
});

type Changes = Extract<Observation, { kind: 'changes read' }>;

export const changes = (answer: Partial<Changes['changes']> = {}, over: Partial<Changes> = {}): Changes => ({
  ...reads,
  kind: 'changes read',
  changes: { ...feedEnd('t2'), ...answer },
  askedMs: 75_000,
  atMs,
  ...over,
});

export const askedAgain = (over: Partial<Extract<Observation, { kind: 'unread asked again' }>> = {}): Observation => ({
  ...reads,
  kind: 'unread asked again',
  atMs,
  ...over,
});

export const unavailable = (why: Extract<Observation, { kind: 'feed unavailable' }>['why']): Observation => ({
  kind: 'feed unavailable',
  why,
  stored: [],
  atMs,
});

export const listFailed = (over: Partial<Extract<Observation, { kind: 'list failed' }>> = {}): Observation => ({
  kind: 'list failed',
  startedMs: 99_000,
  error,
  feedEnd: undefined,
  stored: [],
  atMs,
  ...over,
});

export const error = new ExporterError('network', 'Could not connect');
export const failed = { kind: 'failed', error, ranMs: 0, jitter: 0 } as const;
export const feedEnd = (token: string) => ({
  kind: 'changes' as const,
  token,
  updated: new Map<string, string>(),
  deleted: new Set<string>(),
  entries: 0,
  unreadable: 0,
  more: false,
});

export const s1 = session({ eTag: '2', createdAt: 1n });
export const stopped = session({ eTag: '2', createdAt: 1n, open: false, endedAt: 2n });
export const rowOf = (done: boolean): CursorRow => ({
  sink: 'metrics',
  session: 's1',
  createdAt: 1n,
  done,
  cursor: formatCursor(startCursor),
});
export const seen = (eTag: string): SessionSnapshots =>
  new SessionSnapshots().with(new Map([['s1', { eTag, open: false, read: true }]]));

/** A step in short: what is stored, who is woken, how the feed stands, and what comes next and why. */
export const summary = ({ commit, wake, state, next }: DiscoveryStep) => ({
  rows: commit?.rows.map(({ session: id, done }) => `${id} ${done ? 'done' : 'pending'}`),
  token: commit?.facts.changeToken,
  since: commit?.since,
  deltas: commit?.deltas.map(({ family }) => family),
  wake: wake === undefined ? undefined : [...(wake.open ? ['open'] : []), ...wake.sessions],
  feed: state.feed.kind,
  unread: [...state.unread],
  listedAllMs: state.listedAllMs,
  poll: `${next.poll.reads} at ${String(next.poll.atMs)}: ${next.poll.reason}`,
  ask: `${String(next.feed.atMs)}: ${next.feed.reason}`,
});

/** One rule of `observe`, and what follows from it. */
export type ObserveRule = Readonly<{
  rule: string;
  before?: Partial<DiscoveryState>;
  /** What differs from the usual rules. */
  under?: Partial<DiscoveryRules>;
  observation: Observation;
  expected: Partial<ReturnType<typeof summary>>;
}>;
