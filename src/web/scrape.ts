import type { Request, Response } from 'express';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../kernel/clock.js';

/** Prometheus text format 0.0.4, or OpenMetrics 1.0. */
export type MetricsFormat = 'text' | 'openmetrics';

/** The client of a scrape: address and user agent, and whether it sends a scrape timeout, as Prometheus does. */
export type MetricsScraper = Readonly<{ key: string; scrapes: boolean }>;

/** One response of `/metrics`. */
export type MetricsPage = Readonly<{
  body: Buffer;
  /** Called when the last byte was sent within the client's timeout. Never for HEAD or a broken connection. */
  delivered: (scraper: MetricsScraper) => void;
}>;

export type ScrapeOptions = Readonly<{
  metrics: (format: MetricsFormat) => Promise<MetricsPage>;
  clock: Pick<Clock, 'monotonic'>;
}>;

const compress = promisify(gzip);

/** Answers a scrape in the format and encoding that the client prefers. */
export async function answerScrape(request: Request, response: Response, options: ScrapeOptions): Promise<void> {
  const startedMs = options.clock.monotonic();
  // The client drops responses that arrive after this.
  const timeoutMs = (Number(request.headers[timeoutHeader]) || Infinity) * 1000;
  const format = formatOf(request);
  const page = await options.metrics(format);
  response.set({ 'content-type': contentTypes[format], vary: 'Accept, Accept-Encoding' });
  const compressed = request.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (compressed) response.set('content-encoding', 'gzip');
  const body = compressed ? await compress(page.body, { level: constants.Z_BEST_SPEED }) : page.body;
  // `finish` fires only when all bytes were handed to the system; a broken connection has `close` alone.
  if (request.method === 'GET')
    response.once('finish', () => {
      if (options.clock.monotonic() - startedMs <= timeoutMs) page.delivered(scraperOf(request));
    });
  response.send(body);
}

const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Prometheus 3 adds an escaping scheme to `Accept`. Names here need no escaping, so each scheme is accepted. */
const escapings = ['', '; escaping=allow-utf-8', '; escaping=underscores', '; escaping=dots', '; escaping=values'];
const offers = [contentTypes.text, ...escapings.map(escaping => contentTypes.openmetrics + escaping)];

/** A scrape is always answered: a client that accepts neither format gets text. */
function formatOf(request: Request): MetricsFormat {
  const accepted = request.accepts(offers);
  return accepted === false || accepted === contentTypes.text ? 'text' : 'openmetrics';
}

const timeoutHeader = 'x-prometheus-scrape-timeout-seconds';

/** Keeps 200 characters of the user agent. */
const scraperOf = ({ socket, headers }: Request): MetricsScraper => ({
  key: `${socket.remoteAddress ?? ''} ${(headers['user-agent'] ?? '').slice(0, 200)}`,
  scrapes: headers[timeoutHeader] !== undefined,
});
