import type { TLSSocket } from 'node:tls';
import { hostOf } from '../config/proxy.js';
import { ExporterError } from '../kernel/errors.js';
import { type ApiVersion, isAtLeast } from '../model/api-versions.js';
import type { InstanceInfo } from '../pipeline/ports.js';
import { Connection } from './connection.js';
import { createConnectionPool } from './dispatcher.js';
import { type RestOptions, settingsOf } from './options.js';
import { decodePage, type Page } from './page.js';
import { isGone, networkFailure, okJson } from './request-errors.js';
import { type RestSource, sourceOver } from './rest.js';
import { filterOf, keyed, type ReadPage, readSessionPage } from './session-list.js';
import { type Certificate, chainOf, distrustOf } from './trust.js';

/** The outcome of a TLS handshake with a server. */
export type TlsReport = Readonly<{
  /** Such as `TLSv1.3`. */
  protocol: string;
  /** The server's own certificate first. */
  chain: readonly Certificate[];
  /** Why the server is not trusted and what to do about it; undefined when it is. */
  distrusted: string | undefined;
}>;

/**
 * Reads the certificates of a server, trusted or not, by the route of all requests, through a proxy if there is one.
 * Sends nothing but `HEAD /`, without a token.
 * @throws {ExporterError} `network` when there is no handshake, or no TLS.
 */
export async function examineTls(options: RestOptions, signal: AbortSignal): Promise<TlsReport> {
  const settings = settingsOf(options);
  let report: TlsReport | undefined;
  const refusal = (socket: TLSSocket): undefined => {
    report = {
      protocol: socket.getProtocol() ?? '',
      chain: chainOf(socket),
      distrusted: distrustOf(socket, settings.trust),
    };
  };
  const host = hostOf(settings.baseUrl);
  const pool = createConnectionPool({ ...settings, refusal });
  try {
    const dispatcher = await pool.dispatcher();
    const { body } = await dispatcher.request({
      origin: settings.baseUrl.origin,
      path: '/',
      method: 'HEAD',
      signal: AbortSignal.any([signal, AbortSignal.timeout(settings.requestTimeoutMs)]),
    });
    await body.dump();
  } catch (thrown) {
    // A failure after the handshake does not matter here.
    if (report === undefined) throw networkFailure(thrown, { host, proxy: settings.proxy });
  } finally {
    await pool.destroy();
  }
  if (report !== undefined) return report;
  throw new ExporterError('network', `Could not read the certificate of "${host}": no TLS`);
}

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
  /** Whether the account may read the owners of restored data; undefined before v8. @throws {ExporterError} as a request does. */
  owners(signal: AbortSignal): Promise<boolean | undefined>;
  /** Whether the pages of the session list join. @throws {ExporterError} as a request does. */
  pages(signal: AbortSignal): Promise<Paging>;
}

/** `sessionId`: of a readable one. `unreadable`: rows that are not sessions. */
type FirstSessions = Readonly<{ rows: number; sessionId: string | undefined; unreadable: number }>;

/**
 * `few`: too few rows to say. `whole`: the server ignores paging. `loose`: the second page does not continue the first,
 * in any of several attempts. `limited`: pages join, but the server ignores the requested size.
 */
export type Paging = 'joined' | 'limited' | 'few' | 'whole' | 'loose';

/** Rows of the first page; the second page begins with its last row. */
const pageRows = 3;
/** A session that begins or is purged between two requests moves the rows, but rarely. */
const attempts = 3;

/** With `apiVersion: 'auto'` the version is detected first. Close the source to log out. */
export function examineApi(options: RestOptions): Examined {
  const connection = new Connection(options);
  const source = sourceOver(connection);
  const readRows = async (offset: number, signal: AbortSignal): Promise<Page> => {
    const filter = filterOf(await connection.versions.current(signal), undefined);
    return (await readSessionPage(connection, { offset, limit: pageRows, filter }, signal)).page;
  };
  let installationId = '';
  return {
    source,
    version: async signal => connection.versions.current(signal),
    logIn: async signal => void (await connection.tokens.accessToken(signal)),
    instance: async signal => {
      const instance = await source.instance(signal);
      ({ installationId } = instance);
      return instance;
    },
    installationId: () => installationId,
    firstSessions: async signal => firstSessionsOf((await readRows(0, signal)).rows),
    owners: async signal => mayReadOwners(connection, signal),
    pages: async signal => pagingOf(async offset => readRows(offset, signal), attempts),
  };
}

async function mayReadOwners(connection: Connection, signal: AbortSignal): Promise<boolean | undefined> {
  if (!isAtLeast(await connection.versions.current(signal), 'v8')) return undefined;
  for (const list of ['ProtectedUsers', 'Organizations']) {
    const answer = await connection.get('owners', `${list}?limit=1`, signal, { rows: 100 });
    if (answer.status === 401 || answer.status === 403 || isGone(answer)) return false;
    decodePage(okJson('owners', answer), { operation: 'owners', offset: 0, limit: 1 });
  }
  return true;
}

async function pagingOf(read: ReadPage, left: number): Promise<Paging> {
  if (left === 0) return 'loose';
  const first = await read(0);
  const at = Math.min(first.rows.length, pageRows) - 1;
  if (at < 1) return 'few';
  if (first.last) return 'whole';
  const second = await read(at);
  if (keyOf(second.rows[0]) !== keyOf(first.rows[at])) return pagingOf(read, left - 1);
  return first.anomalies.length > 0 ? 'limited' : 'joined';
}

const keyOf = (row: unknown): string => keyed(row, 0n)[0];

function firstSessionsOf(rows: readonly unknown[]): FirstSessions {
  const ids = rows.map(row => keyed(row, 0n)[1]).flatMap(entry => ('session' in entry ? [entry.session.id] : []));
  return { rows: rows.length, sessionId: ids[0], unreadable: rows.length - ids.length };
}
