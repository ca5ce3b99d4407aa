import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, getText, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

/** A real Prometheus that scrapes one target. */
export interface Prometheus {
  /** The value of an instant query that gives one series; undefined when it gives none. */
  query(promql: string): Promise<number | undefined>;
  /** Everything that an endpoint of its API answers as `data`. */
  data(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

export type PrometheusOptions = Readonly<{
  target: string;
  intervalSeconds: number;
  /** Default: an empty one. */ tsdb?: string;
}>;

/** Starts one, and waits for its first scrape. */
export async function startPrometheus({ target, intervalSeconds, tsdb }: PrometheusOptions): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-prometheus-'));
  const interval = `${String(intervalSeconds)}s`;
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: ${interval}, scrape_timeout: ${interval} }
scrape_configs: [{ job_name: vb365, static_configs: [{ targets: ['${target}'] }] }]
`,
  );
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const program = startProgram({
    path: toolPath('prometheus'),
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${tsdb ?? join(folder, 'tsdb')}`,
      '--storage.tsdb.retention.time=10y',
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--enable-feature=exemplar-storage',
    ],
  });
  const data = async (path: string): Promise<unknown> => {
    const { text } = await getText(`${url}/api/v1/${path}`);
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined;
  };
  const query = async (promql: string): Promise<number | undefined> =>
    valueOf(await data(`query?query=${encodeURIComponent(promql)}`));
  const stop = async (): Promise<void> => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await whenReady(program, `${url}/-/ready`);
    await eventually('the first scrape', async () => ((await query('up')) === 1 ? true : undefined));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { query, data, stop };
}

/** The value of the only sample of a vector. */
function valueOf(data: unknown): number | undefined {
  const text = JSON.stringify(data);
  const values = [...text.matchAll(/"value":\[[\d.]+,"([^"]+)"\]/g)].map(([, value]) => Number(value));
  if (values.length > 1) throw new Error(`More than one series: ${text}`);
  return values[0];
}
