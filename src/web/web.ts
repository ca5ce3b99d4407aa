import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { WebConfig } from '../config/web-config.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import type { LoginRefusal } from '../model/labels.js';
import { icon, styleSheet } from './assets.js';
import { basicAuth } from './basic-auth.js';
import { landingPage, type Status } from './landing-page.js';
import { answerScrape, type ScrapeOptions } from './scrape.js';

/** Everything that is served; the functions are called for each request. */
export type WebOptions = Readonly<{
  /** Path of the metrics, `/metrics` by convention. */
  metricsPath: string;
  /** `why` is one sentence. */
  ready(): Readonly<{ ready: boolean; why: string }>;
  status(): Status;
  /**
   * Reloads the configuration and returns a message for the client; undefined where that is not allowed.
   * @throws {ExporterError} why the previous configuration stays in force.
   */
  reload: (() => Promise<string>) | undefined;
  /** Users and headers. */
  webConfig(): WebConfig;
  /** Called for each request that was refused because of its login. */
  loginRefused(reason: LoginRefusal, address: string): void;
  /** Called for each request that failed. */
  report(error: ExporterError): void;
}> &
  ScrapeOptions;

/** Probes come from orchestrators, which have no password. */
const healthPaths = ['/-/healthy', '/healthz'];
const readyPaths = ['/-/ready', '/readyz'];
const reloadPath = '/-/reload';
const notAllowed = 'Method not allowed';

/** Browsers must not run scripts, frame the page, guess types or cache. */
const safeHeaders = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The web application: metrics, probes, landing page and reload. It does not listen.
 * @throws {ExporterError} `config` when the metrics path cannot be used.
 */
export function createWeb(options: WebOptions): Express {
  const { webConfig, report } = options;
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('strict routing').enable('case sensitive routing');
  app.use((_, response, next) => {
    response.set({ ...safeHeaders, ...webConfig().headers });
    next();
  });
  app.use(
    basicAuth({
      users: () => webConfig().users,
      openPaths: new Set([...healthPaths, ...readyPaths]),
      refused: (reason, address) => options.loginRefused(reason, address),
    }),
  );
  for (const [path, page] of pagesOf(options))
    app
      .route(path)
      .get(page)
      .all(answering(405, notAllowed, { allow: 'GET, HEAD' }));
  const reload = reloading(options);
  app
    .route(reloadPath)
    .post(reload)
    .put(reload)
    .all(answering(405, notAllowed, { allow: 'POST, PUT' }));
  // Express recognizes an error handler by its four parameters.
  const failed: ErrorRequestHandler = (thrown, _request, response, _next) => {
    report(toExporterError(thrown));
    line(response, 500, 'Internal error; see the log of the exporter');
  };
  return app.use(answering(404, 'Not found'), failed);
}

function pagesOf(options: WebOptions): ReadonlyMap<string, RequestHandler> {
  const { status } = options;
  const metricsPath = parseMetricsPath(options.metricsPath);
  const readiness: RequestHandler = (_, response) => {
    const { ready, why } = options.ready();
    line(response, ready ? 200 : 503, why);
  };
  const pages = new Map<string, RequestHandler>([
    ['/', (_, response) => void response.type('html').send(landingPage(status(), metricsPath))],
    ['/style.css', (_, response) => void response.type('css').send(styleSheet)],
    ['/icon.svg', (_, response) => void response.type('svg').send(icon)],
    ...healthPaths.map(path => [path, answering(200, 'vb365-exporter is healthy')] as const),
    ...readyPaths.map(path => [path, readiness] as const),
  ]);
  return pages.set(metricsPath, async (request, response) => answerScrape(request, response, options));
}

/** Paths that are not free for metrics; `/` is. */
const takenPaths = ['/style.css', '/icon.svg', ...healthPaths, ...readyPaths, reloadPath];

/** Checks the path of the metrics. @throws {ExporterError} `config`. */
export function parseMetricsPath(path: string): string {
  const isTaken = takenPaths.includes(path);
  const why = isTaken ? 'the path is already in use' : 'it must begin with "/" and be a plain path';
  if (isTaken || !/^\/[\w.~/-]*$/.test(path))
    throw new ExporterError('config', `Could not serve metrics at "${path}": ${why}`);
  return path;
}

const line = (response: Response, status: number, text: string): void =>
  void response.status(status).type('text').send(`${text}\n`);

const answering =
  (status: number, text: string, headers: Readonly<Record<string, string>> = {}): RequestHandler =>
  (_, response) =>
    line(response.set(headers), status, text);

/** Methods and responses are those of Prometheus. */
function reloading({ reload }: WebOptions): RequestHandler {
  if (reload === undefined) return answering(403, 'Lifecycle API is not enabled: see --web.enable-lifecycle');
  return async (_, response) => {
    try {
      line(response, 200, await reload());
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason === 'bug') throw error;
      line(response, 500, error.message);
    }
  };
}
