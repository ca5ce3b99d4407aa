import { formatInstant, type Nanos } from '../model/time.js';
import { type Cursor, ofStored, parseCursor } from '../pipeline/cursor.js';
import { contains } from '../pipeline/interval-set.js';
import type { CursorRow, ServerState } from '../pipeline/ports.js';
import type { Missing } from './audit.js';

/** How far the exporter has come with the logs of a server. */
type LogsProgress = Readonly<{
  /** What happened before is history; undefined when no logs were ever sent. */
  since: Nanos | undefined;
  /** Why the receiver refused a record, by session and event, `''` for the record of the session. */
  refused: (session: string, event: string) => string | undefined;
  cursor: (session: string) => Cursor | undefined;
}>;

/** Why a record is missing, as far as the state of the exporter says it. Pure. */
function explanation({ session, event, order, at = 0n }: Missing, { since, refused, cursor }: LogsProgress): string {
  if (since === undefined) return 'the exporter has sent no logs of this server';
  if (at < since) return `before the exporter began with the server, at ${formatInstant(since)}`;
  const reason = refused(session, order === undefined ? '' : event);
  if (reason !== undefined) return `the receiver refused it (${reason})`;
  const taken = cursor(session);
  if (taken === undefined) return 'not delivered: the exporter has not read its session yet';
  return placeOf(taken, order);
}

function placeOf({ exceptions, resultTaken, taken }: Cursor, order: number | undefined): string {
  const isDelivered = order === undefined ? resultTaken : contains(taken, order);
  const isGivenUp = order !== undefined && contains(exceptions?.given_up ?? [], order);
  if (isGivenUp) return 'the exporter gave it up after "abandon_after"';
  return isDelivered ? 'the receiver acknowledged it: it was lost or deleted after that' : 'not delivered yet';
}

/** The state of the exporter, as far as it is asked. */
type StateOf = Readonly<{
  state: (server: string) => ServerState;
  rows: (server: string, sessions: readonly string[]) => readonly CursorRow[];
  deadLetters: (server: string) => readonly Readonly<Record<'sink' | 'session' | 'event' | 'reason', string>>[];
}>;

/** Why each of these records is missing. Holds the cursors of one session at a time, and all dead letters. */
export function explanations(missing: readonly Missing[], stored: StateOf): readonly string[] {
  const servers = new Set(missing.map(({ server }) => server));
  const known = new Map([...servers].map(server => [server, progressOf(server, stored)]));
  return missing.map(each => {
    const progress = known.get(each.server);
    return progress === undefined ? '' : explanation(each, progress);
  });
}

function progressOf(server: string, { state, rows, deadLetters }: StateOf): LogsProgress {
  const letters = deadLetters(server).filter(({ sink }) => sink === 'logs');
  const refused = new Map(letters.map(({ session, event, reason }) => [`${session} ${event}`, reason]));
  let last: Readonly<{ session: string; cursor: Cursor | undefined }> | undefined;
  return {
    since: state(server).since.logs,
    refused: (session, event) => refused.get(`${session} ${event}`),
    cursor: session => {
      if (last?.session !== session) {
        const row = rows(server, [session]).find(({ sink }) => sink === 'logs');
        last = { session, cursor: row && ofStored(row, parseCursor) };
      }
      return last.cursor;
    },
  };
}
