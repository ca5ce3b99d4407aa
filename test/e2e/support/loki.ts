import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, getText, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

/** A log line as Loki answers it, with the labels of its stream and its structured metadata by name. */
export type Line = Readonly<{ at: string; text: string; labels: Readonly<Record<string, string>> }>;

/** A real Loki: it takes records over OTLP and answers LogQL. */
export interface Loki {
  /** The complete URL for log records. */
  readonly url: URL;
  /** Every line that a stream selector finds in the last two weeks. */
  lines(selector: string): Promise<readonly Line[]>;
  stop(): Promise<void>;
}

/** The default age limits of Loki: a week, and an hour behind the newest of a stream; or none. */
export type AgeLimits = 'own' | 'none';

const withoutLimits = `
limits_config: { reject_old_samples: false, query_timeout: 2m }
ingester: { max_chunk_age: 10000h }
`;

const config = (folder: string, http: number, grpc: number): string => `
auth_enabled: false
analytics: { reporting_enabled: false }
server: { http_listen_address: 127.0.0.1, http_listen_port: ${String(http)}, grpc_listen_address: 127.0.0.1, grpc_listen_port: ${String(grpc)}, log_level: warn, http_server_write_timeout: 3m }
common:
  instance_addr: 127.0.0.1
  path_prefix: ${folder}
  replication_factor: 1
  storage: { filesystem: { chunks_directory: ${folder}/chunks, rules_directory: ${folder}/rules } }
  ring: { kvstore: { store: inmemory } }
schema_config:
  configs:
    - { from: '2020-01-01', store: tsdb, object_store: filesystem, schema: v13, index: { prefix: index_, period: 24h } }
`;

type Answer = Readonly<{
  data: Readonly<{
    result: readonly Readonly<{
      stream: Readonly<Record<string, string>>;
      values: readonly (readonly [string, string])[];
    }>[];
  }>;
}>;

const twoWeeksNanos = 14n * 86_400_000_000_000n;

export async function startLoki(folder: string, limits: AgeLimits = 'own'): Promise<Loki> {
  const [http, grpc] = [await freePort(), await freePort()];
  const home = join(folder, 'loki');
  mkdirSync(home, { recursive: true });
  const file = join(home, 'loki.yaml');
  writeFileSync(file, config(home, http, grpc) + (limits === 'none' ? withoutLimits : ''));
  const running = startProgram({ path: toolPath('loki'), args: [`-config.file=${file}`] });
  const base = `http://127.0.0.1:${String(http)}`;
  await whenReady(running, `${base}/ready`, 120_000);
  return {
    url: new URL(`${base}/otlp/v1/logs`),
    lines: async selector => {
      const end = BigInt(Date.now()) * 1_000_000n + 60_000_000_000n;
      const query = new URLSearchParams({ query: selector, limit: '5000', direction: 'forward' });
      query.set('end', String(end));
      query.set('start', String(end - twoWeeksNanos));
      const { status, text } = await getText(`${base}/loki/api/v1/query_range?${query.toString()}`);
      if (status !== 200) throw new Error(`Loki answered ${String(status)}: ${text}`);
      return (JSON.parse(text) as Answer).data.result.flatMap(({ stream, values }) =>
        values.map(([at, line]) => ({ at, text: line, labels: stream })),
      );
    },
    stop: async () => running.stop(),
  };
}
