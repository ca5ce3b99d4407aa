import { batchDeltas, initialSessionDeltas } from '../metrics/deltas.js';
import { labelText, type SeriesWriter, seriesWriter } from '../metrics/exposition.js';
import type { Family } from '../metrics/family.js';
import type { OrganizationLabel } from '../metrics/organizations.js';
import {
  restoreEvents,
  restoreItemBytes,
  restoreItemDuration,
  restoreOwnerEvents,
  restoreSessionDuration,
  restoreSessions,
  restoreSessionsFailed,
} from '../metrics/restore-families.js';
import { sessionTime } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Series, SeriesDelta, TakenEvent } from '../pipeline/ports.js';
import { happenedAt } from '../pipeline/dedupe.js';
import { fold, seriesKey } from '../pipeline/series.js';
import type { HistoryPart } from './reader.js';

/** Counters of what happened; the other metrics say what the exporter did. */
const families: readonly Family[] = [
  restoreEvents,
  restoreOwnerEvents,
  restoreItemDuration,
  restoreItemBytes,
  restoreSessions,
  restoreSessionsFailed,
  restoreSessionDuration,
];
const familyOf: ReadonlyMap<string, Family> = new Map(families.map(family => [family.name, family]));

type BackfillOptions = Readonly<{
  server: string;
  from: Nanos;
  /** Where live counting began, server time. */
  to: Nanos;
  /** How far the clock of the server is ahead of ours: Prometheus scraped that long before `to`. */
  aheadMs: number;
  /** Between two samples of a series that changes. Samples are at multiples of it, as are the bars of dashboards. */
  stepMs: number;
  labelOf: OrganizationLabel;
  /** Whether series have the label `organization`. */
  organizationLabel: boolean;
  /** Labels that Prometheus adds when it scrapes, such as `job`. */
  targetLabels: Readonly<Record<string, string>>;
}>;

/** Time between two samples of a series that does not change, unless the step is longer. */
const restMs = 3_600_000;

type GrowingSeries = {
  /** Those of the family that are shown. */
  readonly values: readonly string[];
  /** As they are written, with those of the target. */
  readonly labels: string;
  readonly write: SeriesWriter;
  /** The step at whose end it is first counted. */
  firstStep: number;
  sum: Series;
  /** Its lines at present, without times; `''` when they have to be written. */
  lines: string;
};

/**
 * The counters of one server as they would have been scraped, had the exporter run all the time. Holds the changes of
 * each step, not the events.
 */
export class Backfill {
  readonly #options: BackfillOptions;
  readonly #lastMs: number;
  /** The first one that ends after `from`: at `from`, another file may end. */
  readonly #firstStep: number;
  readonly #lastStep: number;
  /** A series that does not change in so many steps has only samples at their begin and end. */
  readonly #blockSteps: number;
  readonly #rows = new Map<string, GrowingSeries>();
  /** By number of the step at whose end they are counted. */
  readonly #changes = new Map<number, Map<GrowingSeries, Series>>();

  constructor(options: BackfillOptions) {
    this.#options = options;
    this.#lastMs = Number(options.to / milliseconds(1)) - options.aheadMs;
    this.#firstStep = Number(options.from / milliseconds(options.stepMs)) + 1;
    this.#lastStep = Math.ceil(this.#lastMs / options.stepMs);
    this.#blockSteps = Math.max(1, Math.floor(restMs / options.stepMs));
  }

  add({ session, events, end }: HistoryPart): void {
    const { server, labelOf, from } = this.#options;
    const begunAt = session.createdAt > from ? session.createdAt : from;
    this.#count(begunAt, initialSessionDeltas(server, session, labelOf));
    const timeOf = ({ event }: TakenEvent): Nanos => happenedAt(event, session);
    for (const [step, taken] of Map.groupBy(events, each => this.#stepOf(timeOf(each))))
      this.#countIn(step, this.#deltasOf({ events: taken }));
    if (end?.stopped !== true) return;
    const failures = end.failure === undefined ? [] : [{ session, item: end.failure }];
    this.#count(sessionTime(session), this.#deltasOf({ results: [session], failures }));
  }

  /**
   * Lines with samples: each series from the begin of the block in which it first counts, so that `increase()` sees the
   * first count, to `to`. There it falls to 0, where live counting begins: Prometheus sees a reset, however fast the
   * live counter grows. Can be called once.
   */
  *lines(): Generator<string> {
    const { stepMs, from } = this.#options;
    const begun = Map.groupBy(this.#rows.values(), row => this.#stepBefore(row));
    const shown: GrowingSeries[] = [];
    let changing: ReadonlySet<GrowingSeries> = new Set();
    const first = Array.from(begun.keys()).reduce((a, b) => Math.min(a, b), Infinity);
    for (let step = first; step < this.#lastStep; step += 1) {
      this.#apply(step);
      const isEdge = step % this.#blockSteps === 0 || step === first;
      if (isEdge) {
        shown.push(...(begun.get(step) ?? []));
        changing = this.#changingAfter(step);
      }
      const written = isEdge ? shown : [...changing];
      const atMs = Math.max(step * stepMs, Number(from / milliseconds(1)) + 1);
      if (written.length > 0) yield samples(written, atMs);
    }
    this.#apply(this.#lastStep);
    if (shown.length === 0) return;
    yield samples(shown, this.#lastMs);
    for (const row of shown) setSum(row, zeroOf(row.sum));
    yield samples(shown, this.#lastMs + 1);
  }

  /** The step with the first sample of a series: the begin of the block in which it changes, but not before `from`. */
  #stepBefore({ firstStep }: GrowingSeries): number {
    return Math.max(Math.ceil(firstStep / this.#blockSteps - 1) * this.#blockSteps, this.#firstStep - 1);
  }

  #apply(step: number): void {
    for (const [row, change] of this.#changes.get(step) ?? []) setSum(row, fold(row.sum, change));
  }

  /** The series that change in the steps of the block after a step. */
  #changingAfter(step: number): ReadonlySet<GrowingSeries> {
    const steps = Array.from({ length: this.#blockSteps }, (_, index) => this.#changes.get(step + index + 1));
    return new Set(steps.flatMap(changes => [...(changes?.keys() ?? [])]));
  }

  /** The step at whose end something is counted. */
  #stepOf(at: Nanos): number {
    const step = milliseconds(this.#options.stepMs);
    return Math.min(Math.max(Number((at + step - 1n) / step), this.#firstStep), this.#lastStep);
  }

  #deltasOf(parts: Partial<Batch>): readonly SeriesDelta[] {
    const findings = { rejected: {}, anomalies: {}, abandoned: 0, corrections: 0 };
    const batch = { events: [], results: [], failures: [], findings, at: this.#options.to, ...parts };
    return batchDeltas(this.#options.server, batch, this.#options.labelOf);
  }

  #count(at: Nanos, deltas: readonly SeriesDelta[]): void {
    this.#countIn(this.#stepOf(at), deltas);
  }

  #countIn(step: number, deltas: readonly SeriesDelta[]): void {
    const changes = this.#changes.get(step) ?? new Map<GrowingSeries, Series>();
    this.#changes.set(step, changes);
    for (const delta of deltas) {
      const row = this.#rowOf(delta, step);
      if (row === undefined) continue;
      row.firstStep = Math.min(row.firstStep, step);
      changes.set(row, fold(changes.get(row), { ...delta, labels: row.values }));
    }
  }

  /** Undefined for a family that is not backfilled. */
  #rowOf(delta: SeriesDelta, step: number): GrowingSeries | undefined {
    const family = familyOf.get(delta.family);
    if (family === undefined) return undefined;
    const { organizationLabel, targetLabels } = this.#options;
    const isShown = (index: number): boolean => organizationLabel || family.labels[index] !== 'organization';
    const values = delta.labels.filter((_, index) => isShown(index));
    const key = seriesKey({ family: family.name, labels: values });
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const names = family.labels.filter((_, index) => isShown(index));
    const labels = labelText([...Object.keys(targetLabels), ...names], [...Object.values(targetLabels), ...values]);
    const sum = zeroOf(fold(undefined, delta));
    const row = { values, labels, write: seriesWriter(family), firstStep: step, sum, lines: '' };
    this.#rows.set(key, row);
    return row;
  }
}

function setSum(row: GrowingSeries, sum: Series): void {
  row.sum = sum;
  row.lines = '';
}

function samples(rows: readonly GrowingSeries[], atMs: number): string {
  const end = ` ${String(atMs / 1000)}\n`;
  let text = '';
  for (const row of rows) {
    if (row.lines === '') row.lines = row.write(row.labels, { series: row.sum, exemplars: [] }, 'openmetrics');
    text += row.lines.replaceAll('\n', end);
  }
  return text.trimEnd();
}

const zeroOf = (series: Series): Series =>
  series.kind === 'histogram'
    ? { ...series, counts: series.counts.map(() => 0n), sumTicks: 0n }
    : series.kind === 'counter'
      ? { ...series, value: 0n }
      : series;
