import { resourceFromAttributes } from '@opentelemetry/resources';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { acknowledgingExporter, logsSignal, tracesSignal } from '../../src/otlp/exporter.js';
import { logsSink, type LogsSinkOptions, type TimeLimits } from '../../src/otlp/logs-sink.js';
import type { OtlpTarget } from '../../src/config/otlp.js';
import { otlpTransport } from '../../src/otlp/transport.js';
import type { Sink } from '../../src/pipeline/ports.js';
import { tracesSink } from '../../src/otlp/traces-sink.js';
import { redacting } from '../../src/otlp/redaction.js';
import { type Origin, originOf } from '../../src/otlp/log-record.js';
import { keepAll, target } from './otlp-target.js';

/** A clock that stands still. */
export const stopped = (ms: number): Clock => ({ ...systemClock, now: () => ms });

export const origin: Origin = originOf({
  resource: resourceFromAttributes({ 'service.name': 'vb365-exporter' }),
  scope: { name: 'vb365-exporter', version: '1.2.3' },
  redact: redacting(keepAll, text => text),
});

const clock = stopped(Date.UTC(2017, 4, 30, 10, 57, 31));
const noLimits: TimeLimits = { maxAge: undefined, maxBehind: undefined, maxAhead: undefined };

/** The logs sink of a server `hq`, as the program builds it. */
export function logsTo(
  url: URL,
  over: Partial<OtlpTarget> = {},
  limits: TimeLimits = noLimits,
): Sink & { close: () => Promise<void> } {
  const to = target(url, over);
  const transport = otlpTransport(to, '1.2.3', clock);
  const sink = logsThrough(acknowledgingExporter(logsSignal, to.protocol, transport), limits);
  return { ...sink, close: async () => transport.close() };
}

/** The same around another exporter. */
export const logsThrough = (exporter: LogsSinkOptions['exporter'], limits: TimeLimits = noLimits): Sink =>
  logsSink({ server: 'hq', origin, exporter, clock, limits });

/** The traces sink of a server `hq`, as the program builds it. */
export function tracesTo(url: URL, over: Partial<OtlpTarget> = {}): Sink & { close: () => Promise<void> } {
  const to = target(new URL('/v1/traces', url), over);
  const transport = otlpTransport(to, '1.2.3', systemClock);
  const sink = tracesSink({
    server: 'hq',
    origin,
    exporter: acknowledgingExporter(tracesSignal, to.protocol, transport),
    clock: systemClock,
    maxAhead: undefined,
  });
  return { ...sink, close: async () => transport.close() };
}
