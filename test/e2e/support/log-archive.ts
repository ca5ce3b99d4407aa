import type { Series } from './archive.js';
import { type Line, type Loki, startLoki } from './loki.js';
import { getText } from './running.js';

/** A real Loki without limits of age, asked as Grafana asks it. Times are seconds. */
export interface LogArchive {
  readonly loki: Loki;
  readonly url: string;
  /** @throws {Error} with what Loki says of the query. */
  instant(query: string, atSeconds: number): Promise<readonly Series[]>;
  range(query: string, span: Readonly<{ start: number; end: number; step: number }>): Promise<readonly Series[]>;
  lines(query: string, span: Readonly<{ start: number; end: number; limit: number }>): Promise<readonly Line[]>;
  stop(): Promise<void>;
}

type Labels = Readonly<Record<string, string>>;
type Points = readonly (readonly [number, string])[];
type Answer = Readonly<{
  data: Readonly<{
    result: readonly Readonly<{ metric: Labels; value?: readonly [number, string]; values?: Points }>[];
  }>;
}>;
type Streams = Readonly<{
  data: Readonly<{ result: readonly Readonly<{ stream: Labels; values: readonly (readonly [string, string])[] }>[] }>;
}>;

const series = ({ data }: Answer): readonly Series[] =>
  data.result.map(({ metric, value, values = value === undefined ? [] : [value] }) => ({
    labels: metric,
    values: values.map(([at, text]) => [at, Number(text)] as const),
  }));

export async function startLogArchive(folder: string): Promise<LogArchive> {
  const loki = await startLoki(folder, 'none');
  const ask = async <T>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<T> => {
    const query = Object.entries(parameters).map(([name, value]) => [name, String(value)]);
    const { status, text } = await getText(
      `${loki.url.origin}/loki/api/v1/${path}?${new URLSearchParams(Object.fromEntries(query) as Record<string, string>).toString()}`,
    );
    if (status !== 200) throw new Error(`Loki answered ${String(status)}: ${text}: ${String(parameters['query'])}`);
    return JSON.parse(text) as T;
  };
  return {
    loki,
    url: loki.url.origin,
    instant: async (query, time) => series(await ask<Answer>('query', { query, time })),
    range: async (query, span) => series(await ask<Answer>('query_range', { query, ...span })),
    lines: async (query, span) => {
      const { data } = await ask<Streams>('query_range', { query, ...span, direction: 'backward' });
      return data.result.flatMap(({ stream, values }) => values.map(([at, text]) => ({ at, text, labels: stream })));
    },
    stop: async () => loki.stop(),
  };
}
