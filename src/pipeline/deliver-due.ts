import { ExporterError, toExporterError } from '../kernel/errors.js';
import { seconds } from '../model/time.js';
import type { BacklogEntry } from './backlog.js';
import { batchSize, createBatchBuilder, type BatchBuilder } from './batch-builder.js';
import { concernsOneSession, isSuspectBatch } from './failure.js';
import type { SinkWorker, DeliveryReport, StopSignals } from './sink-worker.js';
import type { Batch, Delivered, DeadLetter } from './ports.js';
import { readSession } from './read-session.js';

/** A session that could not be read is left alone for so long, so that it does not hold up the others turn by turn. */
const restTime = seconds(10);

/** A turn in the making: what has been recorded so far and what went wrong. */
type Turn = {
  readonly worker: SinkWorker;
  readonly builder: BatchBuilder;
  taken: number;
  corrections: number;
  errors: ExporterError[];
  /** The sink or the store has refused: reading on would be in vain. */
  stuck: boolean;
  undelivered: ExporterError[];
  deadLetters: DeadLetter[];
  /** How many batches were refused record by record. From the first on, the turn only looks for one that is taken. */
  doubts: number;
};

/**
 * One turn of a sink: what is new in its due sessions, oldest session first, delivered and then remembered, batch by
 * batch. A cursor moves only after the sink has taken the events, so a crash repeats events and never loses one.
 * Never rejects: what failed is in the report, and stays due.
 */
export async function deliverDue(worker: SinkWorker, stopping: StopSignals): Promise<DeliveryReport> {
  const turn = newTurn(worker);
  const unsettled = await attempt(turn, async () => worker.pendingCommit.flush());
  if (unsettled === undefined) await readDue(turn, stopping);
  const due = worker.backlog.size(worker.source.now());
  const { taken, corrections, undelivered, deadLetters } = turn;
  return { taken, corrections, errors: [...undelivered, ...turn.errors], undelivered, deadLetters, due };
}

const newTurn = (worker: SinkWorker): Turn => ({
  worker,
  builder: createBatchBuilder(),
  taken: 0,
  corrections: 0,
  errors: [],
  stuck: false,
  undelivered: [],
  deadLetters: [],
  doubts: 0,
});

async function readDue(turn: Turn, stopping: StopSignals): Promise<void> {
  const { backlog, source } = turn.worker;
  for (const entry of backlog.due(source.now())) {
    if (stopping.quit.aborted || !(await readInto(turn, entry, stopping))) break;
  }
  await attempt(turn, async () => flush(turn, stopping.cut));
}

/** Reads one session; false when the turn had better end. A session that answers nonsense does not hold up the others. */
async function readInto(turn: Turn, entry: BacklogEntry, stopping: StopSignals): Promise<boolean> {
  const full = async (): Promise<void> => flush(turn, stopping.cut);
  const error = await attempt(turn, async () => {
    if (turn.builder.size >= batchSize) await full();
    await readSession(turn.worker, entry, { builder: turn.builder, stopping, full });
  });
  if (error === undefined) return true;
  if (turn.stuck || !concernsOneSession(error)) return false;
  turn.worker.backlog.backOff(entry.row.session, turn.worker.source.now() + restTime);
  return true;
}

async function attempt(turn: Turn, action: () => Promise<void>): Promise<ExporterError | undefined> {
  try {
    await action();
    return undefined;
  } catch (thrown) {
    const error = toExporterError(thrown);
    if (turn.stuck) turn.undelivered.push(error);
    else turn.errors.push(error);
    return error;
  }
}

/** Delivers what has been gathered, then remembers it: taken, then remembered. */
async function flush(turn: Turn, signal: AbortSignal): Promise<void> {
  const { worker, builder } = turn;
  const unchanged = !builder.changed;
  const { batch, entries, changed } = builder.finish(worker.source.now());
  const place = (): void => {
    for (const entry of entries) worker.backlog.put(entry);
  };
  if (turn.doubts > 0) return probeReceiver(turn, batch, signal);
  if (unchanged) return place();
  turn.stuck = true;
  const delivered = await deliver(turn, batch, signal);
  if (delivered === undefined) return;
  const { deltas, deadLetters = [] } = delivered;
  turn.deadLetters.push(...deadLetters);
  const rows = changed.map(({ row }) => worker.backlog.toStore(row));
  await worker.pendingCommit.record({ server: worker.server, rows, ...delivered }, () => {
    worker.stored(deltas);
    place();
    worker.recorded?.(worker.sink.name, batch);
  });
  turn.stuck = false;
  turn.taken += batch.events.length;
  turn.corrections += batch.findings.corrections;
}

/** So many batches a turn are tried beyond one that is in doubt; 10,000 refusals in a row are for a person to judge. */
const maxSuspectBatches = 10;

/** Undefined for a batch in doubt: not recorded, and no reason yet to end the turn. */
async function deliver(turn: Turn, batch: Batch, signal: AbortSignal): Promise<Delivered | undefined> {
  try {
    return await turn.worker.sink.deliver(batch, signal);
  } catch (thrown) {
    const error = toExporterError(thrown);
    if (!isSuspectBatch(error) || turn.doubts >= maxSuspectBatches) throw error;
    turn.doubts += 1;
    turn.stuck = false;
    if (turn.doubts === 1) turn.undelivered.push(error);
    return undefined;
  }
}

/**
 * Beyond a batch in doubt nothing is recorded: what is sent shows whether the other side takes anything at all. If it
 * does, the turn ends here, and the next one begins anew with the batch in doubt, to be decided then.
 * @throws {ExporterError} `rejected` when it does.
 */
async function probeReceiver(turn: Turn, batch: Batch, signal: AbortSignal): Promise<void> {
  if (batch.events.length + batch.results.length === 0) return;
  turn.stuck = true;
  const delivered = await deliver(turn, batch, signal);
  if (delivered === undefined) return;
  throw new ExporterError('rejected', 'Could not deliver what the receiver refuses while it takes what is newer');
}
