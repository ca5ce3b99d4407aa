import { resourceFromAttributes } from '@opentelemetry/resources';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { acknowledgingExporter } from '../../src/sink/acknowledging-exporter.js';
import { logsSink } from '../../src/sink/logs-sink.js';
import { type OtlpTarget, otlpTransport } from '../../src/sink/otlp-transport.js';
import type { Sink } from '../../src/pipeline/ports.js';
import type { Origin } from '../../src/telemetry/log-record.js';

/** A clock that stands still. */
export const stopped = (ms: number): Clock => ({ ...systemClock, now: () => ms });

export const origin: Origin = {
  resource: resourceFromAttributes({ 'service.name': 'vb365-exporter' }),
  scope: { name: 'vb365-exporter', version: '1.2.3' },
};

export const target = (url: URL, over: Partial<OtlpTarget> = {}): OtlpTarget => ({
  url,
  protocol: 'http/json',
  headers: {},
  compression: 'none',
  timeoutMs: 5_000,
  ...over,
});

/** The logs sink of a server `hq`, as the program builds it. */
export function logsTo(url: URL, over: Partial<OtlpTarget> = {}): Sink & { close: () => Promise<void> } {
  const to = target(url, over);
  const clock = stopped(Date.UTC(2017, 4, 30, 10, 57, 31));
  const transport = otlpTransport(to, '1.2.3', clock);
  const sink = logsSink({ server: 'hq', origin, exporter: acknowledgingExporter(to.protocol, transport), clock });
  return { ...sink, close: async () => transport.close() };
}
