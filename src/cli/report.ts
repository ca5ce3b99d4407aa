import { ExporterError } from '../kernel/errors.js';
import type { HistoryPart, Window } from '../history/reader.js';
import { Overdue, overdueColumns } from '../history/overdue.js';
import {
  isItem,
  itemColumns,
  itemRow,
  printed,
  type Row,
  sessionColumns,
  SessionSummary,
  totalColumns,
  Totals,
} from '../history/report.js';
import { csvLine, htmlPage, readableTime, type ReportTable } from '../history/report-format.js';
import type { reportFormats, reportTables } from '../history/report-names.js';
import { formatInstant, milliseconds } from '../model/time.js';
import type { Origin } from '../otlp/log-record.js';
import { origins } from '../otlp/sinks.js';
import { writeOutput, type WriteLines } from './output.js';
import { chosenServers, type PastFlags, type PastReading, readPast, untilStopped } from './past.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

type ReportFlags = PastFlags &
  Readonly<{
    format: (typeof reportFormats)[number];
    /** The table of a CSV file, which has only one. */
    table: (typeof reportTables)[number];
    items: boolean;
    /** In ms; undefined: the length of the window. */
    restoredWithin?: number;
    out?: string;
  }>;

/** The tables of a report. Rows are written as they come; the others are complete when everything was read. */
type ReportTables = Readonly<{ items: boolean; writeRow: (row: Row) => void; totals: Totals; overdue: Overdue }>;

/** Writes who restored what of whom, from the history of the servers. */
export async function report(flags: ReportFlags, terminal: Terminal): Promise<ExitCode> {
  if (flags.format !== 'csv' && flags.table !== 'rows')
    throw new ExporterError('config', `Could not use "--table": ${flags.format} holds every table`);
  return untilStopped(terminal, async () => writeReport(flags, terminal));
}

async function writeReport(flags: ReportFlags, terminal: Terminal): Promise<ExitCode> {
  const { config, servers } = chosenServers(flags, terminal);
  const originFor = await origins(config, terminal.version);
  await writeOutput(flags.out, terminal, async writeLines => {
    const document = { csv: csvReport, json: jsonReport, html: htmlReport }[flags.format](flags, writeLines);
    const overdue = new Overdue();
    const tables: ReportTables = { items: flags.items, writeRow: document.writeRow, totals: new Totals(), overdue };
    const windows: ServerWindow[] = [];
    const needsOverdue = flags.format !== 'csv' || flags.table === 'overdue';
    await readPast(servers, flags, terminal, {
      listed: (server, session) => overdue.listed(server, session),
      read: async reading => {
        const { server, window } = reading;
        overdue.begin(server.name, restoredSince(window, flags));
        windows.push({ server: server.name, from: formatInstant(window.from), to: formatInstant(window.to) });
        await readInto(tables, reading, originFor(server, config.personalData));
        if (needsOverdue) overdue.backedUp(server.name, await reading.source.organizations(reading.signal));
      },
    });
    document.end({ windows, totals: tables.totals.rows(), overdue: overdue.rows() });
  });
  return exitCodes.stopped;
}

/** @throws {ExporterError} `config` when that is before the window. */
function restoredSince({ from, to }: Window, { restoredWithin }: ReportFlags): bigint {
  const since = restoredWithin === undefined ? from : to - milliseconds(restoredWithin);
  if (since >= from) return since;
  throw new ExporterError('config', 'Could not use "--restored-within": it is longer than the window');
}

async function readInto(tables: ReportTables, reading: PastReading, origin: Origin): Promise<void> {
  const server = reading.server.name;
  let summary = new SessionSummary();
  for await (const part of reading.parts) {
    for (const taken of part.events) {
      tables.overdue.add(server, taken);
      summary.add(taken, origin);
      if (tables.items && isItem(taken)) tables.writeRow(itemRow(server, taken, origin));
    }
    if (part.end === undefined) continue;
    await addSession(tables, reading, { ...part, end: part.end }, { summary, origin });
    summary = new SessionSummary();
  }
}

type LastPart = HistoryPart & Required<Pick<HistoryPart, 'end'>>;

/** Adds a session of which something happened in the window. */
async function addSession(
  { items, writeRow, totals }: ReportTables,
  { server, source, window, signal }: PastReading,
  part: LastPart,
  { summary, origin }: Readonly<{ summary: SessionSummary; origin: Origin }>,
): Promise<void> {
  const { session, end } = part;
  if (summary.counts.items === 0 && !end.stopped && !session.open) return;
  // The server counts the whole session.
  const isWhole = end.stopped && session.createdAt >= window.from;
  const expected = isWhole && !items ? await source.statistics(session.id, signal) : undefined;
  const row = summary.row(server.name, session, { origin, expected, unfinished: end.unfinished });
  totals.add(row, summary.counts);
  if (!items) writeRow(row);
}

/** The part of a server's history in the report, ISO 8601. */
type ServerWindow = Readonly<{ server: string; from: string; to: string }>;

type Summary = Readonly<{ windows: readonly ServerWindow[]; totals: readonly Row[]; overdue: readonly Row[] }>;
/** A report that grows row by row. */
type Document = Readonly<{ writeRow: (row: Row) => void; end: (summary: Summary) => void }>;

const rowColumns = ({ items }: ReportFlags): readonly string[] => (items ? itemColumns : sessionColumns);

function csvReport(flags: ReportFlags, writeLines: WriteLines): Document {
  const columns = { rows: rowColumns(flags), totals: totalColumns, overdue: overdueColumns }[flags.table];
  let before = `${columns.join(',')}\n`;
  const write = (row: Row): void => {
    writeLines(before + csvLine(columns, row));
    before = '';
  };
  return {
    writeRow: row => void (flags.table === 'rows' && write(row)),
    end: summary => {
      if (flags.table !== 'rows') summary[flags.table].forEach(write);
      if (before !== '') writeLines(before.trimEnd());
    },
  };
}

/** One object; each row is on a separate line. */
function jsonReport(_flags: ReportFlags, writeLines: WriteLines): Document {
  let before = '{"rows":[\n';
  return {
    writeRow: row => {
      writeLines(before + JSON.stringify(row));
      before = ',';
    },
    end: ({ windows, totals, overdue }) => {
      const rest = JSON.stringify({ totals, overdue, windows }, undefined, 1);
      writeLines(`${before === ',' ? '' : before}],\n${rest.slice(2)}`);
    },
  };
}

/** A browser cannot show more, and nobody prints it. */
const mostHtmlRows = 50_000;

function htmlReport(flags: ReportFlags, writeLines: WriteLines): Document {
  const rows: Row[] = [];
  return {
    writeRow: row => {
      if (rows.length === mostHtmlRows)
        throw new ExporterError(
          'rejected',
          `Could not write more than ${String(mostHtmlRows)} rows as HTML: choose csv, or a shorter window`,
        );
      rows.push(row);
    },
    end: ({ windows, totals, overdue }) => {
      writeLines(
        htmlPage('Restores in Veeam Backup for Microsoft 365', about(windows), [
          ...['organization', 'initiator', 'result'].map(by => totalsBy(by, totals)),
          { title: overdueTitle(flags), columns: overdueColumns, rows: overdue },
          { title: flags.items ? 'Items' : 'Sessions', columns: printed(rowColumns(flags)), rows },
        ]),
      );
    },
  };
}

/** The window of each server for people. */
const about = (windows: readonly ServerWindow[]): readonly string[] => [
  ...windows.map(
    ({ server, from, to }) =>
      `${server}: ${from === beginning ? 'the oldest session' : readableTime(from)} to ${readableTime(to)}`,
  ),
  'All times are UTC.',
];
const beginning = formatInstant(0n);

const totalsBy = (by: string, totals: readonly Row[]): ReportTable => ({
  title: `By ${by}`,
  columns: [by, ...totalColumns.slice(2)],
  rows: totals.filter(total => total['by'] === by).map(total => ({ ...total, [by]: total['value'] })),
});

const overdueTitle = ({ restoredWithin }: ReportFlags): string =>
  restoredWithin === undefined
    ? 'No successful restore in this time'
    : `No successful restore for ${(restoredWithin / 86_400_000).toLocaleString('en')} days`;
