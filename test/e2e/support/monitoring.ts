import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { eventually, freePort, getText, type Running, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

export type Labels = Readonly<Record<string, string>>;

/** What Alertmanager posts to a webhook, as far as the tests look at it. */
export type Notification = Readonly<{
  receiver: string;
  status: 'firing' | 'resolved';
  alerts: readonly Readonly<{ status: string; labels: Labels; annotations: Labels }>[];
}>;

/** A webhook that keeps the notifications it receives. */
export interface Webhook {
  readonly url: string;
  readonly notifications: readonly Notification[];
  close(): Promise<void>;
}

export async function webhook(): Promise<Webhook> {
  const notifications: Notification[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', chunk => (body += String(chunk)));
    request.once('end', () => {
      notifications.push(JSON.parse(body) as Notification);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${String(port)}/`, notifications, close };
}

type Receiver = Readonly<{ name: string }>;
type Config = Readonly<{ route: object; receivers: readonly Receiver[] }>;

/** The Alertmanager configuration that we ship, but quick, and with `hook` in the place of every receiver. */
function quickConfig(hook: string): string {
  const { route, receivers, ...shipped } = parse(
    readFileSync('dashboards/alertmanager/alertmanager.yml', 'utf8'),
  ) as Config;
  return stringify({
    ...shipped,
    global: {},
    templates: [resolve('dashboards/alertmanager/vb365.tmpl')],
    route: { ...route, group_wait: '0s', group_interval: '1s' },
    receivers: receivers.map(({ name }) => ({ name, webhook_configs: [{ url: hook, send_resolved: true }] })),
  });
}

/** A real Alertmanager; answers its address, `127.0.0.1:<port>`. */
export async function startAlertmanager(folder: string, hook: string): Promise<Running & { address: string }> {
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, quickConfig(hook));
  const address = `127.0.0.1:${String(await freePort())}`;
  const storage = `--storage.path=${join(folder, 'alertmanager')}`;
  const args = [`--config.file=${file}`, storage, `--web.listen-address=${address}`, '--cluster.listen-address='];
  const running = startProgram({ path: toolPath('alertmanager'), args });
  await whenReady(running, `http://${address}/-/ready`);
  return { ...running, address };
}

export type Prometheus = Running & {
  /** The values that a query has now. */
  query(expr: string): Promise<readonly number[]>;
  /** Everything that an endpoint of its API answers as `data`. */
  data<T>(path: string): Promise<T>;
  /** Waits until the rules of `group` were evaluated `times` more. */
  evaluated(group: string, times: number): Promise<void>;
};

type PrometheusOptions = Readonly<{ exporters: readonly string[]; alertmanager?: string; intervalSeconds?: number }>;

/** A real Prometheus with our rules, which scrapes and evaluates every second, or at another interval. */
export async function startPrometheus(
  folder: string,
  { exporters, alertmanager, intervalSeconds = 1 }: PrometheusOptions,
): Promise<Prometheus> {
  const file = join(folder, 'prometheus.yml');
  const interval = `${String(intervalSeconds)}s`;
  writeFileSync(
    file,
    stringify({
      global: { scrape_interval: interval, evaluation_interval: interval },
      rule_files: [resolve('dashboards/prometheus/*.yml')],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: alertmanager === undefined ? [] : [alertmanager] }] }],
      },
      scrape_configs: [{ job_name: 'vb365', static_configs: [{ targets: exporters }] }],
    }),
  );
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const listen = `--web.listen-address=${url.replace('http://', '')}`;
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'prometheus')}`, listen];
  const running = startProgram({ path: toolPath('prometheus'), args });
  await whenReady(running, `${url}/-/ready`);
  const data: Prometheus['data'] = async path => dataOf(`${url}/api/v1/${path}`);
  const query: Prometheus['query'] = async expr => {
    const path = `query?query=${encodeURIComponent(expr)}` as const;
    const { result } = await data<{ result: { value: [number, string] }[] }>(path);
    return result.map(({ value }) => Number(value[1]));
  };
  return { ...running, data, query, evaluated: async (...of) => evaluated(url, ...of) };
}

async function dataOf<T>(url: string): Promise<T> {
  const { status, text } = await getText(url);
  if (status !== 200) throw new Error(`Prometheus answers ${String(status)}: ${text}`);
  return (JSON.parse(text) as { data: T }).data;
}

async function evaluated(url: string, group: string, times: number): Promise<void> {
  const seen = new Set<string>();
  await eventually(`the rules of ${group} are evaluated`, async () => {
    const { groups } = await dataOf<{ groups: { name: string; lastEvaluation: string }[] }>(`${url}/api/v1/rules`);
    for (const { name, lastEvaluation } of groups) if (name === group) seen.add(lastEvaluation);
    return seen.size > times ? true : undefined;
  });
}
