import { type Html, html } from './html.js';

/** What the page shows of one server. */
export type ServerStatus = Readonly<{
  name: string;
  /** Scheme, host and port. */
  origin: string;
  state: 'up' | 'down' | 'unknown';
  /** Why the last turn failed, in one sentence; `''` when it did not. */
  error: string;
  /** `''` until the server has told. */
  apiVersion: string;
  /** Milliseconds since the last complete turn; undefined before the first. */
  lastTurnAgoMs: number | undefined;
  /** Undefined until known. */
  openSessions: number | undefined;
  /** Sessions that each sink still has to read. */
  sinks: ReadonlyArray<Readonly<{ name: string; backlog: number }>>;
}>;

/** What the page shows. No person, item or path. */
export type Status = Readonly<{
  /** The program's name and version. */
  name: string;
  version: string;
  servers: readonly ServerStatus[];
}>;

/** The page at `/`, for people. Links are relative, so that it also works behind a proxy's path. */
export function statusPage(status: Status, metricsPath: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${status.name}</title>
        <link rel="stylesheet" href="./style.css" />
      </head>
      <body>
        <header><h1>${status.name}</h1></header>
        <main>
          <p>Prometheus metrics and OpenTelemetry logs of restore sessions in Veeam Backup for Microsoft 365</p>
          <p>Version: ${status.version}</p>
          <ul>
            <li><a href=".${metricsPath}">Metrics</a></li>
            <li><a href="./-/healthy">Health</a></li>
            <li><a href="./-/ready">Readiness</a></li>
          </ul>
          <h2>Servers</h2>
          ${serverTable(status.servers)}
        </main>
      </body>
    </html> `.text;
}

const columns = ['Server', 'State', 'API', 'Last complete turn', 'Open sessions', 'Backlog (sessions)'] as const;

function serverTable(servers: readonly ServerStatus[]): Html {
  if (servers.length === 0) return html`<p>None</p>`;
  return html`<table>
    <thead>
      <tr>
        ${columns.map(column => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${servers.map(serverRow)}
    </tbody>
  </table>`;
}

function serverRow(server: ServerStatus): Html {
  const cells = [
    html`<strong>${server.name}</strong><br /><span class="origin">${server.origin}</span>`,
    html`<span class="${server.state}">${server.state}</span>${reason(server.error)}`,
    html`${server.apiVersion === '' ? 'unknown' : server.apiVersion}`,
    html`${server.lastTurnAgoMs === undefined ? 'never' : ago(server.lastTurnAgoMs)}`,
    html`${server.openSessions ?? 'unknown'}`,
    html`${server.sinks.map(({ name, backlog }) => `${name}: ${String(backlog)}`).join(', ')}`,
  ];
  return html`<tr>
    ${cells.map((cell, index) => html`<td data-label="${columns[index] ?? ''}">${cell}</td>`)}
  </tr> `;
}

const reason = (error: string): Html => (error === '' ? html`` : html`<br /><span class="reason">${error}</span>`);

const scales = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** How long ago, in the largest unit of which it is at least two, so that it is never off by half; else seconds. */
function ago(ms: number): string {
  const [unitMs, unit] = scales.find(([scaleMs]) => ms >= 2 * scaleMs) ?? [1000, 's'];
  return `${String(Math.max(0, Math.floor(ms / unitMs)))} ${unit} ago`;
}

/** The page's look: that of the landing pages of Prometheus exporters, light or dark as the reader has it. */
export const styleSheet = `:root { color-scheme: light dark; --line: light-dark(#ccc, #555); --soft: light-dark(#555, #aaa); }
* { box-sizing: border-box; }
body { margin: 0; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; line-height: 1.5; }
header { background: #e6522c; color: #fff; padding: 0.5rem 1rem; }
h1 { margin: 0; font-size: 1.6rem; font-weight: 600; }
main { padding: 0.5rem 1rem 2rem; max-width: 80rem; }
a { color: light-dark(#b03a17, #ff8f6e); }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.5rem 0.75rem 0.5rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.origin, .reason, .unknown { color: var(--soft); }
.up, .down { font-weight: 600; }
.up { color: light-dark(#1a7f37, #4ac26b); }
.down { color: light-dark(#b3261e, #ff8a80); }
@media (max-width: 45rem) {
  thead { display: none; }
  table, tbody, tr, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: 0.75rem 0; }
  td { border: 0; padding: 0.2rem 0; }
  td::before { content: attr(data-label) ": "; color: var(--soft); }
  td:first-child::before { content: none; }
}
`;
