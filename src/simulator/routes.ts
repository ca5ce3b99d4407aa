import type { RequestHandler } from 'express';
import { changeFeed, type FeedContext } from './feed.js';
import { oneOwner, ownerList } from './owners.js';
import { writePage, pageOfEvents } from './page.js';
import { notFound, refuse, writeRefusal } from './problem.js';
import type { SimulatedVersion, Quirks } from './quirks.js';
import { queryOf, readPaging, readSelection, selectSessions } from './query.js';
import type { TokenForm, Tokens } from './tokens.js';
import { type Dialect, writeEvent, writeSession } from './wire.js';
import type { SimSession } from './world.js';

/** What the server says of itself from v6. */
export type Instance = Readonly<{ installationId: string; version: string }>;

/** All that answers are made of. */
export type RouteContext = FeedContext &
  Readonly<{
    quirks: Quirks;
    tokens: Tokens;
    /** What it is at the moment. */
    instance: () => Instance;
    /** Lets sessions turn up and vanish, between the pages of a list. */
    arrive: () => void;
  }>;

/** One thing that can be asked. */
export type Route = Readonly<{
  method: 'get' | 'post';
  /** Below `/vN`, in the words of Express. */
  path: string;
  /** The first version that has it. */
  since: SimulatedVersion;
  /** Needs no token. */
  open?: boolean;
  answer: (context: RouteContext, dialect: Dialect) => RequestHandler;
}>;

/** Everything the simulator answers. Source: vb365-rest.md 1.5, 2.1, 2.5, 5, 6.1 and 6.8, vb365-owners-v8.openapi.json. */
export const routes: readonly Route[] = [
  { method: 'post', path: '/token', since: 2, open: true, answer: logIn },
  { method: 'post', path: '/token/logout', since: 7, answer: logOut },
  { method: 'get', path: '/ServiceInstance', since: 6, answer: serviceInstance },
  { method: 'get', path: '/Health', since: 8, answer: health },
  { method: 'get', path: '/Events', since: 8, answer: changeFeed },
  { method: 'get', path: '/RestoreSessions', since: 2, answer: sessionList },
  { method: 'get', path: '/RestoreSessions/:id', since: 2, answer: oneSession },
  { method: 'get', path: '/RestoreSessions/:id/Events', since: 2, answer: eventList },
  { method: 'get', path: '/RestoreSessions/:id/Events/:eventId', since: 2, answer: oneEvent },
  { method: 'get', path: '/RestoreSessions/:id/Statistics', since: 8, answer: statistics },
  { method: 'get', path: '/ProtectedUsers', since: 8, answer: ownerList('user', 'ProtectedUsers') },
  { method: 'get', path: '/ProtectedUsers/:id', since: 8, answer: oneOwner('user') },
  { method: 'get', path: '/ProtectedGroups/:id', since: 8, answer: oneOwner('group') },
  { method: 'get', path: '/ProtectedSites/:id', since: 8, answer: oneOwner('site') },
  { method: 'get', path: '/ProtectedTeams/:id', since: 8, answer: oneOwner('team') },
  { method: 'get', path: '/Organizations', since: 8, answer: ownerList('organization', 'Organizations') },
  { method: 'get', path: '/Organizations/:id', since: 8, answer: oneOwner('organization') },
];

/** The token of a request, `''` when it has none. */
export function bearer(authorization: string | undefined): string {
  return /^bearer (?<token>.+)$/i.exec(authorization ?? '')?.groups?.['token'] ?? '';
}

function logIn({ tokens }: RouteContext, { version }: Dialect): RequestHandler {
  return (request, response) => {
    const grant = tokens.grant(version, formOf(request.body));
    if (!grant.ok) {
      response.status(400).json(writeRefusal(grant.error, grant.message, version));
      return;
    }
    if (grant.antiforgery !== undefined) response.setHeader('Set-Cookie', `XSRF-TOKEN=${grant.antiforgery}; Path=/`);
    response.json(grant.body);
  };
}

/** Form fields and JSON properties alike, as text. */
function formOf(body: unknown): TokenForm {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

function logOut({ tokens }: RouteContext, { version }: Dialect): RequestHandler {
  return (request, response) => {
    tokens.revoke(bearer(request.headers.authorization));
    response.status(version === 7 ? 200 : 204).end();
  };
}

function serviceInstance({ instance }: RouteContext): RequestHandler {
  return (_request, response) => void response.json(instance());
}

function health({ quirks }: RouteContext): RequestHandler {
  const status = quirks.healthy ? 'Healthy' : 'Unhealthy';
  const entries = { nats: { status }, database: { status: 'Healthy' } };
  return (_request, response) => void response.json({ status, entries });
}

function sessionList(context: RouteContext, dialect: Dialect): RequestHandler {
  return (request, response) => {
    const query = queryOf(request.url);
    const paging = readPaging(query, dialect);
    const selection = readSelection(query, dialect);
    if ('status' in paging) return refuse(response, paging, dialect.version);
    if ('status' in selection) return refuse(response, selection, dialect.version);
    const sessions = selectSessions(context.world.sessions(), selection);
    const page = sessions.slice(paging.offset, paging.offset + paging.limit);
    const rows = page.map(session => sessionJson(context, session, dialect));
    if (dialect.quirks.bareSessionList && dialect.version <= 5) response.json(rows);
    else {
      const path = pathFor('RestoreSessions', dialect);
      response.json(writePage({ rows, paging, total: sessions.length, path, query }, dialect));
    }
    return context.arrive();
  };
}

function oneSession(context: RouteContext, dialect: Dialect): RequestHandler {
  return (request, response) => {
    const session = context.world.session(idIn(request.params, 'id'));
    if (session === undefined) refuse(response, notFound(dialect.quirks.missingStatus), dialect.version);
    else response.json(sessionJson(context, session, dialect));
  };
}

function eventList({ world }: RouteContext, dialect: Dialect): RequestHandler {
  return (request, response) => {
    const { version, quirks } = dialect;
    const session = world.session(idIn(request.params, 'id'));
    if (session === undefined) return refuse(response, notFound(quirks.missingStatus), version);
    const query = queryOf(request.url);
    const paging = readPaging(query, dialect);
    if ('status' in paging) return refuse(response, paging, version);
    const events = world.events(session.id);
    const rows = pageOfEvents(events, paging, dialect).map(event => writeEvent(event, session.id, dialect));
    const path = pathFor(`RestoreSessions/${session.id}/Events`, dialect);
    response.json(writePage({ rows, paging, total: events.length, path, query: new Map() }, dialect));
    return undefined;
  };
}

function oneEvent({ world }: RouteContext, dialect: Dialect): RequestHandler {
  return (request, response) => {
    const session = world.session(idIn(request.params, 'id'));
    const event = session === undefined ? undefined : world.event(session.id, idIn(request.params, 'eventId'));
    if (session === undefined || event === undefined)
      refuse(response, notFound(dialect.quirks.missingStatus), dialect.version);
    else response.json(writeEvent(event, session.id, dialect));
  };
}

/** What its items have come to. Whether sessions of an Explorer have statistics is not known; here all have. Source: vb365-rest.md 6.7. */
function statistics({ world }: RouteContext, { version, quirks }: Dialect): RequestHandler {
  return (request, response) => {
    const session = world.session(idIn(request.params, 'id'));
    if (session === undefined) return refuse(response, notFound(quirks.missingStatus), version);
    const items = world
      .events(session.id)
      .slice()
      .filter(({ type }) => type !== 'None');
    const count = (...statuses: readonly string[]): number =>
      items.filter(({ status }) => statuses.includes(status)).length;
    response.json({
      totalItemsCount: items.length,
      restoredItemsCount: count('Success', 'Warning'),
      failedItemsCount: count('Failed'),
      skippedItemsCount: count('Skipped', 'Cancelled'),
      items: [],
    });
    return undefined;
  };
}

const sessionJson = (
  { world }: RouteContext,
  session: SimSession,
  dialect: Dialect,
): Readonly<Record<string, unknown>> => writeSession(session, () => world.worstOf(session.id), dialect);

/** Up to v5 the links of pages are in lower case, from v6 as documented. */
const pathFor = (path: string, { version }: Dialect): string => (version <= 5 ? path.toLowerCase() : path);

function idIn(params: Readonly<Record<string, unknown>>, name: string): string {
  const value = params[name];
  return typeof value === 'string' ? value : '';
}
