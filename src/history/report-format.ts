import type { Row } from './report.js';

/** A table of a report. */
export type ReportTable = Readonly<{ title: string; columns: readonly string[]; rows: readonly Row[] }>;

/** A spreadsheet takes such a text for a formula (OWASP, "CSV Injection"). */
const formula = /^[=+\-@\t\r\n＝＋－＠]/;

/** Cells in the order of the columns, as RFC 4180. A text that a spreadsheet would take for a formula gets a `'` in front. */
export const csvLine = (columns: readonly string[], row: Row): string =>
  columns.map(column => csvCell(row[column])).join(',');

function csvCell(value: Row[string]): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const harmless = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const htmlEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, found => htmlEscapes[found] ?? '');

const headings = (columns: readonly string[]): string =>
  `<tr>${columns.map(column => `<th>${escaped(column.replaceAll('_', ' '))}</th>`).join('')}</tr>`;

const cells = (columns: readonly string[], row: Row): string =>
  `<tr>${columns.map(column => htmlCell(column, row[column])).join('')}</tr>`;

const timeColumns: ReadonlySet<string> = new Set(['started', 'time', 'last_success', 'last_session']);

/** A time for people, UTC: `2006-01-02 15:04:05`. */
export const readableTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

/** A long text gets more room. */
function htmlCell(column: string, value: Row[string] = ''): string {
  if (typeof value === 'number') return `<td class="n">${value.toLocaleString('en')}</td>`;
  if (timeColumns.has(column)) return `<td class="t">${escaped(readableTime(value))}</td>`;
  return `<td${value.length > 60 ? ' class="w"' : ''}>${escaped(value)}</td>`;
}

/** Columns without a value in any row waste paper. */
const filled = ({ columns, rows }: ReportTable): readonly string[] =>
  columns.filter(column => rows.some(row => row[column] !== undefined && row[column] !== ''));

function htmlTable(table: ReportTable): string {
  const columns = filled(table);
  const body =
    table.rows.length === 0
      ? '<p>None.</p>'
      : [
          `<table><thead>${headings(columns)}</thead><tbody>`,
          ...table.rows.map(row => cells(columns, row)),
          '</tbody></table>',
        ].join('\n');
  return `<h2>${escaped(table.title)}</h2>\n${body}`;
}

/** Landscape, headings on every page, no row cut in two. Browsers shrink what is too wide for paper, but only so far. */
const style = `
  body { font: 10pt/1.4 system-ui, sans-serif; color: #111; margin: 1.5em; }
  h1 { font-size: 16pt; margin: 0; } h2 { font-size: 12pt; margin: 1.6em 0 .4em; }
  table { border-collapse: collapse; font-size: 8pt; }
  th, td { border: 1px solid #bbb; padding: .2em .4em; text-align: left; vertical-align: top; }
  td { overflow-wrap: anywhere; min-width: 5em; max-width: 20em; } td.w { min-width: 16em; }
  th { background: #eee; } td.n, td.t { white-space: nowrap; min-width: 0; font-variant-numeric: tabular-nums; }
  td.n { text-align: right; }
  thead { display: table-header-group; } tr { break-inside: avoid; } h2 { break-after: avoid; }
  @page { size: A4 landscape; margin: 12mm; }
  @media print {
    body { margin: 0; } th, td { font-size: 6.5pt; max-width: none; }
    td { min-width: 5.6em; } td.w { min-width: 12em; } td.n, td.t { min-width: 0; }
  }
`;

/** One page without scripts and without references to other files. */
export const htmlPage = (title: string, about: readonly string[], tables: readonly ReportTable[]): string =>
  [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escaped(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escaped(title)}</h1>`,
    ...about.map(line => `<p>${escaped(line)}</p>`),
    ...tables.map(htmlTable),
    '</body></html>',
  ].join('\n');
