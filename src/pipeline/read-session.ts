import { ExporterError } from '../kernel/errors.js';
import { eventTextLength } from '../model/event.js';
import type { Session } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import type { BacklogEntry } from './backlog.js';
import { batchCharacters, batchSize, type SessionPart } from './batch-builder.js';
import { completeDeleted, type Completion, evaluateCompletion, quiescenceTime } from './completion.js';
import { formatCursor } from './cursor.js';
import { dedupe, fullRead, idOf, incrementalRead, misses, type PageResult, type ReadProgress } from './dedupe.js';
import { withFailure } from './failure-reason.js';
import type { EventPage } from './ports.js';
import type { CachedSession } from './session-cache.js';
import type { SinkWorker } from './sink-worker.js';

/**
 * Reads what is new in one session: a part for each page, and one for its end. Ends early, with the session still due,
 * when `quit` aborts.
 * @throws {ExporterError} as the source; `decode` if the server returns the same page for every offset; `rejected` if it
 * has no events of a session that it still has.
 */
export async function* readSession(
  worker: SinkWorker,
  entry: BacklogEntry,
  quit: AbortSignal,
): AsyncGenerator<SessionPart> {
  const { source, grace, pageCache, sessionCache } = worker;
  const id = entry.row.session;
  worker.backlog.startReading(id);
  const cached = await sessionCache.get(id, quit);
  if (cached === undefined) return void (yield deletedPart(worker, entry, undefined));
  const { session, stoppedAt } = cached;
  const createdAt = creationOf(session, source.now());
  const context = { sessionOpen: session.open, createdAt, stoppedAt, since: worker.since() };
  let { cursor } = entry;
  let progress = startRead(entry, cached, source.now());
  const checkRepetition = repetitionCheck();
  const checkLength = lengthCheck();
  for (;;) {
    const page = await pageCache.read(id, progress.offset, quit);
    if (page === undefined) {
      if ((await sessionCache.refresh(id, quit)) === undefined)
        return void (yield deletedPart(worker, { ...entry, cursor }, cached));
      throw new ExporterError('rejected', 'Could not read the events of a restore session that the server still has');
    }
    checkRepetition(page);
    checkLength(page);
    if (misses(progress, page)) {
      progress = fullRead(cursor);
      continue;
    }
    for (const piece of pieces(page)) {
      const result = dedupe(cursor, progress, piece, context);
      ({ cursor, progress } = result);
      yield pagePart(entry, session, result);
    }
    const end = { session, stoppedAt, now: source.now(), grace, since: worker.since() };
    if (page.last) {
      const completion = evaluateCompletion(cursor, progress, end);
      yield endPart(entry, await withFailure(worker, session, completion, quit), completion);
    }
    if (page.last || quit.aborted) return;
  }
}

/** A creation further ahead of the server's clock is wrong. */
const tolerance: Nanos = seconds(300);

export const creationOf = ({ createdAt, undated }: Session, now: Nanos): Nanos | undefined =>
  undated === true || createdAt > now + tolerance ? undefined : createdAt;

/** A session that stopped some time ago is read from row 0; any other from its first hole on. */
function startRead({ cursor, unfinished }: BacklogEntry, { stoppedAt }: CachedSession, now: Nanos): ReadProgress {
  const isQuiescent = stoppedAt !== undefined && now >= stoppedAt + quiescenceTime;
  return isQuiescent && !unfinished ? fullRead(cursor) : incrementalRead(cursor);
}

/** A row may occur twice in a list, and so may a page of one row. */
const maxRepetitions = 3;

/** Detects a server that returns the same rows for every offset: reading it would never end. */
export function repetitionCheck(): (page: EventPage) => void {
  let last = '';
  let repetitions = 0;
  return ({ rows }) => {
    const ends = [...rows.slice(0, 1), ...rows.slice(-1)].map(row => `${String(row.order)} ${idOf(row)}`);
    const current = [rows.length, ...ends].join(' ');
    repetitions = current === last ? repetitions + 1 : 1;
    last = current;
    if (repetitions > maxRepetitions)
      throw new ExporterError('decode', 'Could not read the events of a restore session: every page is the same');
  };
}

/** Pages of one read. */
const maxPages = 10_000;
/** Pages of one read that are not full and not the last one. A server that serves them for ever costs little this way. */
const maxShortPages = 100;

/** Detects a server whose pages never end. What was read before counts. */
export function lengthCheck(): (page: EventPage) => void {
  let pages = 0;
  let shortPages = 0;
  return ({ short, last }) => {
    pages += 1;
    if (short === true && !last) shortPages += 1;
    const passed =
      pages > maxPages ? String(maxPages) : shortPages > maxShortPages ? `${String(maxShortPages)} short` : undefined;
    if (passed !== undefined)
      throw new ExporterError('rejected', `Could not read the events of a restore session: more than ${passed} pages`);
  };
}

/** A page in pieces of at most a batch, so that no batch grows with the page size. An empty page is one piece. */
function* pieces(page: EventPage): Generator<EventPage> {
  let start = 0;
  do {
    const rows = page.rows.slice(start, pieceEnd(page, start));
    yield { ...page, offset: page.offset + start, rows, anomalies: start === 0 ? page.anomalies : [] };
    start += rows.length;
  } while (start < page.rows.length);
}

/** The first row behind the piece that begins at a row. */
function pieceEnd({ rows }: EventPage, start: number): number {
  let characters = 0;
  let end = start;
  while (end < rows.length && end - start < batchSize) {
    const row = rows[end];
    characters += row !== undefined && 'event' in row ? eventTextLength(row.event) : 0;
    if (end > start && characters > batchCharacters) break;
    end += 1;
  }
  return end;
}

/** In the middle of a session: its cursor moves, and it stays due. */
function pagePart(entry: BacklogEntry, session: Session, page: PageResult): SessionPart {
  const row = { ...entry.row, cursor: formatCursor(page.cursor) };
  const changed = row.cursor !== entry.row.cursor;
  return { entry: { ...entry, row, cursor: page.cursor }, changed, session, page };
}

function endPart(entry: BacklogEntry, session: Session | undefined, completion: Completion): SessionPart {
  const { cursor, done, unfinished, wakeAt } = completion;
  const row = { ...entry.row, cursor: formatCursor(cursor), done };
  const changed = done || row.cursor !== entry.row.cursor;
  return { entry: { row, cursor, unfinished, dueAt: wakeAt }, changed, session, completion };
}

/** A session that the server has deleted ends with its last result. */
const deletedPart = (worker: SinkWorker, entry: BacklogEntry, last: CachedSession | undefined): SessionPart =>
  endPart(
    entry,
    last?.session,
    completeDeleted(entry.cursor, { session: last?.session, stoppedAt: last?.stoppedAt, since: worker.since() }),
  );
