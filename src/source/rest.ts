import { z } from 'zod';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { EventPage, InstanceInfo, Source } from '../pipeline/ports.js';
import { type Connection, connect } from './connection.js';
import { decodeSession } from './decode-session.js';
import { decodeEventPage } from './decode-event.js';
import { failure, statusFailure } from './request-errors.js';
import { readChanges } from './change-feed.js';
import { decodeJson, isOwnError } from './json.js';
import { type Operation, type RestOptions, type RestSettings, since } from './options.js';
import type { ApiClient } from './link.js';
import { pageSize } from './page-size.js';
import { query } from './query.js';
import type { Get } from './reader.js';
import { sessionReader } from './sessions.js';
import type { Answer } from './transport.js';
import { text, uuid } from './wire.js';

/** A VB365 server behind its REST API. */
export interface RestSource extends Source {
  /** The API version that is spoken; undefined until it is known. */
  apiVersion(): string | undefined;
  /** When the token in hand ends, epoch ms by our clock; undefined while there is none. */
  tokenExpiresAtMs(): number | undefined;
  /** When the server's own certificate ends, trusted or not, epoch ms; undefined until it has shown one. */
  certificateExpiresAtMs(): number | undefined;
  /** How far the server's clock is ahead of ours; 0 for less than 2 s; undefined until an answer has told. */
  clockSkewSeconds(): number | undefined;
  /** The last login was refused, and nobody tries again before a wait is over: only a new source does. */
  loginRefused(): boolean;
  /** Ends what is under way with `aborted`, logs out where the API can, within 2 s, and closes the connections. */
  close(): Promise<void>;
}

/**
 * Reads a VB365 server through its REST API, v2 to v8. Nothing is repeated but a request that was refused with an
 * expired token, once. Nothing is sent before the first method is called; the first finds out the API version, if it is
 * to be detected and not remembered, and logs in.
 */
export const restSource = (options: RestOptions): RestSource => sourceOver(connect(options));

/** The source behind a connection. */
export function sourceOver({ link, wire, auth, close }: Connection): RestSource {
  const { settings, read, versions: spoken } = link;
  const skewMs = (): number => wire.skewMs() ?? 0;
  const serverTime = (ourMs: number): Nanos => milliseconds(ourMs + skewMs());

  return {
    now: () => serverTime(settings.clock.now()),
    apiVersion: () => spoken.known(),
    tokenExpiresAtMs: () => auth.expiresAtMs(),
    certificateExpiresAtMs: () => wire.certificateExpiresAtMs(),
    clockSkewSeconds: () => (wire.skewMs() === undefined ? undefined : skewMs() / 1000),
    loginRefused: () => auth.refused(),
    close,
    instance: async signal => readInstance(link, signal),
    sessions: sessionReader(link),
    session: async (id, signal) => readSession(read, id, signal),
    events: readEvents(settings, read, serverTime),
    changes: readChanges(link),
  };
}

const wireInstance = z.object({ installationId: z.string().nullish(), version: z.string().nullish() });

/** `GET /vN/ServiceInstance` is there from v6 on. Another installation than before may speak another version. */
async function readInstance(link: ApiClient, signal: AbortSignal): Promise<InstanceInfo> {
  const instance = await instanceBy(link, signal);
  link.versions.met(instance.installationId);
  const apiVersion = await link.versions.current(signal);
  return apiVersion === instance.apiVersion ? instance : instanceBy(link, signal);
}

async function instanceBy({ read, versions: spoken }: ApiClient, signal: AbortSignal): Promise<InstanceInfo> {
  const apiVersion = await spoken.current(signal);
  if (!since(apiVersion, 'v6')) return { apiVersion, version: '', installationId: '' };
  const parsed = wireInstance.safeParse(okJson('probe', await read('probe', 'ServiceInstance', signal)));
  if (!parsed.success) throw failure('probe', 'decode', 'the answer is no service instance');
  const { version, installationId } = parsed.data;
  return { apiVersion, version: buildNumber(version), installationId: uuid(installationId) };
}

/** Both are told in metrics and in our own log, so that anything else than what they should be is taken as unknown. */
const buildNumber = (value: unknown): string => (/^\d{1,9}(?:\.\d{1,9}){1,3}$/.test(text(value)) ? text(value) : '');

async function readSession(read: Get, id: string, signal: AbortSignal): Promise<Session | undefined> {
  const answer = await read('session', sessionPath(id), signal);
  if (isGone(answer)) return undefined;
  const entry = decodeSession(okJson('session', answer));
  if ('rejected' in entry) throw failure('session', 'decode', entry.rejected);
  return entry.session;
}

/** `readAt` by the server's clock as this very answer has told it: the first answer is the one that tells most. */
function readEvents({ eventLimit }: RestSettings, read: Get, serverTime: (ourMs: number) => Nanos) {
  const size = pageSize(eventLimit);
  return async (sessionId: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined> => {
    const { limit } = size;
    const path = `${sessionPath(sessionId)}/Events${query({ offset, limit })}`;
    const answer = await read('events', path, signal).catch((thrown: unknown) => {
      size.failed(thrown);
      throw thrown;
    });
    if (isGone(answer)) return undefined;
    const page = decodeEventPage(okJson('events', answer), { offset, limit });
    size.took(answer.tookMs, page.rows.length >= limit);
    return { ...page, readAt: serverTime(answer.beganMs) };
  };
}

function okJson(operation: Operation, answer: Answer): unknown {
  if (answer.status !== 200) throw statusFailure(operation, answer);
  return decodeJson(operation, answer.body);
}

/** A web page with status 404 comes from something in front of VB365, and tells nothing about a session. */
const isGone = ({ status, body }: Answer): boolean => status === 404 && isOwnError(body);

const sessionPath = (id: string): string => `RestoreSessions/${encodeURIComponent(id)}`;
