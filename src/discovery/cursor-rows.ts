import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { endOf, formatCursor, startCursor } from '../pipeline/cursor.js';
import type { CursorRow, ServerState, SinkName } from '../pipeline/ports.js';

/** Per sink: what ended before this server time is history and never news. */
export type SinkStarts = ServerState['since'];

/** A session that a sink may still get events of. */
export type SinkSession = Readonly<{ sink: SinkName; session: Session }>;

/** For each sink, the sessions that are open or ended no longer than `grace` before the sink's start. */
export function sinkSessions(
  { sinks, grace }: Readonly<{ sinks: readonly SinkName[]; grace: Nanos }>,
  since: SinkStarts,
  sessions: readonly Session[],
): readonly SinkSession[] {
  return sinks.flatMap(sink => {
    const begin = (since[sink] ?? 0n) - grace;
    return sessions
      .filter(({ open, endedAt, createdAt }) => open || (endedAt ?? createdAt) >= begin)
      .map(session => ({ sink, session }));
  });
}

/**
 * The rows to store: a new row where a sink has none for a session, and a row that is no longer done where the session
 * is open again, is in `changed`, or has ended again since.
 */
export function rowsToStore(
  wanted: readonly SinkSession[],
  stored: readonly CursorRow[],
  changed: ReadonlySet<string>,
): readonly CursorRow[] {
  const byKey = new Map(stored.map(row => [`${row.sink} ${row.session}`, row]));
  return wanted.flatMap(({ sink, session }) => {
    const row = byKey.get(`${sink} ${session.id}`);
    if (row === undefined) return [newRow(sink, session)];
    const again = row.done && (session.open || changed.has(session.id) || hasEndedAgain(session, row));
    return again ? [{ ...row, done: false }] : [];
  });
}

/** Opened and stopped again since the row was done. */
function hasEndedAgain({ endedAt }: Session, { cursor }: CursorRow): boolean {
  const known = endOf(cursor);
  return endedAt !== undefined && known !== undefined && endedAt > known;
}

const newRow = (sink: SinkName, { id, createdAt }: Session): CursorRow => ({
  sink,
  session: id,
  createdAt,
  done: false,
  cursor: formatCursor(startCursor),
});
