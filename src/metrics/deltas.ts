import { anomalyKinds, eventTime, type RejectReason, rejectReasons, type RestoreEvent } from '../model/event.js';
import { ownerRelations } from '../model/owner.js';
import type { Session } from '../model/session.js';
import { type Nanos, toSeconds } from '../model/time.js';
import { type Batch, type Exemplar, type SeriesDelta, type SinkName, sinkNames } from '../pipeline/ports.js';
import { seriesKey } from '../pipeline/series.js';
import { storedFamilies } from './catalogue.js';
import {
  apiAnomalies,
  eventLag,
  eventsRejected,
  seriesOverflow,
  sinkDelivered,
  unknownValues,
} from './delivery-families.js';
import { type BucketExamples, exemplarOf } from './exemplars.js';
import { closedLabels, type Family, type LabelValueLists } from './family.js';
import { type DeliveryOutcome, type VocabularyField, vocabularyFields } from '../model/labels.js';
import { type OrganizationLabel, unlimited } from './organizations.js';
import {
  eventCorrections,
  eventsAbandoned,
  lastEvent,
  restoreEvents,
  restoreItemBytes,
  restoreItemDuration,
  restoreOwnerEvents,
  restoreSessionDuration,
  restoreSessions,
  restoreSessionsDeleted,
  restoreSessionsFailed,
} from './restore-families.js';
import { installationChanges, loginsRefused, reconcileMissed } from './server-families.js';
import { observations, observe, DeltaBuilder } from './delta-builder.js';
import { type EventGroup, groupEvents, countedBytes } from './event-groups.js';

/** The stored series that a server has from the start, at 0. */
export const initialServerDeltas = (server: string, sinks: readonly SinkName[] = sinkNames): readonly SeriesDelta[] =>
  initialDeltas(storedFamilies, { server: [server], sink: sinks });

/**
 * All series that closed families have from the start, at 0: those of alerts and of `increase()`, which cannot see a
 * first event otherwise.
 * @param given see `closedLabels`.
 */
export function initialDeltas(of: readonly Family[], given: LabelValueLists): readonly SeriesDelta[] {
  return of
    .filter(family => family.onFirstUse !== true)
    .flatMap(family =>
      closedLabels(family, given).map((labels): SeriesDelta => {
        if (family.type !== 'histogram') return { family: family.name, labels, kind: 'counter', by: 0 };
        const { counts, sumTicks } = observations(family);
        return { family: family.name, labels, kind: 'histogram', counts, sumTicks };
      }),
    );
}

/** What the replacement of a server by another installation adds. */
export const replacedDeltas = (server: string): readonly SeriesDelta[] =>
  new DeltaBuilder().count(installationChanges, { server }, 1).deltas();

/** What sessions add that the server has deleted early. */
export const deletedDeltas = (server: string, sessions: number): readonly SeriesDelta[] =>
  new DeltaBuilder().count(restoreSessionsDeleted, { server }, sessions).deltas();

/** What logins add that the server has refused. */
export const refusedLoginDeltas = (server: string, logins: number): readonly SeriesDelta[] =>
  new DeltaBuilder().count(loginsRefused, { server }, logins).deltas();

const itemTypes = ['View', 'Save', 'Export', 'Send', 'Restore'] as const;

/**
 * The series of an (organization, workload) that alerts are about, at 0. Store them when its first session is discovered,
 * so that `increase()` sees the first failure, and the first event about somebody else's data.
 */
export function initialSessionDeltas(
  server: string,
  session: Pick<Session, 'organization' | 'workload'>,
  labelOf = unlimited,
): readonly SeriesDelta[] {
  const of = labelsOf(server, session, labelOf);
  const builder = new DeltaBuilder();
  for (const type of itemTypes) builder.count(restoreEvents, { ...of, event_type: type, status: 'Failed' }, 0);
  builder.count(restoreOwnerEvents, { ...of, relation: 'other' }, 0);
  builder.count(restoreSessionsFailed, { ...of, event_type: 'None' }, 0);
  return builder.count(restoreSessions, { ...of, result: 'Failed' }, 0).deltas();
}

/** The labels that every counter of sessions has. */
const labelsOf = (
  server: string,
  { organization, workload }: Pick<Session, 'organization' | 'workload'>,
  labelOf: OrganizationLabel,
) => ({ server, organization: labelOf(organization), workload: workload.label });

/** As `initialSessionDeltas`, of several sessions. */
export function initialSessionsDeltas(
  server: string,
  sessions: readonly Session[],
  labelOf: OrganizationLabel,
): readonly SeriesDelta[] {
  const deltas = sessions.flatMap(session => initialSessionDeltas(server, session, labelOf));
  return [...new Map(deltas.map(delta => [seriesKey(delta), delta])).values()];
}

/** What a gap in the change feed adds; `missed`: the number of sessions that the feed left out. */
export function feedGapDeltas(server: string, missed: number): readonly SeriesDelta[] {
  const builder = new DeltaBuilder().count(apiAnomalies, { server, kind: 'feed_gap' }, 1);
  if (missed > 0) builder.count(reconcileMissed, { server }, missed);
  return builder.deltas();
}

/** What the metrics sink counts in a batch. */
export function batchDeltas(server: string, batch: Batch, labelOf = unlimited): readonly SeriesDelta[] {
  const builder = new DeltaBuilder();
  for (const group of groupEvents(batch.events, labelOf)) addGroup(builder, server, group, batch.at);
  for (const { event } of batch.events)
    for (const kind of event.anomalies) builder.count(apiAnomalies, { server, kind }, 1);
  for (const session of batch.results)
    addResult(builder, server, { ...session, organization: labelOf(session.organization) }, batch.at);
  for (const { session, item } of batch.failures)
    builder.count(restoreSessionsFailed, { ...labelsOf(server, session, labelOf), event_type: item }, 1);
  addFindings(builder, server, batch.findings);
  addOverflow(builder, server, batch, labelOf);
  return builder.deltas();
}

/** Counts events and results whose organization is served as `overflow`. */
function addOverflow(builder: DeltaBuilder, server: string, batch: Batch, labelOf: OrganizationLabel): void {
  const isHidden = ({ organization }: Session): boolean => labelOf(organization) !== organization.toWellFormed();
  const hidden = [...batch.events.map(({ session }) => session), ...batch.results].filter(isHidden).length;
  if (hidden > 0) builder.count(seriesOverflow, { server, label: 'organization' }, hidden);
}

/** The outcome of a delivered batch. */
export type Delivery = Readonly<{
  outcome: Exclude<DeliveryOutcome, 'rejected'>;
  /** How many records a partial success dropped; it does not name them. */
  dropped: number;
  deadLetters: readonly Readonly<{ reason: RejectReason }>[];
}>;

/** What every sink counts for a batch that it has delivered. */
export function sinkDeltas(server: string, sink: SinkName, batch: Batch, delivery: Delivery): readonly SeriesDelta[] {
  const builder = new DeltaBuilder();
  const { outcome, dropped, deadLetters } = delivery;
  const refused = dropped + deadLetters.length;
  const taken = batch.events.length + batch.results.length - refused;
  if (taken > 0) builder.count(sinkDelivered, { server, sink, outcome }, taken);
  if (refused > 0) builder.count(sinkDelivered, { server, sink, outcome: 'rejected' }, refused);
  if (dropped > 0) builder.count(eventsRejected, { server, sink, reason: 'partial_success' }, dropped);
  for (const { reason } of deadLetters) builder.count(eventsRejected, { server, sink, reason }, 1);
  for (const reason of rejectReasons) {
    const count = batch.findings.rejected[reason] ?? 0;
    if (count > 0) builder.count(eventsRejected, { server, sink, reason }, count);
  }
  addLag(builder, server, sink, batch);
  return builder.deltas();
}

/** The sum counts at most this for one event: a backfill says nothing about delay, and would overflow 64 bits. */
const longestLag: Nanos = 86_400_000_000_000n;

function addLag(builder: DeltaBuilder, server: string, sink: SinkName, { events, at }: Batch): void {
  if (events.length === 0) return;
  const lagOf = (event: RestoreEvent): Nanos => lengthOf(eventTime(event), at);
  const lags = observations(eventLag);
  const examples: BucketExamples = [];
  for (const taken of events) examples[observe(lags, lagOf(taken.event), longestLag)] = taken;
  builder.observed(eventLag, { server, sink }, lags, exemplarsOf(examples, lagOf, at));
}

/** 0 when the end lies before the start. */
const lengthOf = (from: Nanos, to: Nanos): Nanos => (to > from ? to - from : 0n);

const exemplarsOf = (examples: BucketExamples, observed: (event: RestoreEvent) => Nanos, now: Nanos) =>
  Array.from(examples, taken => taken && exemplarOf(taken, toSeconds(observed(taken.event)), now));

function addGroup(builder: DeltaBuilder, server: string, group: EventGroup, now: Nanos): void {
  const { events, bytes, durations, examples, newest } = group;
  const labels = { server, ...group.labels };
  builder.count(restoreEvents, labels, events, exemplarOf(newest, 1, now));
  const latest = eventTime(newest.event);
  // A time of year 1 or 9999 is no real time and does not fit a store; the latter would stay the newest forever.
  if (latest >= 0n) builder.latest(lastEvent, labels, latest < now ? latest : now);
  if (bytes !== undefined) {
    const size = countedBytes(newest.event);
    builder.count(restoreItemBytes, labels, bytes, size === undefined ? undefined : exemplarOf(newest, size, now));
  }
  if (durations !== undefined) {
    const exemplars = exemplarsOf(examples, ({ duration = 0n }) => duration, now);
    builder.observed(restoreItemDuration, labels, durations, exemplars);
  }
  if (labels.event_type !== 'None')
    for (const relation of ownerRelations)
      if (group.relations[relation] > 0)
        builder.count(restoreOwnerEvents, { ...labels, relation }, group.relations[relation]);
  countUnknown(builder, labels, events);
}

/** A longer session has a wrong time. */
const longestSession: Nanos = 366n * 86_400_000_000_000n;

function addResult(builder: DeltaBuilder, server: string, session: Session, now: Nanos): void {
  const { organization, workload, result, endedAt, createdAt, anomalies = [] } = session;
  const labels = { server, organization, workload: workload.label, result: result.label };
  builder.count(restoreSessions, labels, 1, exemplarOf({ session }, 1, now));
  countUnknown(builder, labels, 1);
  for (const kind of anomalies) builder.count(apiAnomalies, { server, kind }, 1);
  const hasLength = endedAt !== undefined && !anomalies.includes('no_time');
  if (!hasLength || endedAt - createdAt > longestSession) return;
  const duration = observations(restoreSessionDuration);
  const length = lengthOf(createdAt, endedAt);
  const exemplars: (Exemplar | undefined)[] = [];
  exemplars[observe(duration, length)] = exemplarOf({ session }, toSeconds(length), now);
  builder.observed(restoreSessionDuration, labels, duration, exemplars);
}

function addFindings(builder: DeltaBuilder, server: string, findings: Batch['findings']): void {
  for (const kind of anomalyKinds) {
    const count = findings.anomalies[kind] ?? 0;
    if (count > 0) builder.count(apiAnomalies, { server, kind }, count);
  }
  if (findings.abandoned > 0) builder.count(eventsAbandoned, { server }, findings.abandoned);
  if (findings.corrections > 0) builder.count(eventCorrections, { server }, findings.corrections);
}

type VocabularyLabels = Readonly<{ server: string } & Partial<Record<VocabularyField, string>>>;

function countUnknown(builder: DeltaBuilder, labels: VocabularyLabels, by: number): void {
  for (const field of vocabularyFields)
    if (labels[field] === 'other') builder.count(unknownValues, { server: labels.server, field }, by);
}
