import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type RejectReason, rejectReasons } from '../model/event.js';
import type { Nanos } from '../model/time.js';
import {
  type StateChange,
  type FactName,
  factNames,
  type CursorRow,
  type Series,
  type SeriesDelta,
  type DeadLetter,
  type SinkName,
  sinkNames,
} from '../pipeline/ports.js';
import { fold, seriesKey } from '../pipeline/series.js';

/** The tables of a state file, as our own words. Synchronous; writes belong into a transaction. */
export interface Tables {
  since(server: string): Readonly<Partial<Record<SinkName, Nanos>>>;
  setSince(server: string, since: Readonly<Partial<Record<SinkName, Nanos>>>): void;
  facts(server: string): Readonly<Partial<Record<FactName, string>>>;
  setFacts(server: string, facts: Readonly<Partial<Record<FactName, string>>>): void;
  rows(server: string, sessions: readonly string[]): readonly CursorRow[];
  pending(server: string, sink: SinkName): readonly CursorRow[];
  putRow(server: string, row: CursorRow): void;
  series(): readonly Series[];
  add(deltas: readonly SeriesDelta[]): void;
  /** The names under which this installation is known. */
  holders(installationId: string): readonly string[];
  /** Puts all that is kept under one name under another. */
  move(move: Moves[number]): void;
  deadLetters(server: string): readonly DeadLetter[];
  putSetAside(server: string, one: DeadLetter): void;
}

type Moves = NonNullable<StateChange['moves']>;

export function sqliteTables(database: DatabaseSync): Tables {
  const columns = 'sink, session, created_at, done, cursor';
  const getSince = database.prepare('SELECT sink, at FROM since WHERE server = ?');
  const putSince = database.prepare('INSERT OR REPLACE INTO since (server, sink, at) VALUES (?, ?, ?)');
  const getFacts = database.prepare('SELECT name, value FROM fact WHERE server = ?');
  const putFact = database.prepare('INSERT OR REPLACE INTO fact (server, name, value) VALUES (?, ?, ?)');
  const getRows = database.prepare(
    `SELECT ${columns} FROM session WHERE server = ? AND session IN (SELECT value FROM json_each(?))`,
  );
  const getPending = database.prepare(`SELECT ${columns} FROM session WHERE server = ? AND sink = ? AND done = 0`);
  const putRow = database.prepare(
    'INSERT OR REPLACE INTO session (server, sink, session, created_at, done, cursor) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const getAllSeries = database.prepare('SELECT key, kind, value, held FROM series');
  const getSeries = database.prepare('SELECT kind, value, held FROM series WHERE key = ?');
  const putSeries = database.prepare('INSERT OR REPLACE INTO series (key, kind, value, held) VALUES (?, ?, ?, ?)');
  return {
    since: server =>
      Object.fromEntries(getSince.all(server).flatMap(({ sink, at }) => (isSink(sink) ? [[sink, integer(at)]] : []))),
    setSince: (server, since) => {
      for (const [sink, at] of Object.entries(since)) putSince.run(server, sink, at);
    },
    facts: server =>
      Object.fromEntries(
        getFacts.all(server).flatMap(({ name, value }) => (isFact(name) ? [[name, text(value)]] : [])),
      ),
    setFacts: (server, facts) => {
      for (const [name, value] of Object.entries(facts)) putFact.run(server, name, value);
    },
    rows: (server, sessions) => getRows.all(server, JSON.stringify(sessions)).flatMap(readRow),
    pending: (server, sink) => getPending.all(server, sink).flatMap(readRow),
    putRow: (server, { sink, session, createdAt, done, cursor }) =>
      void putRow.run(server, sink, session, createdAt, done ? 1 : 0, cursor),
    series: () => getAllSeries.all().map(readSeries),
    add: deltas => {
      for (const delta of deltas) {
        const key = seriesKey(delta);
        const known = getSeries.get(key);
        const series = fold(known === undefined ? undefined : seriesOf(delta.family, delta.labels, known), delta);
        putSeries.run(key, series.kind, writeValue(series), writeHeld(series));
      }
    },
    ...setAsideIn(database),
    ...keptUnder(database),
  };
}

/** What was set aside. */
function setAsideIn(database: DatabaseSync): Pick<Tables, 'deadLetters' | 'putSetAside'> {
  const getSetAside = database.prepare('SELECT sink, session, event, reason, at FROM set_aside WHERE server = ?');
  const putSetAside = database.prepare(
    'INSERT OR REPLACE INTO set_aside (server, sink, session, event, reason, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return {
    deadLetters: server => getSetAside.all(server).flatMap(readSetAside),
    putSetAside: (server, { sink, session, event, reason, at }) =>
      void putSetAside.run(server, sink, session, event, reason, at),
  };
}

/** What is kept under which name. */
function keptUnder(database: DatabaseSync): Pick<Tables, 'holders' | 'move'> {
  const getHolders = database.prepare("SELECT server FROM fact WHERE name = 'installationId' AND value = ?");
  const moves = ['session', 'since', 'fact', 'set_aside'].map(table =>
    database.prepare(`UPDATE OR REPLACE ${table} SET server = ? WHERE server = ?`),
  );
  return {
    holders: installationId => getHolders.all(installationId).map(({ server }) => text(server)),
    move: ({ from, to }) => {
      for (const move of moves) move.run(to, from);
    },
  };
}

type Columns = Readonly<Record<string, SQLOutputValue>>;

const isSink = (value: SQLOutputValue | undefined): value is SinkName => sinkNames.some(name => name === value);
const isFact = (value: SQLOutputValue | undefined): value is FactName => factNames.some(name => name === value);
const isReason = (value: SQLOutputValue | undefined): value is RejectReason =>
  rejectReasons.some(name => name === value);
const text = (value: SQLOutputValue | undefined): string => (typeof value === 'string' ? value : '');
const integer = (value: SQLOutputValue | undefined): bigint => (typeof value === 'bigint' ? value : 0n);

/** Rows of a sink that this version does not have are left alone. */
function readRow({ sink, session, created_at: createdAt, done, cursor }: Columns): readonly CursorRow[] {
  if (!isSink(sink)) return [];
  return [{ sink, session: text(session), createdAt: integer(createdAt), done: done === 1n, cursor: text(cursor) }];
}

/** Rows of a sink or a reason that this version does not have are left alone. */
function readSetAside({ sink, session, event, reason, at }: Columns): readonly DeadLetter[] {
  if (!isSink(sink) || !isReason(reason)) return [];
  return [{ sink, session: text(session), event: text(event), reason, at: integer(at) }];
}

/** Numbers of a series as text, exact whatever their size: `7`, or `sum;count,count,...` for a histogram. */
function writeValue(series: Series): string {
  if (series.kind === 'counter') return String(series.value);
  if (series.kind === 'latest') return String(series.at);
  return `${String(series.sumTicks)};${series.counts.join(',')}`;
}

const writeHeld = (series: Series): string => String(series.kind === 'counter' ? (series.held ?? 0n) : 0n);

function readSeries(columns: Columns): Series {
  const [family = '', ...labels] = readKey(text(columns['key']));
  return seriesOf(family, labels, columns);
}

function seriesOf(family: string, labels: readonly string[], { kind, value, held }: Columns): Series {
  if (kind === 'counter') return { family, labels, kind, value: BigInt(text(value)), ...readHeld(text(held)) };
  if (kind === 'latest') return { family, labels, kind, at: BigInt(text(value)) };
  const [sum = '0', counts = ''] = text(value).split(';');
  return { family, labels, kind: 'histogram', sumTicks: BigInt(sum), counts: counts.split(',').map(BigInt) };
}

const readHeld = (held: string): Readonly<{ held?: bigint }> => (held === '0' ? {} : { held: BigInt(held) });

function readKey(key: string): readonly string[] {
  const parts: unknown = JSON.parse(key);
  return Array.isArray(parts) ? parts.map(String) : [];
}
