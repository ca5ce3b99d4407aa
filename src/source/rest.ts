import { z } from 'zod';
import { createGate } from '../kernel/gate.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { EventPage, Instance, Source } from '../pipeline/ports.js';
import { keepToken } from './auth.js';
import { decodeEvent } from './decode-event.js';
import { decodeSession } from './decode-session.js';
import { failure, statusFailure } from './failure.js';
import { readChanges } from './feed.js';
import { decodeJson, isOwnError } from './json.js';
import { defaults, type Operation, type RestOptions, type RestSettings, since } from './options.js';
import { decodePage } from './page.js';
import { pageSize } from './page-size.js';
import { query } from './query.js';
import { type Read, reader } from './reader.js';
import { sessionReader } from './sessions.js';
import { type Answer, transport, type Transport } from './transport.js';

/** A VB365 server behind its REST API. */
export interface RestSource extends Source {
  /** When the token in hand ends, epoch ms by our clock; undefined while there is none. */
  tokenExpiresAtMs(): number | undefined;
  /** How far the server's clock is ahead of ours; 0 for less than 2 s, and until an answer has told. */
  clockSkewSeconds(): number;
  /** Ends what is under way with `aborted` and closes the connections. */
  close(): Promise<void>;
}

/**
 * Reads a VB365 server through its REST API, v2 to v8. Nothing is repeated but a request that was refused with an
 * expired token, once. Nothing is sent before the first method is called.
 */
export function restSource(options: RestOptions): RestSource {
  const settings: RestSettings = { ...defaults, gate: createGate(Infinity), ...options };
  const wire = transport(settings);
  const auth = keepToken({ ...settings, send: sendForm(settings, wire) });
  const read = reader(wire, auth, settings.apiVersion);
  const serverTime = (ourMs: number): Nanos => milliseconds(ourMs + wire.skewMs());

  return {
    now: () => serverTime(settings.clock.now()),
    tokenExpiresAtMs: () => auth.expiresAtMs(),
    clockSkewSeconds: () => wire.skewMs() / 1000,
    close: async () => wire.close(),
    instance: async signal => readInstance(settings, read, signal),
    sessions: sessionReader(settings, read),
    session: async (id, signal) => readSession(read, id, signal),
    events: readEvents(settings, read, serverTime),
    changes: readChanges(settings, read),
  };
}

/** Nobody in particular waits for a login, so nobody's signal ends it: its deadline does, or closing. */
const sendForm =
  ({ apiVersion }: RestSettings, wire: Transport) =>
  async (form: Readonly<Record<string, string>>): Promise<Answer> =>
    wire.send({ operation: 'token', path: `${apiVersion}/token`, form }, new AbortController().signal);

const wireInstance = z.object({ installationId: z.string().nullish(), version: z.string().nullish() });

/** `GET /vN/ServiceInstance` is there from v6 on. */
async function readInstance({ apiVersion }: RestSettings, read: Read, signal: AbortSignal): Promise<Instance> {
  if (!since(apiVersion, 'v6')) return { apiVersion, version: '', installationId: '' };
  const parsed = wireInstance.safeParse(okJson('probe', await read('probe', 'ServiceInstance', signal)));
  if (!parsed.success) throw failure('probe', 'decode', 'the answer is no service instance');
  const { version, installationId } = parsed.data;
  return { apiVersion, version: version ?? '', installationId: (installationId ?? '').toLowerCase() };
}

async function readSession(read: Read, id: string, signal: AbortSignal): Promise<Session | undefined> {
  const answer = await read('session', sessionPath(id), signal);
  if (isGone(answer)) return undefined;
  const entry = decodeSession(okJson('session', answer));
  if ('rejected' in entry) throw failure('session', 'decode', entry.rejected);
  return entry.session;
}

/** `readAt` by the server's clock as this very answer has told it: the first answer is the one that tells most. */
function readEvents({ eventLimit }: RestSettings, read: Read, serverTime: (ourMs: number) => Nanos) {
  const size = pageSize(eventLimit);
  return async (sessionId: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined> => {
    const { limit } = size;
    const path = `${sessionPath(sessionId)}/Events${query({ offset, limit })}`;
    const answer = await read('events', path, signal).catch((thrown: unknown) => {
      size.failed(thrown);
      throw thrown;
    });
    if (isGone(answer)) return undefined;
    const page = decodePage(okJson('events', answer), { operation: 'events', offset, limit });
    size.took(answer.tookMs, page.rows.length >= limit);
    const rows = page.rows.map((row, index) => decodeEvent(row, offset + index));
    return { ...page, offset, rows, readAt: serverTime(answer.beganMs) };
  };
}

function okJson(operation: Operation, answer: Answer): unknown {
  if (answer.status !== 200) throw statusFailure(operation, answer);
  return decodeJson(operation, answer.body);
}

/** A web page with status 404 comes from something in front of VB365, and tells nothing about a session. */
const isGone = ({ status, body }: Answer): boolean => status === 404 && isOwnError(body);

const sessionPath = (id: string): string => `RestoreSessions/${encodeURIComponent(id)}`;
