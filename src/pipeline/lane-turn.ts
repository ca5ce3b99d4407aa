import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { seconds } from '../model/time.js';
import type { Entry } from './backlog.js';
import { batchSize, createDraft, type Draft } from './batch.js';
import type { Lane, LaneReport, Stopping } from './lane.js';
import { concernsOneSession } from './failure.js';
import { readSession } from './read-session.js';

/** A session that could not be read is left alone for so long, so that it does not hold up the others turn by turn. */
const restTime = seconds(10);

/** A turn in the making: what has been recorded so far and what went wrong. */
type Turn = {
  readonly lane: Lane;
  readonly draft: Draft;
  taken: number;
  corrections: number;
  errors: ExporterError[];
  /** The sink or the store has refused: reading on would be in vain. */
  stuck: boolean;
};

/**
 * One turn of a sink: what is new in its due sessions, oldest session first, delivered and then remembered, batch by
 * batch. A cursor moves only after the sink has taken the events, so a crash repeats events and never loses one.
 * Never rejects: what failed is in the report, and stays due.
 */
export async function laneTurn(lane: Lane, stopping: Stopping): Promise<LaneReport> {
  const turn: Turn = { lane, draft: createDraft(), taken: 0, corrections: 0, errors: [], stuck: false };
  const unsettled = await attempt(turn, async () => lane.ledger.settle());
  if (unsettled === undefined) await readDue(turn, stopping);
  const due = lane.backlog.waiting(lane.source.now());
  return { taken: turn.taken, corrections: turn.corrections, errors: turn.errors, due };
}

async function readDue(turn: Turn, stopping: Stopping): Promise<void> {
  const { backlog, source } = turn.lane;
  for (const entry of backlog.due(source.now())) {
    if (stopping.quit.aborted || !(await readInto(turn, entry, stopping))) break;
  }
  await attempt(turn, async () => flush(turn, stopping.cut));
}

/** Reads one session; false when the turn had better end. A session that answers nonsense does not hold up the others. */
async function readInto(turn: Turn, entry: Entry, stopping: Stopping): Promise<boolean> {
  const full = async (): Promise<void> => flush(turn, stopping.cut);
  const error = await attempt(turn, async () => {
    if (turn.draft.size >= batchSize) await full();
    await readSession(turn.lane, entry, { draft: turn.draft, stopping, full });
  });
  if (error === undefined) return true;
  if (turn.stuck || !concernsOneSession(error)) return false;
  turn.lane.backlog.rest(entry.row.session, turn.lane.source.now() + restTime);
  return true;
}

async function attempt(turn: Turn, action: () => Promise<void>): Promise<ExporterError | undefined> {
  try {
    await action();
    return undefined;
  } catch (thrown) {
    const error = toExporterError(thrown);
    turn.errors.push(error);
    return error;
  }
}

/** Delivers what has been gathered, then remembers it: taken, then remembered. */
async function flush(turn: Turn, signal: AbortSignal): Promise<void> {
  const { lane, draft } = turn;
  const unchanged = !draft.changed;
  const { batch, entries, changed } = draft.finish(lane.source.now());
  const place = (): void => {
    for (const entry of entries) lane.backlog.put(entry);
  };
  if (unchanged) return place();
  turn.stuck = true;
  const deltas = await lane.sink.deliver(batch, signal);
  await lane.ledger.record({ server: lane.server, rows: changed.map(({ row }) => row), deltas }, () => {
    lane.stored(deltas);
    place();
  });
  turn.stuck = false;
  turn.taken += batch.events.length;
  turn.corrections += batch.findings.corrections;
}
