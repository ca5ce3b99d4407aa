import type { AcknowledgingExporter } from './acknowledging-exporter.js';

/** Items per request: half a megabyte of JSON, some 2 ms to encode. */
const requestSize = 512;

/** Sends in turn, so that items arrive in order; answers how many were refused for good. */
export async function sendAll<Item>(
  items: readonly Item[],
  exporter: AcknowledgingExporter<Item>,
  signal: AbortSignal,
): Promise<number> {
  let refused = 0;
  for (let from = 0; from < items.length; from += requestSize) {
    // oxlint-disable-next-line no-await-in-loop -- one request at a time is the point
    const acknowledgement = await exporter.export(items.slice(from, from + requestSize), signal);
    refused += acknowledgement.refused;
  }
  return refused;
}
