import type { AnomalyKind } from '../model/event.js';
import { type Session, sessionResult, workload } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { instant, isCut, isJsonObject, type JsonObject, longestName, tag, text, usable, uuid } from './json.js';

/**
 * A session, or why the row is not one, without values. `creation`: its time of creation as sent, usable or not, by which
 * servers sort.
 */
export type SessionEntry = Readonly<{ session: Session; creation: Nanos | undefined } | { rejected: string }>;

/**
 * Decodes one `RESTRestoreSession` (v2 to v8). Fields that a version lacks are `''`. Times without an offset are UTC.
 * `readAt`, server time, replaces the time of creation when there is no time at all. Never throws.
 */
export function decodeSession(json: unknown, readAt: Nanos): SessionEntry {
  if (!isJsonObject(json)) return { rejected: 'it is not an object' };
  const id = uuid(json['id']);
  if (id === '') return { rejected: 'it has no readable "id"' };
  const eTag = tag(json['eTag']);
  const creation = instant(json['creationTime']);
  const { anomalies, ...times } = readTimes(json, readAt);
  const found: readonly AnomalyKind[] = isCut(json, names) ? [...anomalies, 'text_cut'] : anomalies;
  return {
    creation: typeof creation === 'object' ? creation.at : undefined,
    session: {
      id,
      ...times,
      // v2 to v5 document the states Starting, Working, Stopping and Stopped, later versions Working and Stopped.
      open: text(json['state']).toLowerCase() !== 'stopped',
      result: sessionResult(text(json['result'])),
      workload: workload(text(json['type'])),
      name: text(json['name'], longestName),
      organization: text(json['organization'], longestName),
      initiator: text(json['initiatedBy'], longestName),
      details: text(json['details']),
      scope: text(json['scopeName'], longestName),
      clientHost: text(json['clientHost'], longestName),
      reason: text(json['reason']),
      ...(eTag === '' ? {} : { eTag }),
      ...(found.length === 0 ? {} : { anomalies: found }),
    },
  };
}

const names: ReadonlySet<string> = new Set(['name', 'organization', 'initiatedBy', 'scopeName', 'clientHost']);

type SessionTimes = Pick<Session, 'createdAt' | 'undated' | 'endedAt'> &
  Readonly<{ anomalies: readonly AnomalyKind[] }>;

function readTimes(json: JsonObject, readAt: Nanos): SessionTimes {
  const end = instant(json['endTime']);
  const created = usable(instant(json['creationTime']), readAt)?.at;
  const ended = usable(end, readAt)?.at;
  const isLost = created === undefined || (end !== undefined && ended === undefined);
  const times = timesOf({ createdAt: created ?? ended ?? readAt, ended, isLost });
  return created === undefined ? { ...times, undated: true } : times;
}

type SessionTimesRead = Readonly<{ createdAt: Nanos; ended: Nanos | undefined; isLost: boolean }>;

/** An end before the creation is not a time: the session ended when it was seen to have stopped. */
function timesOf({ createdAt, ended, isLost }: SessionTimesRead): SessionTimes {
  const isNegative = ended !== undefined && ended < createdAt;
  const anomalies: AnomalyKind[] = isNegative ? ['negative_duration'] : [];
  if (isLost) anomalies.push('no_time');
  return { createdAt, endedAt: isNegative ? undefined : ended, anomalies };
}
