import type { Family } from './family.js';
import { labelText, numberText, sampleStart, type ServedFamily } from './exposition.js';

type LabelValues = Readonly<Record<string, string>>;

/** The series of one gauge, by server. Series without a label `server` belong to the server `''`. */
export class GaugeTable {
  readonly served: ServedFamily;
  readonly #names: readonly string[];
  /** For each server, values by the part of the line before them. */
  readonly #servers = new Map<string, Map<string, number>>();

  /** @param hidden a label that is not served. */
  constructor({ name, help, type, labels }: Family, hidden?: string) {
    this.#names = labels.filter(label => label !== hidden);
    this.served = { name, help, type, write: () => this.#text() };
  }

  /** Sets one series. */
  set(labels: LabelValues, value: number): void {
    this.#rowsOf(labels['server'] ?? '').set(this.#start(labels), value);
  }

  /** Replaces all series of a server. Rows that differ only in labels that are not served add up. */
  replace(server: string, rows: readonly Readonly<{ labels: LabelValues; value: number }>[]): void {
    const own = this.#rowsOf(server);
    own.clear();
    for (const { labels, value } of rows) {
      const start = this.#start({ ...labels, server });
      own.set(start, (own.get(start) ?? 0) + value);
    }
  }

  #rowsOf(server: string): Map<string, number> {
    const rows = this.#servers.get(server) ?? new Map<string, number>();
    this.#servers.set(server, rows);
    return rows;
  }

  /** The key of a series. Label values are quoted, so no two series share one. */
  #start(labels: LabelValues): string {
    const values = this.#names.map(label => (labels[label] ?? '').toWellFormed());
    return sampleStart(this.served.name, labelText(this.#names, values));
  }

  #text(): string {
    let text = '';
    for (const rows of this.#servers.values())
      for (const [start, value] of rows) text += `${start}${numberText(value)}\n`;
    return text;
  }
}
