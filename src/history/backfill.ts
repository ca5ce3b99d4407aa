import { batchDeltas, initialSessionDeltas } from '../metrics/deltas.js';
import { labelText } from '../metrics/exposition.js';
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
import { SeriesTable } from '../metrics/series-table.js';
import { sessionTime } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Series, SeriesDelta, TakenEvent } from '../pipeline/ports.js';
import { happenedAt } from '../pipeline/dedupe.js';
import { fold, seriesKey } from '../pipeline/series.js';
import type { HistoryPart } from './reader.js';

/** Counters of what happened; the other metrics say what the exporter did. */
const families = [
  restoreEvents,
  restoreOwnerEvents,
  restoreItemDuration,
  restoreItemBytes,
  restoreSessions,
  restoreSessionsFailed,
  restoreSessionDuration,
];
const names: ReadonlySet<string> = new Set(families.map(({ name }) => name));

type BackfillOptions = Readonly<{
  server: string;
  from: Nanos;
  /** Where live counting began, server time. */
  to: Nanos;
  /** Between two samples. Samples are at multiples of it, as are the bars of dashboards. */
  stepMs: number;
  labelOf: OrganizationLabel;
  /** Whether series have the label `organization`. */
  organizationLabel: boolean;
  /** Labels that Prometheus adds when it scrapes, such as `job`. */
  targetLabels: Readonly<Record<string, string>>;
}>;

/**
 * The counters of one server as they would have been scraped, had the exporter run all the time. Holds the changes of
 * each step, not the events.
 */
export class Backfill {
  readonly #options: BackfillOptions;
  readonly #step: Nanos;
  /** By number of the step at whose end they are counted, then by series. */
  readonly #changes = new Map<number, Map<string, Series>>();
  /** The first step of each series. */
  readonly #first = new Map<string, Readonly<{ step: number; zero: Series }>>();

  constructor(options: BackfillOptions) {
    this.#options = options;
    this.#step = milliseconds(options.stepMs);
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
   * Lines with samples: each series from the step before it first counts, so that `increase()` sees the first count, to
   * `to`. There it falls to 0, where live counting begins: Prometheus sees a reset, however fast the live counter grows.
   */
  *lines(): Generator<string> {
    const { to, stepMs, organizationLabel } = this.#options;
    const hidden = organizationLabel ? undefined : 'organization';
    const table = new SeriesTable(families, hidden);
    const zeros = this.#zeros();
    const toMs = Number(to / milliseconds(1));
    const steps = [...zeros.keys()];
    if (steps.length === 0) return;
    const last = this.#stepOf(to);
    for (let step = Math.min(...steps); step <= last; step += 1) {
      table.restore([...(zeros.get(step) ?? []), ...(this.#changes.get(step)?.values() ?? [])]);
      yield this.#samples(table, Math.min(step * stepMs, toMs));
    }
    const end = new SeriesTable(families, hidden);
    end.restore([...zeros.values()].flat());
    yield this.#samples(end, toMs + 1);
  }

  /** The step at whose end something is counted. */
  #stepOf(at: Nanos): number {
    return Number((at + this.#step - 1n) / this.#step);
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
    const changes = this.#changes.get(step) ?? new Map<string, Series>();
    this.#changes.set(step, changes);
    for (const delta of deltas) {
      if (!names.has(delta.family)) continue;
      const key = seriesKey(delta);
      const sum = fold(changes.get(key), delta);
      changes.set(key, sum);
      const first = this.#first.get(key);
      if (first === undefined || step < first.step) this.#first.set(key, { step, zero: zeroOf(sum) });
    }
  }

  /** The series that begin in each step, at 0. */
  #zeros(): ReadonlyMap<number, readonly Series[]> {
    const begun = Map.groupBy(this.#first.values(), ({ step }) => step - 1);
    return new Map([...begun].map(([step, those]) => [step, those.map(({ zero }) => zero)]));
  }

  #samples(table: SeriesTable, atMs: number): string {
    const { targetLabels } = this.#options;
    const added = labelText(Object.keys(targetLabels), Object.values(targetLabels));
    const start = added === '' ? '{' : `{${added},`;
    return table.families
      .flatMap(({ write }) => write('openmetrics').split('\n'))
      .filter(line => line !== '')
      .map(line => `${line.replace('{', () => start)} ${String(atMs / 1000)}`)
      .join('\n');
  }
}

const zeroOf = (series: Series): Series =>
  series.kind === 'histogram'
    ? { ...series, counts: series.counts.map(() => 0n), sumTicks: 0n }
    : series.kind === 'counter'
      ? { ...series, value: 0n }
      : series;
