import type { AnomalyKind, RejectReason } from '../model/event.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { PageResult } from './dedupe.js';
import type { BacklogEntry } from './backlog.js';
import type { Completion } from './completion.js';
import type { Batch, Findings, TakenEvent } from './ports.js';

/** How many events and results a sink takes in one go, and rows one transaction covers (design, section 3). */
export const batchSize = 1_000;

/** A batch while it is gathered, across sessions, with the entries that stand once it is recorded. */
export interface BatchBuilder {
  /** How much has been gathered: events and results, and rows to store. */
  readonly size: number;
  /** Something has been gathered or has moved. */
  readonly changed: boolean;
  addPage(session: Session, step: PageResult): void;
  addCompletion(session: Session, conclusion: Completion): void;
  addResult(session: Session): void;
  /** The entry that is to stand for its session; `changed` tells whether it must be stored. */
  place(entry: BacklogEntry, changed: boolean): void;
  /** What was gathered, and an empty draft from here on. */
  finish(at: Nanos): Readonly<{ batch: Batch; entries: readonly BacklogEntry[]; changed: readonly BacklogEntry[] }>;
}

type Counts<Key extends string> = Partial<Record<Key, number>>;

type Gathered = {
  events: TakenEvent[];
  results: Session[];
  rejected: Counts<RejectReason>;
  anomalies: Counts<AnomalyKind>;
  abandoned: number;
  corrections: number;
  entries: Map<string, BacklogEntry>;
  changed: Set<string>;
};

const nothing = (): Gathered => ({
  events: [],
  results: [],
  rejected: {},
  anomalies: {},
  abandoned: 0,
  corrections: 0,
  entries: new Map(),
  changed: new Set(),
});

export function createBatchBuilder(): BatchBuilder {
  let now = nothing();
  return {
    get size() {
      return Math.max(now.events.length + now.results.length, now.changed.size);
    },
    get changed() {
      return now.changed.size > 0 || Object.keys(now.anomalies).length > 0;
    },
    addPage: (session, step) => {
      for (const event of step.events) now.events.push({ session, event });
      for (const reason of step.rejected) count(now.rejected, reason, 1);
      for (const kind of step.anomalies) count(now.anomalies, kind, 1);
      now.abandoned += step.abandoned;
    },
    addResult: session => void now.results.push(session),
    addCompletion: (session, conclusion) => {
      if (conclusion.result) now.results.push(session);
      now.abandoned += conclusion.abandoned;
      now.corrections += conclusion.corrections;
      count(now.anomalies, 'order_gap', conclusion.orderGaps);
      count(now.anomalies, 'duplicate_order', conclusion.duplicates);
      count(now.rejected, 'duplicate_order', conclusion.duplicates);
    },
    place: (entry, changed) => {
      now.entries.set(entry.row.session, entry);
      if (changed) now.changed.add(entry.row.session);
    },
    finish: at => {
      const gathered = now;
      now = nothing();
      const entries = [...gathered.entries.values()];
      return {
        batch: { events: gathered.events, results: gathered.results, findings: findingsOf(gathered), at },
        entries,
        changed: entries.filter(({ row }) => gathered.changed.has(row.session)),
      };
    },
  };
}

const findingsOf = ({ rejected, anomalies, abandoned, corrections }: Gathered): Findings => ({
  rejected,
  anomalies,
  abandoned,
  corrections,
});

function count<Key extends string>(counts: Counts<Key>, key: Key, by: number): void {
  if (by > 0) counts[key] = (counts[key] ?? 0) + by;
}
