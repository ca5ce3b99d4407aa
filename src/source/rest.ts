import { z } from 'zod';
import { isAtLeast } from '../model/api-versions.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { EventPage, InstanceInfo, Source } from '../pipeline/ports.js';
import { changeReader } from './change-feed.js';
import { Connection } from './connection.js';
import { decodeEvents } from './decode-event.js';
import { decodeSession } from './decode-session.js';
import { text, uuid } from './json.js';
import type { RestOptions } from './options.js';
import { createOwners } from './owners.js';
import { adaptivePages, decodePage, query } from './page.js';
import { failure, isGone, okJson } from './request-errors.js';
import { sessionReader } from './session-list.js';

/** A VB365 server behind its REST API. */
export interface RestSource extends Source {
  /** Undefined until the API version is known. */
  apiVersion(): string | undefined;
  /** When the access token expires, epoch ms by our clock; undefined without a token. */
  tokenExpiresAtMs(): number | undefined;
  /** When the server's certificate expires, trusted or not, epoch ms; undefined before the first handshake. */
  certificateExpiresAtMs(): number | undefined;
  /** Server clock minus exporter clock; 0 when they differ by less than 2 s; undefined before the first response. */
  clockSkewSeconds(): number | undefined;
  /** The last login was refused; the next one waits unless the secret changes. */
  loginRefused(): boolean;
  /** Aborts the requests in flight, logs out where the API can, within 2 s, and closes the connections. */
  close(): Promise<void>;
}

/**
 * Reads a VB365 server through its REST API, v2 to v8. Retries nothing, except a request with an expired token, once.
 * Sends nothing before the first call, which also detects the API version unless it is set or remembered, and logs in.
 */
export const restSource = (options: RestOptions): RestSource => sourceOver(new Connection(options));

export function sourceOver(connection: Connection): RestSource {
  const { settings, transport, tokens, versions } = connection;
  const skewMs = (): number => transport.skewMs() ?? 0;
  const serverTime = (ourMs: number): Nanos => milliseconds(ourMs + skewMs());

  const now = (): Nanos => serverTime(settings.clock.now());

  return {
    now,
    apiVersion: () => versions.known(),
    tokenExpiresAtMs: () => tokens.current?.endsAtMs,
    certificateExpiresAtMs: () => transport.certificateExpiresAtMs(),
    clockSkewSeconds: () => (transport.skewMs() === undefined ? undefined : skewMs() / 1000),
    loginRefused: () => tokens.refused,
    close: async () => connection.close(),
    instance: async signal => readInstance(connection, signal),
    sessions: sessionReader(connection, now),
    session: sessionById(connection, serverTime),
    events: eventReader(connection, serverTime),
    changes: changeReader(connection),
  };
}

const wireInstance = z.object({ installationId: z.string().nullish(), version: z.string().nullish() });

/** A different installation than before may serve a different version, so it is read again in that version. */
async function readInstance(connection: Connection, signal: AbortSignal): Promise<InstanceInfo> {
  const instance = await readServiceInstance(connection, signal);
  connection.versions.sawInstallation(instance.installationId);
  const apiVersion = await connection.versions.current(signal);
  return apiVersion === instance.apiVersion ? instance : readServiceInstance(connection, signal);
}

/** `GET /vN/ServiceInstance` exists from v6 on. */
async function readServiceInstance(connection: Connection, signal: AbortSignal): Promise<InstanceInfo> {
  const apiVersion = await connection.versions.current(signal);
  if (!isAtLeast(apiVersion, 'v6')) return { apiVersion, version: '', installationId: '' };
  const parsed = wireInstance.safeParse(okJson('probe', await connection.get('probe', 'ServiceInstance', signal)));
  if (!parsed.success) throw failure('probe', 'decode', 'the answer is not a service instance');
  const { version, installationId } = parsed.data;
  return { apiVersion, version: buildNumber(version), installationId: uuid(installationId) };
}

/** `''` unless it looks like a build number, because it becomes a label and is logged. */
const buildNumber = (value: unknown): string => (/^\d{1,9}(?:\.\d{1,9}){1,3}$/.test(text(value)) ? text(value) : '');

function sessionById(connection: Connection, serverTime: (ourMs: number) => Nanos): Source['session'] {
  return async (id, signal) => {
    const answer = await connection.get('session', sessionPath(id), signal);
    if (isGone(answer)) return undefined;
    const entry = decodeSession(okJson('session', answer), serverTime(answer.beganMs));
    if ('rejected' in entry) throw failure('session', 'decode', entry.rejected);
    return entry.session;
  };
}

/** `readAt` uses the skew of the very response: the first one corrects the most. */
function eventReader(connection: Connection, serverTime: (ourMs: number) => Nanos): Source['events'] {
  const readPage = adaptivePages(connection.settings.eventLimit);
  const owners = createOwners(connection);
  return async (sessionId, offset, signal) =>
    readPage<EventPage | undefined>(async limit => {
      const path = `${sessionPath(sessionId)}/Events${query({ offset, limit })}`;
      const answer = await connection.get('events', path, signal, { rows: limit });
      if (isGone(answer)) return { page: undefined, tookMs: answer.tookMs };
      const readAt = serverTime(answer.beganMs);
      const page = decodePage(okJson('events', answer), { operation: 'events', offset, limit });
      const ownerOf = await owners.find(page.rows, signal);
      return { page: decodeEvents(page, { offset, readAt, ownerOf }), tookMs: answer.tookMs };
    });
}

const sessionPath = (id: string): string => `RestoreSessions/${encodeURIComponent(id)}`;
