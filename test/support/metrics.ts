import { createMetrics, type Metrics, type MetricsOptions } from '../../src/metrics/registry.js';

/** The metrics of a program that has begun with these servers. */
export function metricsOf(servers: readonly string[], options: Partial<MetricsOptions> = {}): Metrics {
  const metrics = createMetrics({ version: '1.2.3', ...options });
  for (const server of servers) metrics.begin(server);
  return metrics;
}
