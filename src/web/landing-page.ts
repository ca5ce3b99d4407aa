import { duration } from './duration.js';
import { type Html, html } from './html.js';
import { tableOf } from './table.js';

/** A restore session that somebody has open, without who and what. */
export type OpenSession = Readonly<{ id: string; ageMs: number; /** Events taken so far. */ events: number }>;

/** An event that failed: which one, of what type, and when; nothing of what it says. */
export type FailedEvent = Readonly<{ server: string; id: string; type: string; /** ISO 8601. */ at: string }>;

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
  /** Of the product; `''` where the server does not say. */
  version: string;
  /** Milliseconds since the last complete turn; undefined before the first. */
  lastTurnAgoMs: number | undefined;
  /** As of the last turn that could read them; undefined until known. */
  open: readonly OpenSession[] | undefined;
  /** Sessions that each sink still has to read. */
  sinks: ReadonlyArray<Readonly<{ name: string; backlog: number }>>;
}>;

/** What the page shows. No person, item or path. */
export type Status = Readonly<{
  /** The program's name and version. */
  name: string;
  version: string;
  /** When this was so, ISO 8601. */
  at: string;
  servers: readonly ServerStatus[];
  /** Of all servers, latest first. */
  failed: readonly FailedEvent[];
}>;

/** The page at `/`, for people. Links are relative, so that it also works behind a proxy's path. */
export function statusPage(status: Status, metricsPath: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${status.name}</title>
        <link rel="icon" href="./icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="./style.css" />
      </head>
      <body>
        <header>
          <div>
            <h1>${status.name}</h1>
            <span class="note">Version ${status.version}</span>
          </div>
        </header>
        <main>
          <p>Prometheus metrics, OpenTelemetry logs and traces of restore sessions in Veeam Backup for Microsoft 365</p>
          ${links(metricsPath)} ${summary(status.servers)}
          <h2>Servers</h2>
          ${serverTable(status.servers)}
          <h2>Open restore sessions</h2>
          ${sessionTable(status.servers)}
          <h2>Last failed events</h2>
          ${failedTable(status.failed)}
          <p class="note">Who and what is in the logs, if they are switched on; counts are in the metrics.</p>
          <p class="note">
            As of <time datetime="${status.at}">${moment(status.at)} UTC</time>. Reload to see it anew.
          </p>
        </main>
      </body>
    </html> `.text;
}

const links = (metricsPath: string): Html =>
  html`<nav aria-label="Endpoints">
    <ul>
      <li><a href=".${metricsPath}">Metrics</a></li>
      <li><a href="./-/healthy">Health</a></li>
      <li><a href="./-/ready">Readiness</a></li>
    </ul>
  </nav>`;

function summary(servers: readonly ServerStatus[]): Html {
  const counted = (state: ServerStatus['state']): number => servers.filter(server => server.state === state).length;
  const facts = [
    [`of ${String(servers.length)} servers up`, counted('up'), ''],
    ['servers down', counted('down'), counted('down') > 0 ? 'alarming' : ''],
    ['sessions open', servers.reduce((sum, { open = [] }) => sum + open.length, 0), ''],
  ] as const;
  return html`<dl class="summary">
    ${facts.map(
      ([term, count, look]) =>
        html`<div>
          <dt>${term}</dt>
          <dd class="${look}">${count}</dd>
        </div>`,
    )}
  </dl>`;
}

const urgency = { down: 0, unknown: 1, up: 2 } as const;

/** What is wrong comes first; beyond that the order of the configuration stays. */
function serverTable(servers: readonly ServerStatus[]): Html {
  if (servers.length === 0) return html`<p>None</p>`;
  return tableOf({
    caption: 'Servers',
    columns: ['Server', 'State', 'Version', 'Last complete turn', 'Open sessions', 'Backlog (sessions)'],
    rows: servers.toSorted((a, b) => urgency[a.state] - urgency[b.state]).map(serverRow),
  });
}

const serverRow = (server: ServerStatus): readonly Html[] => [
  html`<strong>${server.name}</strong><br /><span class="origin">${server.origin}</span>`,
  html`<span class="${server.state}">${server.state}</span>${below('reason', server.error)}`,
  html`${server.version === '' ? apiOf(server) : server.version}${below('origin', server.version && apiOf(server))}`,
  html`${server.lastTurnAgoMs === undefined ? 'never' : `${duration(server.lastTurnAgoMs)} ago`}`,
  html`${server.open?.length ?? 'unknown'}`,
  html`${server.sinks.map(({ name, backlog }) => `${name}: ${String(backlog)}`).join(', ')}`,
];

const apiOf = ({ apiVersion }: ServerStatus): string => (apiVersion === '' ? 'unknown' : `API ${apiVersion}`);

const below = (name: string, text: string): Html =>
  text === '' ? html`` : html`<br /><span class="${name}">${text}</span>`;

/** So many open sessions are shown, so that a busy day makes no endless page. */
const mostSessions = 20;

function sessionTable(servers: readonly ServerStatus[]): Html {
  const all = servers
    .flatMap(({ name, open = [] }) => open.map(session => ({ ...session, server: name })))
    .toSorted((a, b) => b.ageMs - a.ageMs);
  if (all.length === 0) return html`<p>None that we know of.</p>`;
  const rows = all
    .slice(0, mostSessions)
    .map(({ id, server, ageMs, events }) => [
      html`<code>${id}</code>`,
      html`${server}`,
      html`${duration(ageMs)}`,
      html`${events}`,
    ]);
  const more = all.length - rows.length;
  return html`${tableOf({ caption: 'Open restore sessions', columns: ['Session', 'Server', 'Age', 'Events taken'], rows })}
  ${more > 0 ? html`<p class="note">The oldest ${rows.length}; ${more} more are open.</p>` : html``}`;
}

function failedTable(failed: readonly FailedEvent[]): Html {
  const rows = failed.map(({ server, id, type, at }) => [
    html`<code>${id}</code>`,
    html`${server}`,
    html`${type}`,
    html`<time datetime="${at}">${moment(at)}</time>`,
  ]);
  const table = tableOf({ caption: 'Last failed events', columns: ['Event', 'Server', 'Type', 'Time (UTC)'], rows });
  return html`${rows.length === 0 ? html`<p>None since this start.</p>` : table}
    <p class="note">Kept in memory: the list begins empty at each start of the exporter, the counters do not.</p>`;
}

/** An ISO 8601 time in UTC to the second, for reading. */
const moment = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
