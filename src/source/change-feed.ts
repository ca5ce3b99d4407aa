import { z } from 'zod';
import type { FeedAnswer, FeedPosition } from '../pipeline/ports.js';
import { failure, statusFailure } from './request-errors.js';
import { decodeJson } from './json.js';
import type { ApiClient } from './link.js';
import { since } from './options.js';
import type { Answer } from './transport.js';
import { isWire, tag, uuid } from './wire.js';

/** As many as the API gives at once elsewhere; no maximum is documented here. */
const feedLimit = 10_000;

/**
 * Reads `GET /v8/Events`, a long poll (OpenAPI of v8, `Events_Get`). Of its thirty kinds of entry only those about
 * restore sessions are told.
 * @throws {ExporterError} as a request does; a feed that is not there, or not for us, is an answer.
 */
export function readChanges({ read, versions }: ApiClient) {
  return async ({ token, waitSeconds }: FeedPosition, signal: AbortSignal): Promise<FeedAnswer> => {
    if (!since(await versions.current(signal), 'v8')) return { kind: 'none' };
    const from = encodeURIComponent(token ?? 'latest');
    const path = `Events?from=${from}&limit=${String(feedLimit)}&timeoutSeconds=${String(waitSeconds)}`;
    const answer = await read('feed', path, signal, { waitMs: waitSeconds * 1000 });
    return answer.status === 200 ? decodeChanges(decodeJson('feed', answer.body)) : refusal(answer);
  };
}

/** Statuses that say that asking again soon is of no use. */
const refusals: ReadonlySet<number> = new Set([400, 403, 404, 405, 410, 501]);

/** Which status comes with an outdated token is not known: the error code tells, whatever the status. */
function refusal(answer: Answer): FeedAnswer {
  if (errorCode(answer) === 'OutdatedChangeToken') return { kind: 'outdated' };
  const error = statusFailure('feed', answer);
  if (refusals.has(answer.status)) return { kind: 'refused', error };
  throw error;
}

function errorCode({ body }: Answer): unknown {
  try {
    const json: unknown = JSON.parse(body);
    return isWire(json) ? json['errorCode'] : undefined;
  } catch {
    return undefined;
  }
}

const wireChanges = z.object({
  nextChangeToken: z.string().min(1),
  limit: z.int().positive().catch(feedLimit),
  results: z.array(z.unknown()),
});

function decodeChanges(json: unknown): FeedAnswer {
  const parsed = wireChanges.safeParse(json);
  if (!parsed.success) throw failure('feed', 'decode', 'the answer is no list of changes');
  const { nextChangeToken: token, limit, results } = parsed.data;
  const updated = new Map<string, string>();
  const deleted = new Set<string>();
  let unreadable = 0;
  for (const entry of results) {
    if (!isWire(entry)) unreadable += 1;
    else if (!note(entry, { updated, deleted })) unreadable += 1;
  }
  return { kind: 'told', token, updated, deleted, entries: results.length, unreadable, more: results.length >= limit };
}

type Noted = Readonly<{ updated: Map<string, string>; deleted: Set<string> }>;

/** False for an entry about a session that does not say which. The last entry about a session counts. */
function note(entry: Readonly<Record<string, unknown>>, { updated, deleted }: Noted): boolean {
  const kind = typeof entry['eventType'] === 'string' ? entry['eventType'].toLowerCase() : '';
  if (kind !== 'restoresessionupdate' && kind !== 'restoresessiondelete') return true;
  const id = uuid(entry['id']);
  if (id === '') return false;
  updated.delete(id);
  deleted.delete(id);
  if (kind === 'restoresessiondelete') deleted.add(id);
  else updated.set(id, tag(entry['eTag']));
  return true;
}
