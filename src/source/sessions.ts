import { formatInstant, type Nanos } from '../model/time.js';
import type { SessionList } from '../pipeline/ports.js';
import { statusFailure } from './request-errors.js';
import { decodeJson } from './json.js';
import type { ApiClient } from './link.js';
import { type ApiVersion, since } from './options.js';
import { decodePage, type Page } from './page.js';
import { pageSize } from './page-size.js';
import { query } from './query.js';
import { readSessionList } from './session-list.js';

/** How often a list of no certain order is read again. */
const listRestarts = 4;
/** Where there is no window to ask for, the whole list is read this often. */
const fullReadMs = 3_600_000;

/**
 * Lists sessions. v8 lists oldest first when told to, so that a session that begins meanwhile moves no row. v6 and v7
 * know a window, and no order that is documented. Before v6 there is neither: the list is read from its beginning, and
 * not to its end as long as the last reading of all of it, an hour ago at most, was newest first.
 */
export function sessionReader({ settings, read, versions }: ApiClient) {
  const { maxPages, clock } = settings;
  const size = pageSize(settings.sessionLimit);
  let trustedUntilMs = -Infinity;

  return async (createdFrom: Nanos | undefined, signal: AbortSignal): Promise<SessionList> => {
    const apiVersion = await versions.current(signal);
    const page = async (offset: number): Promise<Page> => {
      const { limit } = size;
      const path = `RestoreSessions${query({ offset, limit, ...filterOf(apiVersion, createdFrom) })}`;
      try {
        const answer = await read('sessions', path, signal);
        if (answer.status !== 200) throw statusFailure('sessions', answer);
        const decoded = decodePage(decodeJson('sessions', answer.body), { operation: 'sessions', offset, limit });
        size.took(answer.tookMs, decoded.rows.length >= limit);
        return decoded;
      } catch (thrown) {
        size.failed(thrown);
        throw thrown;
      }
    };
    const ordered = since(apiVersion, 'v8');
    const isTrusted = !since(apiVersion, 'v6') && clock.monotonic() < trustedUntilMs;
    const enoughFrom = isTrusted ? createdFrom : undefined;
    const list = await readSessionList(page, { maxPages, restarts: listRestarts, ordered, enoughFrom });
    if (!list.newestFirst) trustedUntilMs = -Infinity;
    else if (list.whole) trustedUntilMs = clock.monotonic() + fullReadMs;
    return { sessions: list.sessions, rejects: list.rejects };
  };
}

/** What is asked for beside the page. */
export function filterOf(apiVersion: ApiVersion, createdFrom: Nanos | undefined): Readonly<Record<string, string>> {
  const window = createdFrom !== undefined && since(apiVersion, 'v6');
  return {
    ...(window ? { startTimeFrom: formatInstant(createdFrom) } : {}),
    ...(since(apiVersion, 'v8') ? { orderBy: 'CreationTime', orderAsc: 'true' } : {}),
  };
}
