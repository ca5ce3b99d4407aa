import type { Request, Response } from 'express';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../kernel/clock.js';
import { contentTypes, formatOf, type MetricsFormat } from './negotiate.js';

/** Who asked. */
export type ScrapeReader = Readonly<{
  /** Its address and program. */
  key: string;
  /** It scrapes as Prometheus does, with a timeout of its own. */
  scrapes: boolean;
}>;

/** What `/metrics` answers once. */
export type MetricsPage = Readonly<{
  body: Buffer;
  /** Told when the page has been sent to the last byte, in time. Never for HEAD, or for a connection that broke. */
  delivered: (reader: ScrapeReader) => void;
}>;

export type ScrapeOptions = Readonly<{
  metrics: (format: MetricsFormat) => Promise<MetricsPage>;
  clock: Pick<Clock, 'monotonic'>;
}>;

const compress = promisify(gzip);

/** Answers a scrape in the format and the encoding that the request likes best. */
export async function answerScrape(request: Request, response: Response, options: ScrapeOptions): Promise<void> {
  const startedMs = options.clock.monotonic();
  const timeoutMs = timeoutOf(request);
  const format = formatOf(request.headers.accept);
  const page = await options.metrics(format);
  response.set({ 'content-type': contentTypes[format], vary: 'Accept, Accept-Encoding' });
  const body = await encoded(request, response, page.body);
  // `finish` comes only when all was handed to the system; a connection that breaks before has `close` alone.
  if (request.method === 'GET')
    response.once('finish', () => {
      if (options.clock.monotonic() - startedMs <= timeoutMs) page.delivered(readerOf(request));
    });
  response.send(body);
}

async function encoded(request: Request, response: Response, body: Buffer): Promise<Buffer> {
  if (request.acceptsEncodings('gzip', 'identity') !== 'gzip') return body;
  response.set('content-encoding', 'gzip');
  return compress(body, { level: constants.Z_BEST_SPEED });
}

const timeoutHeader = 'x-prometheus-scrape-timeout-seconds';

/** What comes later than that, a scraper has thrown away. */
function timeoutOf({ headers }: Request): number {
  const seconds = Number(headers[timeoutHeader]);
  return seconds > 0 ? seconds * 1000 : Infinity;
}

/** Of a name only so much is remembered: headers can be long. */
const longestName = 200;

const readerOf = ({ socket, headers }: Request): ScrapeReader => ({
  key: `${socket.remoteAddress ?? ''} ${(headers['user-agent'] ?? '').slice(0, longestName)}`,
  scrapes: headers[timeoutHeader] !== undefined,
});
