import { linesOf, vectorOf } from '../../dashboards/logql-evaluator.js';
import { type Line, lokiReceiver, ofAnyTime } from '../../support/loki-receiver.js';
import type { Series } from './archive.js';
import { startVictoriaLogs } from './victoria-logs.js';

type Span = Readonly<{ start: number; end: number }>;

/** A log store with records of any age, asked as Grafana's data source asks it. Times are seconds. */
export interface LogArchive {
  /** The complete URL for log records. */
  readonly url: URL;
  readonly protocol: 'http/json' | 'http/protobuf';
  /** @throws {Error} with what the store says of the query. */
  instant(query: string, span: Span): Promise<readonly Series[]>;
  /** What the query of a rule finds at a time. @throws {Error} as `instant`. */
  alert(query: string, atSeconds: number): Promise<readonly Series[]>;
  range(query: string, span: Span & Readonly<{ step: number }>): Promise<readonly Series[]>;
  lines(query: string, span: Span & Readonly<{ limit: number }>): Promise<readonly Line[]>;
  /** Makes everything that it has taken visible to queries. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** A real VictoriaLogs, asked in LogsQL. */
export async function victoriaLogsArchive(folder: string): Promise<LogArchive> {
  const store = await startVictoriaLogs(folder, { flags: ['-retentionPeriod=100y'] });
  return { ...store, protocol: 'http/protobuf' };
}

/** What the records look like in a Loki, asked in LogQL through the evaluator of the tests. */
export async function lokiArchive(): Promise<LogArchive> {
  const receiver = await lokiReceiver(ofAnyTime);
  const within = ({ start, end }: Span): readonly Line[] =>
    receiver.lines().filter(({ at }) => Number(at) / 1e9 >= start && Number(at) / 1e9 < end);
  const instant: LogArchive['instant'] = async (query, { end }) =>
    Promise.resolve(
      vectorOf(query, { lines: receiver.lines(), at: end }).map(({ labels, value }) => ({
        labels,
        values: [[end, value]],
      })),
    );
  return {
    url: receiver.url,
    protocol: 'http/json',
    instant,
    alert: async (query, atSeconds) => instant(query, { start: 0, end: atSeconds }),
    range: async (query, { start, end, step }) => {
      const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
      return (await Promise.all(times.map(async at => instant(query, { start, end: at })))).flat();
    },
    lines: async (query, { limit, ...span }) =>
      Promise.resolve(linesOf(query, within(span)).toReversed().slice(0, limit)),
    flush: async () => Promise.resolve(),
    stop: async () => receiver.close(),
  };
}
