import type { SeriesDelta, Sink } from '../pipeline/ports.js';
import { batchDeltas, sinkDeltas } from './deltas.js';
import { type OrganizationLabel, unlimited } from './organizations.js';

export type MetricsSinkOptions = Readonly<{
  labelOf?: OrganizationLabel;
  /** Marks what is to be held back of the changes until their series have been seen. */
  holdBack?: (deltas: readonly SeriesDelta[]) => readonly SeriesDelta[];
}>;

/**
 * The sink whose other side is our own store: what it has to say is the change of the series itself, stored in the
 * transaction that moves its cursors. It never fails, and waits for nothing.
 */
export function metricsSink(
  server: string,
  { labelOf = unlimited, holdBack = deltas => deltas }: MetricsSinkOptions = {},
): Sink {
  return {
    name: 'metrics',
    deliver: async batch => ({
      deltas: [
        ...holdBack(batchDeltas(server, batch, labelOf)),
        ...sinkDeltas(server, 'metrics', batch, { outcome: 'delivered', dropped: 0, deadLetters: [] }),
      ],
    }),
  };
}
