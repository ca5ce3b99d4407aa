import type { Sink } from '../pipeline/ports.js';
import { batchDeltas, sinkDeltas } from './deltas.js';
import type { IncrementHold } from './increment-hold.js';
import { unlimited } from './organizations.js';

/**
 * Turns a batch into deltas of stored series, which are committed in the same transaction as the cursors. Never fails,
 * and does no I/O.
 * @param incrementHold marks increments as held back. Default: none.
 */
export function metricsSink(server: string, labelOf = unlimited, incrementHold?: Pick<IncrementHold, 'hold'>): Sink {
  return {
    name: 'metrics',
    deliver: async batch => {
      const counted = batchDeltas(server, batch, labelOf);
      const delivery = { outcome: 'delivered', dropped: 0, deadLetters: [] } as const;
      return {
        deltas: [...(incrementHold?.hold(counted) ?? counted), ...sinkDeltas(server, 'metrics', batch, delivery)],
      };
    },
  };
}
