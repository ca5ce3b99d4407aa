import type { InstanceInfo } from '../pipeline/ports.js';
import { type Connection, connect } from './connection.js';
import { decodeSession } from './decode-session.js';
import { statusFailure } from './request-errors.js';
import { decodeJson } from './json.js';
import type { ApiVersion, RestOptions } from './options.js';
import { decodePage, type Page } from './page.js';
import { query } from './query.js';
import { type RestSource, sourceOver } from './rest.js';
import { filterOf } from './sessions.js';

/** A server that is looked at piece by piece, with one login. */
export interface Examined {
  readonly source: RestSource;
  /** The version that is spoken. @throws {ExporterError} as detecting it fails. */
  version(signal: AbortSignal): Promise<ApiVersion>;
  /** @throws {ExporterError} as logging in fails. */
  logIn(signal: AbortSignal): Promise<void>;
  /** @throws {ExporterError} as a request does. */
  instance(signal: AbortSignal): Promise<InstanceInfo>;
  /** Which installation it is, as told by `instance`; `''` until then, and before v6. */
  installationId(): string;
  /** A few sessions from the beginning of the list, read in one request. @throws {ExporterError} as a request does. */
  glance(signal: AbortSignal): Promise<Glance>;
  /** Whether the pages of the list of sessions join. @throws {ExporterError} as a request does. */
  pages(signal: AbortSignal): Promise<Paging>;
}

/** The first rows of the list. */
export type Glance = Readonly<{
  rows: number;
  /** The id of one that can be read. */
  sessionId: string | undefined;
  /** Rows that are no session. */
  unreadable: number;
}>;

/**
 * `few`: there are too few rows to tell. `whole`: the list comes in one piece. `loose`: the second page does not go on
 * where the first ends, however often it is tried. `limited`: they join, but the size that was asked for is not kept to.
 */
export type Paging = 'joined' | 'limited' | 'few' | 'whole' | 'loose';

/** Rows of the page that is looked at first; the next one begins with its last row. */
const pageRows = 3;
/** A session that begins, or is purged, in between moves the rows; not so often. */
const tries = 3;

/** With `apiVersion: 'auto'` the version is detected first. Close the source to log out. */
export function examineApi(options: RestOptions): Examined {
  const connection = connect(options);
  const source = sourceOver(connection);
  const readPage = pageReader(connection);
  let installationId = '';
  return {
    source,
    version: async signal => connection.link.versions.current(signal),
    logIn: async signal => {
      await connection.auth.ticket(signal);
    },
    instance: async signal => {
      const instance = await source.instance(signal);
      ({ installationId } = instance);
      return instance;
    },
    installationId: () => installationId,
    glance: async signal => glanceAt((await readPage(0, signal)).rows),
    pages: async signal => {
      let found: Paging = 'loose';
      for (let attempt = 0; attempt < tries && found === 'loose'; attempt += 1) found = await joinOf(readPage, signal);
      return found;
    },
  };
}

type ReadPage = (offset: number, signal: AbortSignal) => Promise<Page>;

const pageReader =
  ({ link: { read, versions } }: Connection): ReadPage =>
  async (offset, signal) => {
    const filter = filterOf(await versions.current(signal), undefined);
    const answer = await read('sessions', `RestoreSessions${query({ offset, limit: pageRows, ...filter })}`, signal);
    if (answer.status !== 200) throw statusFailure('sessions', answer);
    return decodePage(decodeJson('sessions', answer.body), { operation: 'sessions', offset, limit: pageRows });
  };

async function joinOf(readPage: ReadPage, signal: AbortSignal): Promise<Paging> {
  const first = await readPage(0, signal);
  const at = Math.min(first.rows.length, pageRows) - 1;
  if (at < 1) return 'few';
  if (first.last) return 'whole';
  const second = await readPage(at, signal);
  if (keyOf(second.rows[0]) !== keyOf(first.rows[at])) return 'loose';
  return first.anomalies.length > 0 ? 'limited' : 'joined';
}

/** What tells a row from the others, though it may change between two readings. */
function keyOf(row: unknown): string {
  const entry = decodeSession(row);
  return 'session' in entry ? entry.session.id : JSON.stringify(row ?? null);
}

function glanceAt(rows: readonly unknown[]): Glance {
  const ids = rows.flatMap(row => {
    const entry = decodeSession(row);
    return 'session' in entry ? [entry.session.id] : [];
  });
  return { rows: rows.length, sessionId: ids[0], unreadable: rows.length - ids.length };
}
