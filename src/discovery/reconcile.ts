import type { Session } from '../model/session.js';
import type { SessionSnapshots } from './session-snapshots.js';

/** Stopped sessions that have changed since they were last seen. A session that is seen for the first time has not. */
export function changedSince(snapshots: SessionSnapshots, sessions: readonly Session[]): ReadonlySet<string> {
  const changed = sessions.filter(
    session => !session.open && snapshots.get(session.id) !== undefined && !snapshots.match(session),
  );
  return new Set(changed.map(({ id }) => id));
}

/** Sessions that a list showed to have changed before the feed reported them. The feed may be about to report them. */
export type MissedCandidates = Readonly<{
  ids: ReadonlySet<string>;
  /** When the list had been read, in monotonic milliseconds. */
  listedMs: number;
}>;

/** Adds what a list shows to be new, changed or gone. */
export function addCandidates(
  { ids }: MissedCandidates,
  snapshots: SessionSnapshots,
  list: Readonly<{ sessions: readonly Session[]; gone: ReadonlySet<string>; atMs: number }>,
): MissedCandidates {
  const differing = list.sessions.filter(session => !snapshots.match(session)).map(({ id }) => id);
  return { ids: new Set([...ids, ...differing, ...list.gone]), listedMs: list.atMs };
}

/**
 * Removes the candidates that the feed has reported in an answer to a request begun at `askedMs`. Those that are left
 * count as missed when the request was begun after the list had been read.
 */
export function settleCandidates(
  { ids, listedMs }: MissedCandidates,
  reported: readonly string[],
  askedMs: number,
): Readonly<{ candidates: MissedCandidates; missed: number }> {
  const left = new Set(ids);
  for (const id of reported) left.delete(id);
  return askedMs < listedMs
    ? { candidates: { ids: left, listedMs }, missed: 0 }
    : { candidates: { ids: new Set(), listedMs }, missed: left.size };
}
