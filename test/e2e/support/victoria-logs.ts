import { join } from 'node:path';
import type { Line } from '../../support/loki-receiver.js';
import type { Series } from './archive.js';
import { freePort, getText, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

/** A record as VictoriaLogs answers it: every field is text, those without a value are absent. */
export type StoredRecord = Readonly<Record<string, string>>;

/** A real VictoriaLogs: it takes records over OTLP and answers LogsQL. Times are seconds. */
export interface VictoriaLogs {
  /** The complete URL for log records, for `http/protobuf` only. */
  readonly url: URL;
  /** The `_time`, `_msg` and attributes of every record that a query finds. */
  records(query: string): Promise<readonly StoredRecord[]>;
  /** @throws {Error} with what VictoriaLogs says of the query. */
  instant(query: string, span: Readonly<{ start: number; end: number }>): Promise<readonly Series[]>;
  /** What a rule finds at a time, which is the end of its `_time` window. @throws {Error} as `instant`. */
  alert(query: string, atSeconds: number): Promise<readonly Series[]>;
  range(query: string, span: Readonly<{ start: number; end: number; step: number }>): Promise<readonly Series[]>;
  lines(query: string, span: Readonly<{ start: number; end: number; limit: number }>): Promise<readonly Line[]>;
  /** Makes everything that it has taken visible to queries; without this it takes about a second. */
  flush(): Promise<void>;
  /** The value of one of its metrics. */
  metric(series: string): Promise<number>;
  /** Lets it end as an administrator would: what it has taken is written before. */
  stop(): Promise<void>;
  crash(): Promise<void>;
}

type Options = Readonly<{ port?: number; flags?: readonly string[] }>;
type Parameters = Readonly<Record<string, string | number>>;
type Answer = Readonly<{
  data: Readonly<{
    result: readonly Readonly<{
      metric: Readonly<Record<string, string>>;
      value?: readonly [number, string];
      values?: readonly (readonly [number, string])[];
    }>[];
  }>;
}>;

/** Starts one that keeps its data in `folder`, behind what is there from before. */
export async function startVictoriaLogs(folder: string, { port, flags = [] }: Options = {}): Promise<VictoriaLogs> {
  const address = `127.0.0.1:${String(port ?? (await freePort()))}`;
  const base = `http://${address}`;
  const args = [`-storageDataPath=${join(folder, 'victoria-logs')}`, `-httpListenAddr=${address}`, ...flags];
  const running = startProgram({ path: toolPath('victoriaLogs'), args });
  await whenReady(running, `${base}/health`);
  const ask = async (path: string, parameters: Parameters): Promise<string> => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) body.set(name, String(value));
    const { status, text } = await getText(`${base}/select/logsql/${path}`, { method: 'POST', body });
    if (status !== 200) throw new Error(`VictoriaLogs answered ${String(status)}: ${text}`);
    return text;
  };
  const found = async (parameters: Parameters): Promise<readonly StoredRecord[]> =>
    (await ask('query', parameters))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as StoredRecord);
  return {
    url: new URL(`${base}/insert/opentelemetry/v1/logs`),
    records: async query => found({ query }),
    // The data source puts the time range before the query.
    instant: async (query, { start, end }) =>
      seriesOf(await ask('stats_query', { query: `_time:[${String(start)}, ${String(end)}] ${query}`, time: end })),
    alert: async (query, atSeconds) => seriesOf(await ask('stats_query', { query, time: atSeconds })),
    range: async (query, span) =>
      seriesOf(await ask('stats_query_range', { query, ...span, step: `${String(span.step)}s` })),
    lines: async (query, span) =>
      (await found({ query, ...span })).map(({ _time = '', _msg = '', ...labels }) => ({
        at: _time,
        text: _msg,
        labels,
      })),
    flush: async () => void (await getText(`${base}/internal/force_flush`)),
    metric: async series => {
      const { text } = await getText(`${base}/metrics`);
      const line = text.split('\n').find(one => one.startsWith(`${series} `));
      return Number(line?.slice(series.length + 1));
    },
    stop: async () => running.stop(),
    crash: async () => running.kill(),
  };
}

const seriesOf = (text: string): readonly Series[] =>
  (JSON.parse(text) as Answer).data.result.map(({ metric, value, values = value === undefined ? [] : [value] }) => ({
    labels: metric,
    values: values.map(([at, count]) => [at, Number(count)] as const),
  }));
