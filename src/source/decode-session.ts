import { type Session, sessionResult, workload } from '../model/session.js';
import { instant, isJsonObject, longestName, tag, text, uuid } from './json.js';

/** A session, or why the row is not one, without values. */
export type SessionEntry = Readonly<{ session: Session } | { rejected: string }>;

/**
 * Decodes one `RESTRestoreSession` (v2 to v8). Fields that a version lacks are `''`. Times without an offset are UTC.
 * Never throws.
 */
export function decodeSession(json: unknown): SessionEntry {
  if (!isJsonObject(json)) return { rejected: 'it is no object' };
  const id = uuid(json['id']);
  if (id === '') return { rejected: 'it has no readable "id"' };
  const created = instant(json['creationTime']);
  if (created === undefined) return { rejected: 'it has no "creationTime"' };
  const ended = instant(json['endTime']);
  if (created === 'malformed' || ended === 'malformed') return { rejected: 'it has a malformed time' };
  const eTag = tag(json['eTag']);
  return {
    session: {
      id,
      createdAt: created.at,
      endedAt: ended?.at,
      // v2 to v5 document the states Starting, Working, Stopping and Stopped, later versions Working and Stopped.
      open: text(json['state']).toLowerCase() !== 'stopped',
      result: sessionResult(text(json['result'])),
      workload: workload(text(json['type'])),
      name: text(json['name'], longestName),
      organization: text(json['organization'], longestName),
      initiator: text(json['initiatedBy'], longestName),
      details: text(json['details']),
      scope: text(json['scopeName'], longestName),
      clientAddress: text(json['clientHost'], longestName),
      reason: text(json['reason']),
      ...(eTag === '' ? {} : { eTag }),
    },
  };
}
