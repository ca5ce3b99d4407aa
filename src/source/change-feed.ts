import { z } from 'zod';
import type { FeedAnswer, Source } from '../pipeline/ports.js';
import { isAtLeast } from '../model/api-versions.js';
import type { Connection } from './connection.js';
import { isJsonObject, parseJson, tag, text, uuid } from './json.js';
import { query } from './page.js';
import { failure, okJson, statusFailure } from './request-errors.js';
import type { Answer } from './transport.js';

/** The maximum of other collections; none is documented for the feed. */
const feedLimit = 2_500;

/** The token is kept in the state file. */
const longestToken = 4096;

/**
 * Reads `GET /v8/Events`, a long poll (OpenAPI of v8, `Events_Get`). Of its thirty kinds of entries only those about
 * restore sessions count.
 * @throws {ExporterError} as a request does; a feed that is missing, or forbidden, is an answer.
 */
export function changeReader(connection: Connection): Source['changes'] {
  return async ({ token, waitSeconds }, signal) => {
    if (!isAtLeast(await connection.versions.current(signal), 'v8')) return { kind: 'none' };
    const path = `Events${query({ from: token ?? 'latest', limit: feedLimit, timeoutSeconds: waitSeconds })}`;
    const answer = await connection.get('feed', path, signal, { rows: feedLimit, waitMs: waitSeconds * 1000 });
    return answer.status === 200 ? decodeChanges(okJson('feed', answer)) : refusal(answer);
  };
}

/** Statuses after which a retry soon is of no use. */
const refusals: ReadonlySet<number> = new Set([400, 403, 404, 405, 410, 501]);

/** The status of an outdated token is not documented, so the error code decides. */
function refusal(answer: Answer): FeedAnswer {
  const json = parseJson(answer.body);
  if (isJsonObject(json) && json['errorCode'] === 'OutdatedChangeToken') return { kind: 'outdated' };
  const error = statusFailure('feed', answer);
  if (refusals.has(answer.status)) return { kind: 'refused', error };
  throw error;
}

const wireChanges = z.object({
  nextChangeToken: z.string().min(1).max(longestToken),
  limit: z.int().positive().catch(feedLimit),
  // Serializers write an empty list as null too.
  results: z
    .array(z.unknown())
    .nullable()
    .transform(entries => entries ?? []),
});

function decodeChanges(json: unknown): FeedAnswer {
  const parsed = wireChanges.safeParse(json);
  if (!parsed.success) throw failure('feed', 'decode', 'the answer is not a list of changes');
  const { nextChangeToken: token, limit, results } = parsed.data;
  const changes = { updated: new Map<string, string>(), deleted: new Set<string>() };
  const unreadable = results.filter(entry => !addChange(entry, changes.updated, changes.deleted)).length;
  return { kind: 'changes', token, ...changes, entries: results.length, unreadable, more: results.length >= limit };
}

/** False for what is no entry, and an entry about a session without a readable id. The last entry about a session counts. */
function addChange(entry: unknown, updated: Map<string, string>, deleted: Set<string>): boolean {
  if (!isJsonObject(entry)) return false;
  const kind = text(entry['eventType']).toLowerCase();
  if (kind !== 'restoresessionupdate' && kind !== 'restoresessiondelete') return true;
  const id = uuid(entry['id']);
  if (id === '') return false;
  updated.delete(id);
  deleted.delete(id);
  if (kind === 'restoresessiondelete') deleted.add(id);
  else updated.set(id, tag(entry['eTag']));
  return true;
}
