import type { Scraper } from '../../src/metrics/scrapers.js';
import { memoryStore } from './memory-store.js';
import { type ExporterOptions, startExporter } from './scraped.js';
import { drivenClock } from './simulator.js';

export const a: Scraper = { key: '10.0.0.1 Prometheus/3.5.0', scrapes: true };
export const b: Scraper = { key: '10.0.0.2 Prometheus/2.53.0', scrapes: true };
export const curl: Scraper = { key: '10.0.0.3 curl/8.5.0', scrapes: false };

/** A process that these scrapers know, and the means to begin another over the same store. */
export const scrapedBy = async (scrapers: readonly Scraper[] = [a], over: Partial<ExporterOptions> = {}) => {
  const options = { clock: drivenClock(), store: memoryStore(), ...over };
  const exporter = await startExporter(options);
  for (const scraper of [...scrapers, ...scrapers]) await exporter.scrape(scraper);
  return { ...options, exporter, restart: async () => startExporter(options) };
};
