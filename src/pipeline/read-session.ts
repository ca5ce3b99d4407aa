import { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import type { BacklogEntry } from './backlog.js';
import { batchSize, type SessionPart } from './batch-builder.js';
import { completeDeleted, type Completion, evaluateCompletion, quiescenceTime } from './completion.js';
import { formatCursor } from './cursor.js';
import { dedupe, fullRead, incrementalRead, misses, type PageResult, type ReadProgress } from './dedupe.js';
import type { EventPage } from './ports.js';
import type { CachedSession } from './session-cache.js';
import type { SinkWorker } from './sink-worker.js';

/**
 * Reads what is new in one session: a part for each page, and one for its end. Ends early, with the session still due,
 * when `quit` aborts.
 * @throws {ExporterError} as the source; `decode` if the server returns the same page for every offset.
 */
export async function* readSession(
  worker: SinkWorker,
  entry: BacklogEntry,
  quit: AbortSignal,
): AsyncGenerator<SessionPart> {
  const id = entry.row.session;
  worker.backlog.startReading(id);
  const cached = await worker.sessionCache.get(id, quit);
  if (cached === undefined) yield endPart(entry, undefined, completeDeleted(entry.cursor, undefined));
  else yield* readPages(worker, entry, cached, quit);
}

async function* readPages(
  worker: SinkWorker,
  entry: BacklogEntry,
  cached: CachedSession,
  quit: AbortSignal,
): AsyncGenerator<SessionPart> {
  const { session, stoppedAt } = cached;
  const context = { sessionOpen: session.open, since: worker.since() };
  let { cursor } = entry;
  let progress = startRead(entry, cached, worker.source.now());
  const checkRepetition = repetitionCheck();
  for (;;) {
    const page = await worker.pageCache.read(entry.row.session, progress.offset, quit);
    if (page === undefined) {
      yield await vanishedPart(worker, entry, cached, quit);
      return;
    }
    checkRepetition(page);
    if (misses(progress, page)) {
      progress = fullRead(cursor);
      continue;
    }
    for (const piece of pieces(page)) {
      const result = dedupe(cursor, progress, piece, context);
      ({ cursor, progress } = result);
      yield pagePart(entry, cached, result);
    }
    const end = { session, stoppedAt, now: worker.source.now(), grace: worker.grace, since: worker.since() };
    if (page.last) yield endPart(entry, cached, evaluateCompletion(cursor, progress, end));
    if (page.last || quit.aborted) return;
  }
}

/** A session that stopped some time ago is read from row 0; any other from its first hole on. */
function startRead({ cursor, unfinished }: BacklogEntry, { stoppedAt }: CachedSession, now: Nanos): ReadProgress {
  const isQuiescent = stoppedAt !== undefined && now >= stoppedAt + quiescenceTime;
  return isQuiescent && !unfinished ? fullRead(cursor) : incrementalRead(cursor);
}

/** A row may occur twice in a list, and so may a page of one row. */
const maxRepetitions = 3;

/** Detects a server that returns the same rows for every offset: reading it would never end. */
function repetitionCheck(): (page: EventPage) => void {
  let last = '';
  let repetitions = 0;
  return page => {
    const ends = `${String(page.rows.length)} ${rowKey(page, 0)} ${rowKey(page, -1)}`;
    repetitions = ends === last ? repetitions + 1 : 1;
    last = ends;
    if (repetitions > maxRepetitions)
      throw new ExporterError('decode', 'Could not read the events of a restore session: every page is the same');
  };
}

function rowKey({ rows }: EventPage, index: number): string {
  const row = rows.at(index);
  if (row === undefined) return '';
  return `${String(row.order)} ${'event' in row ? row.event.id : row.id}`;
}

/** A page in pieces of at most a batch, so that no batch grows with the page size. */
function pieces(page: EventPage): readonly EventPage[] {
  if (page.rows.length <= batchSize) return [page];
  const starts = Array.from({ length: Math.ceil(page.rows.length / batchSize) }, (_, index) => index * batchSize);
  return starts.map(start => ({
    ...page,
    offset: page.offset + start,
    rows: page.rows.slice(start, start + batchSize),
    anomalies: start === 0 ? page.anomalies : [],
  }));
}

/** In the middle of a session: its cursor moves, and it stays due. */
function pagePart(entry: BacklogEntry, { session }: CachedSession, page: PageResult): SessionPart {
  const row = { ...entry.row, cursor: formatCursor(page.cursor) };
  const changed = row.cursor !== entry.row.cursor;
  return { entry: { ...entry, row, cursor: page.cursor }, changed, session, page };
}

function endPart(entry: BacklogEntry, cached: CachedSession | undefined, completion: Completion): SessionPart {
  const { cursor, done, unfinished, wakeAt } = completion;
  const row = { ...entry.row, cursor: formatCursor(cursor), done };
  const changed = done || row.cursor !== entry.row.cursor;
  return { entry: { row, cursor, unfinished, dueAt: wakeAt }, changed, session: cached?.session, completion };
}

/**
 * The server has no events of the session. If it has deleted the session too, the session ends with its last result.
 * @throws {ExporterError} `rejected` if the server still has the session.
 */
async function vanishedPart(
  worker: SinkWorker,
  entry: BacklogEntry,
  cached: CachedSession,
  quit: AbortSignal,
): Promise<SessionPart> {
  if ((await worker.sessionCache.refresh(entry.row.session, quit)) !== undefined)
    throw new ExporterError('rejected', 'Could not read the events of a restore session that the server still has');
  const { stoppedAt } = cached;
  return endPart(entry, cached, completeDeleted(entry.cursor, { stoppedAt, since: worker.since() }));
}
