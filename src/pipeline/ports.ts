import type { ExporterError, Reason } from '../kernel/errors.js';
import type { AnomalyKind, ItemType, RejectReason, RestoreEvent } from '../model/event.js';
import type { Ownership } from '../model/ownership.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';

/** One row of a page: an event, or the remains of one that could not be decoded. */
export type EventRow =
  | Readonly<{ order: number; event: RestoreEvent }>
  | Readonly<{ order: number; rejected: RejectReason; /** `''` if it could not be read. */ id: string }>;

/** One page of a session's events, in no particular order. */
export type EventPage = Readonly<{
  offset: number;
  rows: readonly EventRow[];
  /** No row follows this page. */
  last: boolean;
  /** It has fewer rows than its limit. */
  short?: true;
  /** Server time at which the request began: every event that was readable then is in its page. */
  readAt: Nanos;
  anomalies: readonly AnomalyKind[];
}>;

/** The sessions to keep of a page of a list, which may be long. */
export type SessionFilter = (page: readonly Session[]) => Promise<readonly Session[]>;

export type SessionList = Readonly<{
  /** Each session that is kept, once, in no order. */
  sessions: readonly Session[];
  /** Entries that could not be decoded, one line each, without values. */
  rejects: readonly string[];
}>;

/** Where to read the change feed from, and how long the server may wait for news. */
export type FeedPosition = Readonly<{
  /** Undefined for the end of the feed. */ token: string | undefined;
  waitSeconds: number;
}>;

/** What a change feed answers. */
export type FeedAnswer =
  | Readonly<{
      kind: 'changes';
      /** Where the feed goes on. */
      token: string;
      /** Sessions that are new or have changed, with their current `eTag`; `''` if it cannot be read. */
      updated: ReadonlyMap<string, string>;
      deleted: ReadonlySet<string>;
      /** Number of entries, including those that are not about restore sessions. */
      entries: number;
      /** Number of entries about sessions that could not be decoded. */
      unreadable: number;
      /** The feed has more entries after these. */
      more: boolean;
    }>
  /** The server no longer has the changes after the token. */
  | Readonly<{ kind: 'outdated' }>
  /** The server has no feed, or denies access to it. */
  | Readonly<{ kind: 'refused'; error: ExporterError }>
  /** This version of the API has no feed; no request was sent. */
  | Readonly<{ kind: 'none' }>;

/** What a server reports about itself; `''` if its version does not report it. */
export type InstanceInfo = Readonly<{ apiVersion: string; version: string; installationId: string }>;

/**
 * A VB365 server, read only. Every method answers complete or not at all.
 * @throws {ExporterError} `aborted`, `auth`, `decode`, `network`, `rejected`, `server`, `throttled` or `timeout`.
 */
export interface Source {
  /** Now by the server's clock; by the exporter's until the first answer. */
  now(): Nanos;
  instance(signal: AbortSignal): Promise<InstanceInfo>;
  /** Sessions created at `createdFrom` or later, more where the API has no such filter; all for undefined. */
  sessions(createdFrom: Nanos | undefined, signal: AbortSignal, isKept?: SessionFilter): Promise<SessionList>;
  /** Undefined when the server has no such session (any more). */
  session(id: string, signal: AbortSignal): Promise<Session | undefined>;
  /** The page of a session's events that begins at row `offset`; undefined when there is no such session (any more). */
  events(sessionId: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined>;
  /** What has changed since a token; waits for it. */
  changes(position: FeedPosition, signal: AbortSignal): Promise<FeedAnswer>;
}

const reasonsOfOneRequest: ReadonlySet<Reason> = new Set(['decode', 'rejected', 'server', 'timeout']);
const sharedOperations: ReadonlySet<unknown> = new Set(['token', 'probe']);

/**
 * Whether the failure concerns one request, so that requests for other sessions may succeed. A failed login, a connection
 * that cannot be made and a `Retry-After` concern the whole server; a broken connection and a refused request do not.
 */
export function concernsOneRequest({ reason, details, retryAfterMs }: ExporterError): boolean {
  if (sharedOperations.has(details['operation'])) return false;
  if (reason === 'network') return details['connected'] === true;
  if (reason === 'auth') return details['operation'] !== undefined;
  if (reason === 'throttled') return retryAfterMs === undefined;
  return reasonsOfOneRequest.has(reason);
}

export const sinkNames = ['metrics', 'logs', 'traces'] as const;
export type SinkName = (typeof sinkNames)[number];

/** An event together with the session it belongs to. `ownership`: whose data it is, as far as it was known when the event was read. */
export type TakenEvent = Readonly<{ session: Session; event: RestoreEvent; ownership?: Ownership | undefined }>;

/** Counts of problems in the pages of a batch. Keys that did not occur are absent. */
type Findings = Readonly<{
  rejected: Readonly<Partial<Record<RejectReason, number>>>;
  anomalies: Readonly<Partial<Record<AnomalyKind, number>>>;
  /** Events that never became final, or never appeared, within the grace time after the stop. */
  abandoned: number;
  /** Events whose final status changed after they had been taken. */
  corrections: number;
}>;

/** What a sink takes at once, completely or not at all. */
export type Batch = Readonly<{
  events: readonly TakenEvent[];
  /** Sessions that have stopped. */
  results: readonly Session[];
  /** Sessions that failed, once nothing more is expected of them; `item`: the type of a failed item, `None` without one. */
  failures: readonly Readonly<{ session: Session; item: ItemType | 'None' }>[];
  findings: Findings;
  /** Now by the server's clock. */
  at: Nanos;
}>;

/** An event as one example of what a series counts: where to look it up. Not stored. */
export type Exemplar = Readonly<{
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits; undefined when the event has no id to make one of. */
  spanId: string | undefined;
  /** 1 for a counter, seconds for a histogram. */
  value: number;
  at: Nanos;
}>;

/** A change to one stored series. Labels are values, in the order of the family's label names. */
export type SeriesDelta = Readonly<{ family: string; labels: readonly string[] }> &
  (
    | Readonly<{
        kind: 'counter';
        /** A whole number, 0 to create the series. */
        by: number;
        /** Change of the part that is held back: at most `by`, or negative to release it. */
        held?: number;
        exemplar?: Exemplar;
      }>
    | Readonly<{
        kind: 'histogram';
        /** How many observations fell into each bucket, not cumulated; the last is +Inf. */
        counts: readonly number[];
        /** Sum of the observations in ticks of 100 ns: integers add up exactly. */
        sumTicks: bigint;
        /** At most one for each bucket. */
        exemplars?: readonly (Exemplar | undefined)[];
      }>
    | Readonly<{ kind: 'latest'; /** The series keeps the newest. */ at: Nanos }>
  );

/** A stored series, as it stands. Integers, exact. */
export type Series = Readonly<{ family: string; labels: readonly string[] }> &
  (
    | Readonly<{
        kind: 'counter';
        value: bigint;
        /** The part of `value` that is not served yet; absent when there is none. */
        held?: bigint;
      }>
    | Readonly<{ kind: 'histogram'; counts: readonly bigint[]; sumTicks: bigint }>
    | Readonly<{ kind: 'latest'; at: Nanos }>
  );

/** A record that the receiver refused for good, without its content. */
export type DeadLetter = Readonly<{
  sink: SinkName;
  /** Session id. */
  session: string;
  /** Event id, `''` for the record of the session itself. */
  event: string;
  reason: RejectReason;
  /** What the receiver said, without what was sent; not stored. */
  answer?: string | undefined;
  /** Server time. */
  at: Nanos;
}>;

/** An event that cannot be delivered. `order` is undefined for the record of the session; `id` is `''` if it could not be read. */
export type RejectedEvent = Readonly<{
  session: string;
  order: number | undefined;
  id: string;
  reason: RejectReason;
}>;

/** Records of one request that the receiver dropped without naming them (partial success). */
export type DroppedRecords = Readonly<{
  dropped: number;
  /** Records in the request, and the ids of their sessions, each once. */
  sent: number;
  sessions: readonly string[];
  /** What the receiver said, without what was sent; `''` for nothing. */
  answer: string;
}>;

/** The outcome of a batch: what to commit, and what only the log reports. */
export type Delivered = Readonly<{
  deltas: readonly SeriesDelta[];
  deadLetters?: readonly DeadLetter[];
  rejected?: readonly RejectedEvent[];
  dropped?: readonly DroppedRecords[];
}>;

/** Where telemetry goes. */
export interface Sink {
  readonly name: SinkName;
  /**
   * Resolves once the receiver has accepted the batch, except for dead letters. If it rejects, nothing counts as taken.
   * @throws {ExporterError} `auth`, `network`, `rejected`, `server`, `throttled` or `timeout`; `rejected` with the
   * detail `suspects` for a suspect batch: the receiver refused it record by record and has accepted nothing else since.
   */
  deliver(batch: Batch, signal: AbortSignal): Promise<Delivered>;
  /**
   * Sends a small part of what the last `deliver` could not send, to see whether the receiver is back. The next `deliver`
   * does not send an accepted part again. Absent for a sink without a receiver.
   * @throws {ExporterError} as `deliver`.
   */
  probe?: (signal: AbortSignal) => Promise<void>;
}

/** The served series of one server, and the deltas that no sink counts. */
export interface ServedSeries {
  /** Serves deltas that have been committed, so that what is served is never ahead of the store. */
  apply(deltas: readonly SeriesDelta[]): void;
  /** Creates the series of the sessions' organizations and workloads, at 0. */
  initialDeltas(sessions: readonly Session[]): readonly SeriesDelta[];
  /** Counts a gap in the change feed. `missed`: sessions that the feed did not report. */
  feedGapDeltas(missed: number): readonly SeriesDelta[];
  /** Counts sessions that the server has deleted early. */
  deletedDeltas(sessions: number): readonly SeriesDelta[];
  /** Counts that the server has become another installation. */
  replacedDeltas(): readonly SeriesDelta[];
}

/** The stored progress of one sink in one session. */
export type CursorRow = Readonly<{
  sink: SinkName;
  /** Session id. */
  session: string;
  createdAt: Nanos;
  /** Nothing more is expected of this session. */
  done: boolean;
  /** What the sink has taken, as `cursor.ts` writes it; opaque to a store. */
  cursor: string;
}>;

/** What a server has reported about itself, and its change token; absent until known. */
export const factNames = ['installationId', 'apiVersion', 'changeToken'] as const;

/** The state of a server besides rows and series. */
export type ServerState = Readonly<{
  /** Per sink: what ended before is history and never counted or sent. Server time. */
  since: Readonly<Partial<Record<SinkName, Nanos>>>;
  facts: Readonly<Partial<Record<(typeof factNames)[number], string>>>;
}>;

/** One transaction: all of it is stored, or nothing. Absent parts change nothing. */
export type StateChange = Readonly<{
  /** The server, or the name of an archive, that the change is about. Deltas may be of any server. */
  server: string;
  /** Applied first: moves everything under one name to another, and replaces what is there. */
  moves?: ReadonlyArray<Readonly<{ from: string; to: string }>>;
  since?: ServerState['since'];
  facts?: ServerState['facts'];
  /** Rows to add or replace, by sink and session. */
  rows?: readonly CursorRow[];
  deltas?: readonly SeriesDelta[];
  deadLetters?: readonly DeadLetter[];
}>;

/** Keeps cursors and series in one transaction. @throws {ExporterError} `store`. */
export interface Store {
  /** Empty for an unknown name. */
  state(server: string): Promise<ServerState>;
  /** All rows of these sessions, of every sink. */
  rows(server: string, sessions: readonly string[]): Promise<readonly CursorRow[]>;
  /** All rows of a sink that are not done. */
  pending(server: string, sink: SinkName): Promise<readonly CursorRow[]>;
  /** The names under which an installation is known, by the fact `installationId`. */
  holders(installationId: string): Promise<readonly string[]>;
  /** All series, or those whose first label is one of these servers. */
  series(servers?: readonly string[]): Promise<readonly Series[]>;
  commit(change: StateChange): Promise<void>;
  close(): Promise<void>;
}
