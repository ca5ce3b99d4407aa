import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { authenticating, passwordCheck } from './basic-auth.js';
import { icon } from './icon.js';
import { type Status, statusPage } from './landing-page.js';
import { answerScrape, type ScrapeOptions } from './scrape.js';
import { styleSheet } from './style.js';
import type { WebConfig } from './web-config.js';

/** What is served, asked for anew at each request. */
export type WebOptions = Readonly<{
  /** Where the metrics are; `/metrics` by custom. */
  metricsPath: string;
  /** `why` is one sentence that says why, or why not. */
  ready(): Readonly<{ ready: boolean; why: string }>;
  status(): Status;
  /**
   * Reads the configuration anew, and answers what there is to say; undefined: that is not allowed here.
   * @throws {ExporterError} why the configuration that was in force still is.
   */
  reload: (() => Promise<string>) | undefined;
  /** How the pages are protected, beside TLS. */
  webConfig(): WebConfig;
  /** Told of each request that could not be answered. */
  report(error: ExporterError): void;
}> &
  ScrapeOptions;

type Answer = (response: Response, request: Request) => void | Promise<void>;

/**
 * The face of the program: metrics for Prometheus, probes for the orchestrator, a page for people; read-only, but for
 * the reload where it is allowed. Listens nowhere.
 * @throws {ExporterError} `config` when the path of the metrics cannot be one.
 */
export function createWeb(options: WebOptions): Express {
  const { metricsPath } = options;
  const answers = fixedAnswers(options);
  if (!/^\/[\w.~/-]*$/.test(metricsPath)) throw badPath(metricsPath, 'it must begin with "/" and be a plain path');
  if (metricsPath !== '/' && (answers.has(metricsPath) || metricsPath === reloadPath))
    throw badPath(metricsPath, 'something else is there');
  answers.set(metricsPath, async (response, request) => answerScrape(request, response, options));
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  const login = authenticating(() => options.webConfig().users, passwordCheck(), openPaths);
  return app.use(safely(options), login, reloading(options), answering(answers), failing(options.report));
}

/** Probes come from orchestrators, which have no password. */
const openPaths: ReadonlySet<string> = new Set(['/-/healthy', '/healthz', '/-/ready', '/readyz']);

const badPath = (path: string, why: string): ExporterError =>
  new ExporterError('config', `Could not serve metrics at "${path}": ${why}`);

const line = (response: Response, status: number, text: string): void =>
  void response.status(status).type('text').send(`${text}\n`);

const healthy: Answer = response => line(response, 200, 'vb365-exporter is healthy');

function fixedAnswers({ metricsPath, ready, status }: WebOptions): Map<string, Answer> {
  const readiness: Answer = response => {
    const state = ready();
    line(response, state.ready ? 200 : 503, state.why);
  };
  return new Map<string, Answer>([
    ['/', response => void response.type('html').send(statusPage(status(), metricsPath))],
    ['/style.css', response => void response.type('css').send(styleSheet)],
    ['/icon.svg', response => void response.type('svg').send(icon)],
    ['/-/healthy', healthy],
    ['/healthz', healthy],
    ['/-/ready', readiness],
    ['/readyz', readiness],
  ]);
}

/** Headers of every answer: nothing is run, framed, guessed or kept. */
const safely =
  ({ webConfig }: WebOptions): RequestHandler =>
  (_, response, next) => {
    response.set({
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      ...webConfig().headers,
    });
    next();
  };

const reloadPath = '/-/reload';

/** Method and answers are those of Prometheus. */
const reloading =
  ({ reload }: WebOptions): RequestHandler =>
  async (request, response, next) => {
    if (request.path !== reloadPath) return next();
    if (request.method !== 'POST' && request.method !== 'PUT') {
      response.set('allow', 'POST, PUT');
      return line(response, 405, 'Method not allowed');
    }
    if (reload === undefined) return line(response, 403, 'Lifecycle API is not enabled: see --web.enable-lifecycle');
    try {
      return line(response, 200, await reload());
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (error.reason === 'bug') throw error;
      return line(response, 500, error.message);
    }
  };

const answering =
  (answers: ReadonlyMap<string, Answer>): RequestHandler =>
  async (request, response) => {
    const answer = answers.get(request.path);
    if (answer === undefined) return line(response, 404, 'Not found');
    if (request.method === 'GET' || request.method === 'HEAD') return answer(response, request);
    response.set('allow', 'GET, HEAD');
    return line(response, 405, 'Method not allowed');
  };

/** Express knows an error handler by its four parameters. */
const failing =
  (report: WebOptions['report']): ErrorRequestHandler =>
  (thrown, _request, response, _next) => {
    const error = toExporterError(thrown);
    report(error);
    line(response, 500, 'Internal error; the log says more');
  };
