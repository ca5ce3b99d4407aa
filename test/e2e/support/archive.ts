import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, getText, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

type Labels = Readonly<Record<string, string>>;

/** A series of an answer; an instant query gives it one value. Times are seconds. */
export type Series = Readonly<{ labels: Labels; values: readonly (readonly [atSeconds: number, value: number])[] }>;

/** A real Prometheus that scrapes nothing and keeps everything: it answers about what was written into its blocks. */
export interface Archive {
  readonly url: string;
  /** @throws {Error} with what Prometheus says of the query. */
  instant(query: string, atSeconds: number): Promise<readonly Series[]>;
  range(query: string, span: Readonly<{ start: number; end: number; step: number }>): Promise<readonly Series[]>;
  stop(): Promise<void>;
}

type Answer = Readonly<{
  error?: string;
  data?: Readonly<{
    result: readonly Readonly<{
      metric: Labels;
      value?: readonly [number, string];
      values?: readonly (readonly [number, string])[];
    }>[];
  }>;
}>;

/**
 * @param folder where its configuration goes, and where `tsdb` with the blocks is.
 * @param lookback for how long a sample counts; more than the time between two scrapes.
 */
export async function startArchive(folder: string, lookback = '5m'): Promise<Archive> {
  const file = join(folder, 'archive.yml');
  writeFileSync(file, 'global: {}\n');
  const address = `127.0.0.1:${String(await freePort())}`;
  const running = startProgram({
    path: toolPath('prometheus'),
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      '--storage.tsdb.retention.time=100y',
      `--query.lookback-delta=${lookback}`,
      `--web.listen-address=${address}`,
    ],
  });
  const url = `http://${address}`;
  await whenReady(running, `${url}/-/ready`);
  const ask = async (path: string, parameters: Readonly<Record<string, string>>): Promise<readonly Series[]> => {
    const { text } = await getText(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { error, data } = JSON.parse(text) as Answer;
    if (data === undefined) throw new Error(`${String(error)}: ${String(parameters['query'])}`);
    return data.result.map(({ metric, value, values = value === undefined ? [] : [value] }) => ({
      labels: metric,
      values: values.map(([at, text_]) => [at, Number(text_)] as const),
    }));
  };
  return {
    url,
    instant: async (query, atSeconds) => ask('query', { query, time: String(atSeconds) }),
    range: async (query, { start, end, step }) =>
      ask('query_range', { query, start: String(start), end: String(end), step: String(step) }),
    stop: async () => running.stop(),
  };
}
