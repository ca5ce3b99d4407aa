import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Written, writtenOf } from './collector.js';
import { freePort, getText, startProgram, whenReady } from './running.js';
import { toolPath } from './tools.js';

/** A real Jaeger that keeps spans in memory. */
export interface Jaeger {
  /** The complete URL for spans. */
  readonly url: URL;
  /** The spans of a trace, as its query API answers them; none if it has no such trace. */
  trace(id: string): Promise<readonly Written[]>;
  /** The ids of the traces of the exporter that Jaeger finds without an id. */
  traceIds(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

type Ports = Readonly<{ otlp: number; http: number; grpc: number }>;

const at = (port: number): string => `127.0.0.1:${String(port)}`;

const config = ({ otlp, http, grpc }: Ports): string => `
extensions:
  jaeger_storage: { backends: { spans: { memory: { max_traces: 100000 } } } }
  jaeger_query:
    storage: { traces: spans }
    http: { endpoint: '${at(http)}' }
    grpc: { endpoint: '${at(grpc)}' }
receivers: { otlp: { protocols: { http: { endpoint: '${at(otlp)}' } } } }
exporters: { jaeger_storage_exporter: { trace_storage: spans } }
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
`;

/** Starts one with its configuration in `folder`. */
export async function startJaeger(folder: string): Promise<Jaeger> {
  const [otlp, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, 'jaeger.yaml');
  writeFileSync(file, config({ otlp, http, grpc }));
  // Jaeger does not trace itself.
  const env = { ...process.env, OTEL_TRACES_SAMPLER: 'always_off' };
  const running = startProgram({ path: toolPath('jaeger'), args: ['--config', file], env });
  const api = `http://${at(http)}/api`;
  await whenReady(running, `${api}/services`);
  return {
    url: new URL(`http://${at(otlp)}/v1/traces`),
    trace: async id => {
      const { status, text } = await getText(`${api}/v3/traces/${id}`);
      if (status === 404) return [];
      const { result } = JSON.parse(text) as { result: Readonly<Record<string, unknown>> };
      return writtenOf(result, 'resourceSpans', 'scopeSpans', 'spans');
    },
    traceIds: async () => {
      const { text } = await getText(`${api}/traces?service=vb365-exporter&lookback=custom&start=0&limit=100000`);
      const { data } = JSON.parse(text) as { data: readonly Readonly<{ traceID: string }>[] };
      return data.map(({ traceID }) => traceID);
    },
    stop: async () => running.stop(),
  };
}
