import type { Session } from '../model/session.js';
import type { Known } from './list-scan.js';
import type { Feed } from './feed-state.js';
import { isAsSeen, type Seen } from './session-snapshots.js';

/** Stopped sessions of a list that have changed since they were last seen. The first sight of a session is no change. */
export function changedSince(seen: Seen, sessions: readonly Session[]): ReadonlySet<string> {
  const changed = sessions.filter(session => !session.open && seen.get(session.id) !== undefined);
  return new Set(changed.filter(session => !isAsSeen(seen, session)).map(({ id }) => id));
}

/**
 * Notes what a list shows of which the feed has not told. It may be about to: only what it has not told in an answer
 * to a request that was begun after the list had been read was missed.
 */
export function suspect(
  { feed, open: before }: Known,
  { sessions, open }: Readonly<{ sessions: readonly Session[]; open: Known['open'] }>,
  nowMs: number,
): void {
  const listed = new Set(sessions.map(({ id }) => id));
  for (const session of sessions) if (!isAsSeen(feed.seen, session)) feed.suspects.add(session.id);
  for (const id of before.keys()) if (!open.has(id) && !listed.has(id)) feed.suspects.add(id);
  feed.suspectedMs = nowMs;
}

/** Clears what the feed told of in an answer to a request begun at `askedMs`; what is left then, it has missed. */
export function clearSuspects(feed: Feed, told: Iterable<string>, askedMs: number): void {
  for (const id of told) feed.suspects.delete(id);
  if (askedMs < feed.suspectedMs || feed.suspects.size === 0) return;
  feed.gaps.push(feed.suspects.size);
  feed.suspects.clear();
}
