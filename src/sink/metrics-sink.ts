import type { Sink } from '../pipeline/ports.js';
import { batchDeltas, sinkDeltas } from '../telemetry/metrics.js';

/**
 * The sink whose other side is our own store: what it has to say is the change of the series itself, stored in the
 * transaction that moves its cursors. It never fails, and waits for nothing.
 */
export function metricsSink(server: string): Sink {
  return {
    name: 'metrics',
    deliver: async batch => ({
      deltas: [
        ...batchDeltas(server, batch),
        ...sinkDeltas(server, 'metrics', batch, { outcome: 'delivered', dropped: 0, setAside: [] }),
      ],
    }),
  };
}
