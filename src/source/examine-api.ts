import type { ApiVersion } from '../model/api-versions.js';
import type { InstanceInfo } from '../pipeline/ports.js';
import { connect } from './connection.js';
import type { RestOptions } from './options.js';
import type { Page } from './page.js';
import { type RestSource, sourceOver } from './rest.js';
import { filterOf, keyed, readSessionPage } from './session-list.js';

/** The parts of a server's API one by one, with one login, for `doctor`. */
export interface Examined {
  readonly source: RestSource;
  /** The API version in use. @throws {ExporterError} as detection fails. */
  version(signal: AbortSignal): Promise<ApiVersion>;
  /** @throws {ExporterError} as a login fails. */
  logIn(signal: AbortSignal): Promise<void>;
  /** @throws {ExporterError} as a request does. */
  instance(signal: AbortSignal): Promise<InstanceInfo>;
  /** The installation that `instance` reported; `''` until then, and before v6. */
  installationId(): string;
  /** The first sessions of the list, read in one request. @throws {ExporterError} as a request does. */
  firstSessions(signal: AbortSignal): Promise<FirstSessions>;
  /** Whether the pages of the session list join. @throws {ExporterError} as a request does. */
  pages(signal: AbortSignal): Promise<Paging>;
}

/** `sessionId`: of a readable one. `unreadable`: rows that are not sessions. */
export type FirstSessions = Readonly<{ rows: number; sessionId: string | undefined; unreadable: number }>;

/**
 * `few`: too few rows to say. `whole`: the server ignores paging. `loose`: the second page does not continue the first,
 * in any of several attempts. `limited`: pages join, but the server ignores the requested size.
 */
export type Paging = 'joined' | 'limited' | 'few' | 'whole' | 'loose';

/** Rows of the first page; the second page begins with its last row. */
const pageRows = 3;
/** A session that begins or is purged between two requests moves the rows, but rarely. */
const attempts = 3;

type ReadRows = (offset: number, signal: AbortSignal) => Promise<Page>;

/** With `apiVersion: 'auto'` the version is detected first. Close the source to log out. */
export function examineApi(options: RestOptions): Examined {
  const connection = connect(options);
  const { client, tokens } = connection;
  const source = sourceOver(connection);
  const readRows: ReadRows = async (offset, signal) => {
    const filter = filterOf(await client.versions.current(signal), undefined);
    return (await readSessionPage(client, { offset, limit: pageRows, filter }, signal)).page;
  };
  let installationId = '';
  return {
    source,
    version: async signal => client.versions.current(signal),
    logIn: async signal => void (await tokens.accessToken(signal)),
    instance: async signal => {
      const instance = await source.instance(signal);
      ({ installationId } = instance);
      return instance;
    },
    installationId: () => installationId,
    firstSessions: async signal => firstSessionsOf((await readRows(0, signal)).rows),
    pages: async signal => {
      let found: Paging = 'loose';
      for (let attempt = 0; attempt < attempts && found === 'loose'; attempt += 1)
        found = await pagingOf(readRows, signal);
      return found;
    },
  };
}

async function pagingOf(readRows: ReadRows, signal: AbortSignal): Promise<Paging> {
  const first = await readRows(0, signal);
  const at = Math.min(first.rows.length, pageRows) - 1;
  if (at < 1) return 'few';
  if (first.last) return 'whole';
  const second = await readRows(at, signal);
  if (keyed(second.rows[0])[0] !== keyed(first.rows[at])[0]) return 'loose';
  return first.anomalies.length > 0 ? 'limited' : 'joined';
}

function firstSessionsOf(rows: readonly unknown[]): FirstSessions {
  const ids = rows.map(row => keyed(row)[1]).flatMap(entry => ('session' in entry ? [entry.session.id] : []));
  return { rows: rows.length, sessionId: ids[0], unreadable: rows.length - ids.length };
}
