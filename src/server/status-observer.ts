import type { ServerConfig } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import { eventStatuses } from '../model/event.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import type { Backlog } from '../pipeline/backlog.js';
import type { Tally } from '../pipeline/cursor.js';
import type { SinkName, Source } from '../pipeline/ports.js';
import type { OpenSession, ServerStatus } from '../web/landing-page.js';
import type { ServerObserver } from './observer.js';
import type { RecentFailures } from './recent-failures.js';

/** `clock`: for the time since the last poll; `source`: for the age of sessions, by the server's clock. */
type StatusDeps = Readonly<{
  clock: Pick<Clock, 'monotonic'>;
  source: Pick<Source, 'now'>;
  failures: RecentFailures;
}>;

type Reachability = Pick<ServerStatus, 'state' | 'error' | 'apiVersion' | 'version'>;

/** Keeps what the landing page shows of one server. */
export interface StatusObserver extends Omit<Required<ServerObserver>, 'installationChanged' | 'feed'> {
  /** Whether a poll has ended, with or without success. */
  polled(): boolean;
  view(): ServerStatus;
}

export function statusObserver(
  { name, url }: ServerConfig,
  sinks: readonly SinkName[],
  { clock, source, failures }: StatusDeps,
): StatusObserver {
  let connection: Reachability = { state: 'unknown', error: '', apiVersion: '', version: '' };
  let openSessions: readonly Session[] | undefined;
  let counted: Pick<Backlog, 'get'> | undefined;
  let lastPollMs: number | undefined;
  const backlogs = new Map(sinks.map(sink => [sink, 0]));
  const shown = ({ id, createdAt }: Session): OpenSession => ({
    id,
    ageMs: toSeconds(source.now() - createdAt) * 1000,
    events: eventsOf(counted?.get(id)?.cursor.tally ?? {}),
  });
  return {
    identified: ({ apiVersion, version }) => {
      connection = { ...connection, apiVersion, version };
    },
    discovered: ({ result, error }, open) => {
      if (result === 'complete') lastPollMs = clock.monotonic();
      if (error === undefined) openSessions = open;
      if (error === undefined) connection = { ...connection, state: 'up', error: '' };
      else connection = { ...connection, state: error.reason === 'store' ? 'up' : 'down', error: error.message };
    },
    delivered: (sink, { due }) => void backlogs.set(sink, due),
    opened: (sink, backlog) => {
      if (sink === 'metrics') counted = backlog;
    },
    committed: (sink, batch) => {
      if (sink === 'metrics') failures.note(name, batch);
    },
    polled: () => connection.state !== 'unknown',
    view: () => ({
      ...connection,
      name,
      origin: url.origin,
      lastPollAgoMs: lastPollMs === undefined ? undefined : clock.monotonic() - lastPollMs,
      open: openSessions?.map(shown),
      sinks: [...backlogs].map(([sink, backlog]) => ({ name: sink, backlog })),
    }),
  };
}

/** Events with a final status, without rejected rows and duplicates. */
const eventsOf = (tally: Tally): number =>
  [...eventStatuses, 'other' as const].reduce((sum, status) => sum + (tally[status] ?? 0), 0);
