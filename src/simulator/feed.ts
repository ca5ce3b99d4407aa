import type { RequestHandler, Response } from 'express';
import type { Clock } from '../kernel/clock.js';
import type { LoggedChange } from './change-log.js';
import { invalidParameter, type ApiProblem, refuse } from './problem.js';
import { type Query, queryOf, readCount, readPaging } from './query.js';
import { type Dialect, links } from './wire.js';
import type { World } from './world.js';

/** What the feed is made of. */
export type FeedContext = Readonly<{
  world: World;
  clock: Clock;
  /** Marks the tokens of this server. */
  instance: () => Readonly<{ installationId: string }>;
  /** Makes the due live events happen. */
  advance: () => void;
}>;

/** How often a waiting request checks for changes, because nothing runs in the background. */
const lookMs = 250;
const longestWaitSeconds = 60;
/** Not in plain quotes: the test of the import table would take it for an import. */
const fromName = `from`;

/**
 * `GET /v8/Events?from=&limit=&timeoutSeconds=`: answers as soon as there are changes, at the latest after the timeout.
 * Entries are of the two kinds that concern restore sessions. Source: vb365-rest.md 6.8 and the OpenAPI of v8 (`Events_Get`).
 */
export function changeFeed(context: FeedContext, dialect: Dialect): RequestHandler {
  return async (request, response) => {
    const { quirks, version } = dialect;
    if (quirks.feed !== 'served') return refuse(response, refusals[quirks.feed], version);
    const query = queryOf(request.url);
    const asked = readAsked(query, context, dialect);
    if ('status' in asked) return refuse(response, asked, version);
    await waitFor(() => reported(context, asked.place, dialect).length > 0, asked.waitMs, { context, response });
    if (response.closed) return undefined;
    const changes = reported(context, asked.place, dialect).slice(0, asked.limit);
    const full = changes.length === asked.limit;
    const place = full ? (changes.at(-1)?.place ?? asked.place) : context.world.changes.last;
    return void response.json({
      nextChangeToken: tokenOf(context, place),
      limit: asked.limit,
      results: changes.map(writeChange),
      _links: links(dialect, { self: `Events?${new URLSearchParams([...query]).toString()}` }),
    });
  };
}

const refusals: Readonly<Record<'missing' | 'refused', ApiProblem>> = {
  missing: { status: 404, code: 'HttpError', message: '' },
  refused: { status: 403, code: 'ResourceAccessDenied', message: 'Access is denied' },
};

const outdated: ApiProblem = {
  status: 400,
  code: 'OutdatedChangeToken',
  message: 'The change token is outdated.',
};

type ChangesQuery = Readonly<{ place: number; limit: number; waitMs: number }>;

function readAsked(query: Query, context: FeedContext, dialect: Dialect): ChangesQuery | ApiProblem {
  const paging = readPaging(query, dialect);
  if ('status' in paging) return paging;
  const waitSeconds = readCount(query.get('timeoutseconds'), 0);
  if (waitSeconds === undefined) return invalidParameter('timeoutSeconds');
  const place = readPlace(query.get(fromName) ?? '', context, dialect);
  if (typeof place !== 'number') return place;
  const isLatest = query.get(fromName) === 'latest';
  return { place, limit: paging.limit, waitMs: isLatest ? 0 : Math.min(waitSeconds, longestWaitSeconds) * 1000 };
}

function readPlace(from: string, context: FeedContext, { quirks }: Dialect): number | ApiProblem {
  const { last } = context.world.changes;
  if (from === 'latest') return last;
  const parts = /^(?<mark>[0-9a-f]{8})\.(?<place>\d{1,15})$/.exec(from)?.groups;
  if (parts === undefined) return invalidParameter(fromName);
  const place = Number(parts['place']);
  const isOurs = parts['mark'] === markOf(context) && place <= last;
  return isOurs && last - place <= quirks.feedEntries ? place : outdated;
}

const markOf = ({ instance }: FeedContext): string => instance().installationId.slice(0, 8);
const tokenOf = (context: FeedContext, place: number): string => `${markOf(context)}.${String(place)}`;

/** The changes after a place that the feed reports. */
function reported({ world, advance }: FeedContext, place: number, { quirks }: Dialect): readonly LoggedChange[] {
  advance();
  return world.changes.after(place).filter(({ kind }) => kind !== 'events' || !quirks.silentEvents);
}

const writeChange = ({ kind, id, eTag }: LoggedChange) =>
  kind === 'deleted' ? { eventType: 'RestoreSessionDelete', id } : { eventType: 'RestoreSessionUpdate', id, eTag };

/** Waits until `holds` does, for `ms` at most, or until nobody waits for the answer any more. */
async function waitFor(
  holds: () => boolean,
  ms: number,
  { context: { clock, world }, response }: { context: FeedContext; response: Response },
): Promise<void> {
  const endMs = clock.monotonic() + ms;
  while (!holds() && !response.closed) {
    const leftMs = endMs - clock.monotonic();
    if (leftMs <= 0) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const forget = world.changes.listen(wake);
    response.once('close', wake);
    await clock.sleep(Math.min(lookMs, leftMs), woken.signal).catch(() => undefined);
    response.off('close', wake);
    forget();
  }
}
