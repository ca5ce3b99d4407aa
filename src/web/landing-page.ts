/** An open restore session, without names of persons or items. */
export type OpenSession = Readonly<{ id: string; ageMs: number; /** Events counted so far. */ events: number }>;

/** A failed event, without its content. */
export type FailedEvent = Readonly<{ server: string; id: string; type: string; /** ISO 8601. */ at: string }>;

/** One server on the page. */
export type ServerStatus = Readonly<{
  name: string;
  /** Scheme, host and port. */
  origin: string;
  state: 'up' | 'down' | 'unknown';
  /** Why the last poll failed, in one sentence; `''` when it succeeded. */
  error: string;
  /** `''` until known. */
  apiVersion: string;
  /** Product version; `''` where the server does not report it. */
  version: string;
  /** Milliseconds since the last complete poll; undefined before the first. */
  lastPollAgoMs: number | undefined;
  /** As of the last poll that could read them; undefined until known. */
  open: readonly OpenSession[] | undefined;
  /** Sessions that each sink still has to read. */
  sinks: ReadonlyArray<Readonly<{ name: string; backlog: number }>>;
}>;

/** Everything on the page. No person, item or path. */
export type Status = Readonly<{
  /** Version of the exporter. */
  version: string;
  /** Time of this status, ISO 8601. */
  at: string;
  servers: readonly ServerStatus[];
  /** Of all servers, latest first. */
  failed: readonly FailedEvent[];
}>;

/** The page at `/`. Links are relative, so that it also works under a path prefix of a proxy. */
export function landingPage({ version, at, servers, failed }: Status, metricsPath: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>vb365-exporter</title>
        <link rel="icon" href="./icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="./style.css" />
      </head>
      <body>
        <main>
          <h1>vb365-exporter <small class="note">${version}</small></h1>
          <p>Prometheus metrics, OpenTelemetry logs and traces of restore sessions in Veeam Backup for Microsoft 365</p>
          <nav aria-label="Endpoints">
            <a href=".${metricsPath}">Metrics</a>
            <a href="./-/healthy">Health</a>
            <a href="./-/ready">Readiness</a>
          </nav>
          ${summary(servers)} ${serverTable(servers)} ${sessionTable(servers)} ${failedTable(failed)}
          <p class="note">Counts are in the metrics; names and items are in the log records, if logs are enabled.</p>
          <p class="note">As of ${moment(at)} UTC. Reload the page to update it.</p>
        </main>
      </body>
    </html> `.safe;
}

function summary(servers: readonly ServerStatus[]): Html {
  const { up = [], down = [] } = Object.groupBy(servers, ({ state }) => state);
  const open = servers.reduce((sum, server) => sum + (server.open?.length ?? 0), 0);
  return html`<p class="summary">
    ${up.length} of ${servers.length} servers up,
    <span class="${down.length > 0 ? 'down' : ''}">${down.length} down</span>, ${open} sessions open
  </p>`;
}

const urgency = { down: 0, unknown: 1, up: 2 } as const;

/** Servers that need attention first, then in the order of the configuration. */
const serverTable = (servers: readonly ServerStatus[]): Html =>
  table('Servers', {
    empty: 'None',
    columns: ['Server', 'State', 'Version', 'Last complete poll', 'Open sessions', 'Backlog (sessions)'],
    rows: servers
      .toSorted((a, b) => urgency[a.state] - urgency[b.state])
      .map(server => [
        html`<strong>${server.name}</strong><br /><span class="origin">${server.origin}</span>`,
        html`<span class="${server.state}">${server.state}</span>${below('reason', server.error)}`,
        html`${server.version || apiOf(server)}${below('origin', server.version && apiOf(server))}`,
        server.lastPollAgoMs === undefined ? 'never' : `${duration(server.lastPollAgoMs)} ago`,
        server.open?.length ?? 'unknown',
        server.sinks.map(({ name, backlog }) => `${name}: ${String(backlog)}`).join(', '),
      ]),
  });

const apiOf = ({ apiVersion }: ServerStatus): string => (apiVersion === '' ? 'unknown' : `API ${apiVersion}`);

const below = (name: string, text: string): Html =>
  text === '' ? html`` : html`<br /><span class="${name}">${text}</span>`;

const mostSessions = 20;

function sessionTable(servers: readonly ServerStatus[]): Html {
  const sessions = servers
    .flatMap(({ name, open = [] }) => open.map(session => ({ ...session, server: name })))
    .toSorted((a, b) => b.ageMs - a.ageMs);
  const more = sessions.length - mostSessions;
  return table('Open restore sessions', {
    empty: 'None known',
    columns: ['Session', 'Server', 'Age', 'Events'],
    rows: sessions
      .slice(0, mostSessions)
      .map(({ id, server, ageMs, events }) => [html`<code>${id}</code>`, server, duration(ageMs), events]),
    note: more > 0 ? `The oldest ${String(mostSessions)}; ${String(more)} more are open.` : '',
  });
}

const failedTable = (failed: readonly FailedEvent[]): Html =>
  table('Last failed events', {
    empty: 'None since the exporter started',
    columns: ['Event', 'Server', 'Type', 'Time (UTC)'],
    rows: failed.map(({ server, id, type, at }) => [html`<code>${id}</code>`, server, type, moment(at)]),
    note: 'This list is kept in memory and is empty after a restart; the counters are not.',
  });

/** `empty` stands in for a table without rows. The first cell of a row is its header. */
type Table = Readonly<{ columns: readonly string[]; rows: readonly Value[][]; empty: string; note?: string }>;

/** A table under a heading. Narrow screens show it as a list; the roles keep it a table for screen readers. */
const table = (title: string, { columns, rows, empty, note = '' }: Table): Html =>
  html`<h2>${title}</h2>
    ${
      rows.length === 0
        ? html`<p>${empty}</p>`
        : html`<table role="table" aria-label="${title}">
            <thead role="rowgroup">
              <tr role="row">
                ${columns.map(column => html`<th role="columnheader" scope="col">${column}</th>`)}
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${rows.map(
                ([head = '', ...cells]) =>
                  html`<tr role="row">
                    <th role="rowheader" scope="row">${head}</th>
                    ${cells.map((cell, index) => html`<td role="cell" data-label="${columns[index + 1] ?? ''}"><div>${cell}</div></td>`)}
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    <p class="note">${note}</p>`;

/** `2026-11-25 08:59:59` for an ISO 8601 time in UTC. */
const moment = (iso: string): Html => html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;

/** Milliseconds in the largest unit of which there are at least two; else in seconds. */
function duration(ms: number): string {
  const units = Object.entries({ d: 86_400_000, h: 3_600_000, min: 60_000 });
  const [unit, unitMs] = units.find(([, size]) => ms >= 2 * size) ?? ['s', 1000];
  return `${String(Math.max(0, Math.floor(ms / unitMs)))} ${unit}`;
}

/** HTML that is safe to send; made by `html` alone. */
type Html = Readonly<{ safe: string }>;

/** What a template may hold. */
type Value = string | number | Html | readonly Html[];

/** A template as HTML. Each value is escaped, for text and for quoted attributes, unless it is `Html`. */
function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { safe: parts.map((part, index) => part + escaped(values[index] ?? '')).join('') };
}

function escaped(value: Value): string {
  if (typeof value === 'object') return 'safe' in value ? value.safe : value.map(escaped).join('');
  return String(value).replace(/[&<>"']/g, character => `&#${String(character.charCodeAt(0))};`);
}
