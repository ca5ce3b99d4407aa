import { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import { dedupe, fullRead, misses, incrementalRead, type ReadProgress } from './dedupe.js';
import type { BacklogEntry } from './backlog.js';
import { batchSize, type BatchBuilder } from './batch-builder.js';
import { evaluateCompletion, settleTime } from './completion.js';
import { type Cursor, formatCursor } from './cursor.js';
import type { CachedSession } from './session-cache.js';
import type { SinkWorker, StopSignals } from './sink-worker.js';
import type { EventPage } from './ports.js';

type Into = Readonly<{
  builder: BatchBuilder;
  stopping: StopSignals;
  /** Delivers and remembers what is in the draft. */
  full: () => Promise<void>;
}>;

/**
 * Reads what is new in one session into the draft, page by page, and places the entry that then stands. Ends early,
 * with the session still due, when the program stops.
 * @throws {ExporterError} what the source or, through `full`, the sink or the store threw.
 */
export async function readSession(worker: SinkWorker, entry: BacklogEntry, into: Into): Promise<void> {
  const id = entry.row.session;
  const { quit } = into.stopping;
  worker.backlog.startReading(id);
  const header = await worker.sessionCache.get(id, quit);
  if (header === undefined) return placeGone(entry, into.builder);
  const context: Context = { worker, entry, header, into };
  let place: Place = { cursor: entry.cursor, pass: firstPass(entry, header, worker.source.now()) };
  const progress = watchProgress();
  for (;;) {
    const page = await worker.pageCache.read(id, place.pass.offset, quit);
    if (page === undefined) return placeVanished(context);
    progress(page);
    if (misses(place.pass, page)) {
      place = { cursor: place.cursor, pass: fullRead(place.cursor) };
      continue;
    }
    place = await takePage(context, { ...place, page });
    if (page.last) return placeConclusion(context, place);
    if (quit.aborted) return;
  }
}

/** A row may stand in a list twice, and so may a page of one row; the same page over and over is no list. */
const mostRepetitions = 3;

/** Told of each page; a server that answers every offset with the same rows would never come to an end. */
function watchProgress(): (page: EventPage) => void {
  let last = '';
  let seen = 0;
  return page => {
    const marks = `${String(page.rows.length)} ${idAt(page, 0)} ${idAt(page, -1)}`;
    seen = marks === last ? seen + 1 : 1;
    last = marks;
    if (seen > mostRepetitions)
      throw new ExporterError('decode', 'Could not read the events of a restore session: it answers one page for all');
  };
}

function idAt({ rows }: EventPage, index: number): string {
  const row = rows.at(index);
  if (row === undefined) return '';
  return `${String(row.order)} ${'event' in row ? row.event.id : row.id}`;
}

/** A session that has been over for a while is read whole, once; any other from its first hole on. */
function firstPass({ cursor, unfinished }: BacklogEntry, { stoppedAt }: CachedSession, now: Nanos): ReadProgress {
  const settled = stoppedAt !== undefined && now >= stoppedAt + settleTime;
  return settled && !unfinished ? fullRead(cursor) : incrementalRead(cursor);
}

type Context = Readonly<{ worker: SinkWorker; entry: BacklogEntry; header: CachedSession; into: Into }>;
type Place = Readonly<{ cursor: Cursor; pass: ReadProgress }>;

/** Takes a page in pieces of at most a batch, so that no batch and no transaction grows with the page. */
async function takePage(context: Context, { cursor, pass, page }: Place & { page: EventPage }): Promise<Place> {
  const { worker, entry, header, into } = context;
  const reading = { sessionOpen: header.session.open, since: worker.since() };
  let place: Place = { cursor, pass };
  for (const piece of pieces(page)) {
    if (into.builder.size + piece.rows.length > batchSize) await into.full();
    const step = dedupe(place.cursor, place.pass, piece, reading);
    into.builder.addPage(header.session, step);
    if (step.cursor !== place.cursor) placeCursor(entry, step.cursor, into.builder);
    place = step;
  }
  return place;
}

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

/** In the middle of a session: what is taken is remembered, the session stays due. */
function placeCursor(entry: BacklogEntry, cursor: Cursor, builder: BatchBuilder): void {
  const row = { ...entry.row, cursor: formatCursor(cursor) };
  builder.place({ ...entry, row, cursor }, row.cursor !== entry.row.cursor);
}

function placeConclusion({ worker, entry, header, into }: Context, { cursor: read, pass }: Place): void {
  const { session, stoppedAt } = header;
  const ending = { session, stoppedAt, now: worker.source.now(), grace: worker.grace, since: worker.since() };
  const conclusion = evaluateCompletion(read, pass, ending);
  const { cursor, done, unfinished, wakeAt } = conclusion;
  into.builder.addCompletion(session, conclusion);
  const row = { ...entry.row, cursor: formatCursor(cursor), done };
  const dueAt = wakeAt === 0n ? undefined : wakeAt;
  into.builder.place({ row, cursor, unfinished, dueAt }, done || row.cursor !== entry.row.cursor);
}

/**
 * The server has no events of the session. Where it still has the session, that is a failure; where it has not, the
 * result that it told before is all that is left to take.
 * @throws {ExporterError} `rejected` when the session is still there.
 */
async function placeVanished({ worker, entry, header, into }: Context): Promise<void> {
  const again = await worker.sessionCache.refresh(entry.row.session, into.stopping.quit);
  if (again !== undefined)
    throw new ExporterError('rejected', 'Could not read the events of a restore session that the server still has');
  const { session, stoppedAt } = header;
  const told = stoppedAt !== undefined && stoppedAt >= worker.since() && !entry.cursor.resultTaken;
  if (told) into.builder.addResult(session);
  placeGone(entry, into.builder);
}

/** The server has forgotten the session: done, and remembered as such, so that it is not news if it comes back. */
function placeGone(entry: BacklogEntry, builder: BatchBuilder): void {
  const cursor = { ...entry.cursor, resultTaken: true };
  builder.place({ ...entry, cursor, row: { ...entry.row, done: true, cursor: formatCursor(cursor) } }, true);
}
