import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { CursorRow, ServedSeries, ServerState, SinkName } from '../pipeline/ports.js';
import { type FeedChanges, type FeedLoss, type FeedResult, type FeedState, initialFeed } from './feed-state.js';
import { SessionSnapshots } from './session-snapshots.js';

/**
 * What discovery remembers of one server. Immutable. After a restart, everything except `since` and the feed token is
 * read from the server again. Times in ms are monotonic, times in `Nanos` are the server's.
 */
export type DiscoveryState = Readonly<{
  since: ServerState['since'];
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
  /** Sessions that a list, read at `listedMs`, showed to have changed. The feed may be about to report them. */
  candidates: Readonly<{ ids: ReadonlySet<string>; listedMs: number }>;
  /** Gaps of the feed that have not been counted yet: how many sessions were missed in each. */
  gaps: readonly number[];
  /** The feed reported changes that could not be decoded; a list has to find them. */
  incomplete: boolean;
  /** When a token was last stored. */
  storedMs: number;
  /** When the last successful list was begun. */
  listedMs: number;
  /** When the last successful list of everything was begun. */
  listedAllMs: number;
  /** When the last poll was begun, -Infinity to poll at once; and how long the server asked not to be polled. */
  poll: Readonly<{ startedMs: number; notBeforeMs: number }>;
}>;

/** What does not change while discovery runs. */
export type DiscoveryRules = Readonly<{
  sinks: readonly SinkName[];
  /** Between polls while nothing is open, while something is, and between lists although the feed is followed. */
  schedule: Readonly<{ idleMs: number; openMs: number; reconcileMs: number }>;
  /** A session that ended within this time before a sink's start can still get events. */
  grace: Nanos;
  /** Where each sink's history ends, for a server first met at `now`. */
  beginAt: (sink: SinkName, now: Nanos) => Nanos;
  series: Pick<ServedSeries, 'initialDeltas' | 'feedGapDeltas' | 'deletedDeltas'>;
}>;

/** Sessions that were read, by a list or by id. */
export type SessionReads = Readonly<{
  /** Sessions as they are now, each once. */
  sessions: readonly Session[];
  /** Sessions that the server no longer has. */
  gone: ReadonlySet<string>;
  /** Sessions that could not be read by id, or not yet. */
  unread: readonly string[];
  /** What could not be decoded or read, one line each. */
  rejects: readonly string[];
  /** Server time at which reading began. */
  startedAt: Nanos;
}>;

/** Sessions that have changed, and those that are still unread from before. */
export type ReportedSessions = Readonly<{ changed: readonly string[]; unread: readonly string[] }>;

/** What discovery reacts to. `feedEnd`: what the feed answered before the list; undefined when it was not asked. */
export type DiscoveryEvent =
  | ReadEvent
  | Readonly<{ kind: 'list failed'; error: ExporterError; startedMs: number; feedEnd: FeedResult | undefined }>
  | Readonly<{ kind: 'feed unavailable'; why: FeedLoss }>
  | Readonly<{ kind: 'interval passed' }>;

export type ReadEvent = SessionReads &
  /** Some of the sessions of a list; the others follow at once. */
  (
    | Readonly<{ kind: 'listed part' }>
    | (Pick<DiscoveryState, 'askedAt'> &
        Readonly<{ kind: 'listed'; all: boolean; startedMs: number; feedEnd: FeedResult | undefined }>)
    | Readonly<{ kind: 'changes read'; changes: FeedChanges; askedMs: number }>
    /** The sessions that were unread have been asked for again. */
    | Readonly<{ kind: 'unread asked again' }>
  );

/** An event, when it was observed by the monotonic clock, and the stored rows of the sessions that were read. */
export type Observation = DiscoveryEvent & Readonly<{ atMs: number; stored: readonly CursorRow[] }>;

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
  listedAllMs: -Infinity,
  poll: { startedMs: -Infinity, notBeforeMs: -Infinity },
});

/** A list of everything finds the stopped sessions before the window that the server has opened again. */
const allListedEveryMs = 24 * 3_600_000;
/** Time until a failed list of everything is repeated; lists of the window continue. */
const allListedAgainMs = 3_600_000;

type AllListed = Pick<DiscoveryState, 'listedAllMs'>;

/** Whether to list everything, even if a window would be enough. */
export const isAllDue = ({ listedAllMs }: AllListed, startedMs: number): boolean =>
  startedMs - listedAllMs >= allListedEveryMs;

/** `listedAllMs` after a list that failed. */
export const afterFailedList = (state: AllListed, startedMs: number): number =>
  isAllDue(state, startedMs) ? startedMs - allListedEveryMs + allListedAgainMs : state.listedAllMs;
