import { type Session, sessionResult, workload } from '../model/session.js';
import { instant, isWire, tag, text, uuid, type Wire } from './wire.js';

/** A session, or what is wrong with it in one line, without values. */
export type SessionEntry = Readonly<{ session: Session } | { rejected: string }>;

/**
 * Reads one `RESTRestoreSession` (v2 to v8). Fields that a version does not have are `''`. Times without an offset
 * are taken as UTC. Nothing is thrown.
 */
export function decodeSession(json: unknown): SessionEntry {
  if (!isWire(json)) return { rejected: 'it is no object' };
  const id = uuid(json['id']);
  if (id === '') return { rejected: 'it has no readable "id"' };
  const created = instant(json['creationTime']);
  if (created === undefined) return { rejected: 'it has no "creationTime"' };
  const ended = instant(json['endTime']);
  if (created === 'malformed' || ended === 'malformed') return { rejected: 'it has a malformed time' };
  return {
    session: {
      id,
      createdAt: created.at,
      endedAt: ended?.at,
      ...readState(json),
      ...readTexts(json),
      ...readTag(json),
    },
  };
}

const readTag = (json: Wire): Pick<Session, 'eTag'> => {
  const eTag = tag(json['eTag']);
  return eTag === '' ? {} : { eTag };
};

/** Documents of v2 to v5 name the states Starting, Working, Stopping and Stopped, later ones Working and Stopped. */
const readState = (json: Wire): Pick<Session, 'open' | 'result' | 'workload'> => ({
  open: text(json['state']).toLowerCase() !== 'stopped',
  result: sessionResult(text(json['result'])),
  workload: workload(text(json['type'])),
});

const readTexts = (
  json: Wire,
): Omit<Session, 'id' | 'createdAt' | 'endedAt' | keyof ReturnType<typeof readState> | 'eTag'> => ({
  name: text(json['name']),
  organization: text(json['organization']),
  initiator: text(json['initiatedBy']),
  details: text(json['details']),
  scope: text(json['scopeName']),
  clientAddress: text(json['clientHost']),
  reason: text(json['reason']),
});
