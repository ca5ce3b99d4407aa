import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import type { Clock } from '../kernel/clock.js';
import type { SimulatedVersion } from './quirks.js';
import { refuse } from './problem.js';
import { queryOf } from './query.js';
import { bearer, type RouteContext, type Route, routes } from './routes.js';
import type { RecordedRequest, Intercept, Traffic } from './traffic.js';
import type { Dialect } from './wire.js';

/** What the server is made of. */
type AppParts = Readonly<{
  context: RouteContext;
  versions: readonly SimulatedVersion[];
  traffic: Traffic;
  clock: Clock;
  /** Called before each request is looked at. */
  advance: () => void;
  /** The interceptor of the moment. */
  intercept: () => Intercept | undefined;
}>;

/** The simulated server's HTTP side: per version one router, which has the routes of that version and no others. */
export function createApp(parts: AppParts): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.use(dated(parts));
  for (const version of parts.versions) app.use(`/v${String(version)}`, routerFor(version, parts));
  app.use(noted(parts, { version: undefined, route: '*' }), (_request, response) => void response.status(404).end());
  app.use(failed);
  return app;
}

/** Dates every answer by the server's own clock. */
function dated({ clock, advance }: AppParts): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('Date', new Date(clock.now()).toUTCString());
    advance();
    next();
  };
}

function routerFor(version: SimulatedVersion, parts: AppParts): Router {
  const router = express.Router();
  const dialect = { version, quirks: parts.context.quirks };
  for (const route of routes.filter(({ since }) => version >= since))
    router[route.method](
      route.path,
      noted(parts, { version, route: templateOf(route) }),
      route.open === true ? [express.urlencoded(), express.json()] : authorised(parts.context, dialect),
      route.answer(parts.context, dialect),
    );
  return router;
}

const templateOf = ({ path }: Route): string => path.replaceAll(/:(\w+)/g, '{$1}');

/** Notes the request, and lets the interceptor have it first. */
function noted(parts: AppParts, place: Pick<RecordedRequest, 'version' | 'route'>): RequestHandler {
  return async (request, response, next) => {
    const call = parts.traffic.begin({ ...place, method: request.method, query: queryOf(request.url) }, response);
    const hook = parts.intercept();
    if (hook === undefined) next();
    else await hook(call, { request, response, proceed: () => next() });
  };
}

/** 401 without a body for no token or a bad one, as a v8 server was seen to do. */
function authorised({ tokens, quirks }: RouteContext, { version }: Dialect): RequestHandler {
  return (request, response, next) => {
    const held = tokens.find(bearer(request.headers.authorization));
    if (held === undefined) return void response.status(401).end();
    if (quirks.operatorsOnly)
      return refuse(response, { status: 403, code: 'ResourceAccessDenied', message: 'Access is denied' }, version);
    if (quirks.demandAntiforgery && ![undefined, request.headers['x-xsrf-token']].includes(held.antiforgery))
      return refuse(response, { status: 400, code: 'HttpError', message: 'The antiforgery token is missing' }, version);
    return next();
  };
}

/** What Express could not read, such as a body that is not JSON. */
const failed: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  const bad = typeof error === 'object' && error !== null && 'status' in error && error.status === 400;
  return void response.status(bad ? 400 : 500).json({ message: 'The request cannot be processed' });
};
