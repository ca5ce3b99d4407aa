import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { CursorRow, FeedAnswer, SeriesDelta, ServerState, SinkName } from '../pipeline/ports.js';
import type { SinkStarts } from './cursor-rows.js';
import {
  type FeedChanges,
  type FeedFailure,
  type FeedLoss,
  type FeedRequest,
  type FeedState,
  initialFeed,
} from './feed-state.js';
import type { MissedCandidates } from './reconcile.js';
import { SessionSnapshots } from './session-snapshots.js';

/**
 * What discovery remembers of one server. Immutable. All but `since` and the token of the feed is found again after a
 * restart. Times in ms are monotonic, times in `Nanos` are the server's.
 */
export type DiscoveryState = Readonly<{
  since: SinkStarts;
  /** Every session created before has been listed; undefined until everything has been listed. */
  watermark: Nanos | undefined;
  /** Open sessions by id. */
  open: ReadonlyMap<string, Session>;
  /** When open sessions that are missing from the list were last asked for by id. */
  askedAt: ReadonlyMap<string, Nanos>;
  /** Organizations and workloads whose series exist. */
  initialized: ReadonlySet<string>;
  snapshots: SessionSnapshots;
  feed: FeedState;
  /** Sessions that the feed reported and that could not be read yet. */
  unread: ReadonlySet<string>;
  candidates: MissedCandidates;
  /** Gaps of the feed that have not been counted yet: how many sessions were missed in each. */
  gaps: readonly number[];
  /** The feed reported changes that could not be decoded; a list has to find them. */
  incomplete: boolean;
  /** When a token was last stored. */
  storedMs: number;
  /** When the last successful list was begun. */
  listedMs: number;
  /** When the last poll was begun, -Infinity to poll at once; and how long the server asked not to be polled. */
  poll: Readonly<{ startedMs: number; notBeforeMs: number }>;
}>;

/** What does not change while discovery runs. */
export type DiscoveryRules = Readonly<{
  sinks: readonly SinkName[];
  /** Milliseconds between polls, while nothing is open and while something is. */
  intervals: Readonly<{ idleMs: number; openMs: number }>;
  /** How often, in milliseconds, a list is read although the feed is followed. */
  reconcileMs: number;
  /** How long before a sink's start a session may have ended and still get events. */
  grace: Nanos;
  /** Where each sink's history ends, for a server first met at `now`. */
  beginAt: (sink: SinkName, now: Nanos) => Nanos;
  /** The series that a session creates at 0. */
  initialDeltas: (session: Session) => readonly SeriesDelta[];
  /** What a gap in the feed adds to; `missed`: the sessions that the feed did not report. */
  feedGapDeltas: (missed: number) => readonly SeriesDelta[];
}>;

/** Sessions that were read, by a list or by id. */
export type SessionReads = Readonly<{
  /** Sessions as they are now, each once. */
  sessions: readonly Session[];
  /** Sessions that the server no longer has. */
  gone: ReadonlySet<string>;
  /** Sessions that could not be read by id. */
  unread: readonly string[];
  /** What could not be decoded or read, one line each. */
  rejects: readonly string[];
  /** Server time at which reading began. */
  startedAt: Nanos;
}>;

/** `stored`: the rows of these sessions that are in the store. */
export type SessionFindings = SessionReads & Readonly<{ stored: readonly CursorRow[] }>;

/** What the feed answered when it was asked for its end, before a list was read. */
export type FeedEnd = FeedAnswer | FeedFailure;

/** What I/O has found out, and when, by the monotonic clock. */
export type Observation = Readonly<{ atMs: number }> &
  (
    | (SessionFindings &
        Readonly<{
          kind: 'listed';
          startedMs: number;
          askedAt: DiscoveryState['askedAt'];
          /** Undefined when the feed was not asked. */
          feedEnd: FeedEnd | undefined;
        }>)
    | Readonly<{ kind: 'list failed'; startedMs: number; error: ExporterError; feedEnd: FeedEnd | undefined }>
    | (SessionFindings & Readonly<{ kind: 'changes read'; changes: FeedChanges; request: FeedRequest }>)
    | Readonly<{ kind: 'feed unavailable'; why: FeedLoss | FeedFailure }>
    | Readonly<{ kind: 'interval passed' }>
  );

export const initialState = ({ since, facts }: ServerState): DiscoveryState => ({
  since,
  watermark: undefined,
  open: new Map(),
  askedAt: new Map(),
  initialized: new Set(),
  snapshots: new SessionSnapshots(),
  feed: initialFeed(facts.changeToken),
  unread: new Set(),
  candidates: { ids: new Set(), listedMs: -Infinity },
  gaps: [],
  incomplete: false,
  storedMs: -Infinity,
  listedMs: -Infinity,
  poll: { startedMs: -Infinity, notBeforeMs: -Infinity },
});
