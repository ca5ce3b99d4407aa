import type { ServerConfig } from '../config/parse.js';
import { eventStatuses } from '../model/event.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import type { Clock } from '../kernel/clock.js';
import type { Backlog } from '../pipeline/backlog.js';
import type { Tally } from '../pipeline/cursor.js';
import type { ServerObserver } from './run.js';
import type { SinkName, Source } from '../pipeline/ports.js';
import type { OpenSession, ServerStatus } from '../web/landing-page.js';

/** Keeps what the page shows of one server. */
export interface StatusObserver {
  readonly observer: ServerObserver;
  /** A worker of the server has begun; its backlog says what has been taken of each open session. */
  opened(sink: SinkName, backlog: Pick<Backlog, 'get'>): void;
  /** A turn has been tried, whatever came of it. */
  tried(): boolean;
  view(): ServerStatus;
}

type Seen = Pick<ServerStatus, 'state' | 'error' | 'apiVersion' | 'version'>;

/** Ours says how long ago a turn was; that of the server, how old its sessions are. */
export type Clocks = Readonly<{ ours: Pick<Clock, 'monotonic'>; server: Pick<Source, 'now'> }>;

export function statusObserver(
  { name, url }: ServerConfig,
  sinks: readonly SinkName[],
  clocks: Clocks,
): StatusObserver {
  const { ours, server } = clocks;
  let seen: Seen = { state: 'unknown', error: '', apiVersion: '', version: '' };
  let open: readonly Session[] | undefined;
  let counted: Pick<Backlog, 'get'> | undefined;
  let lastTurnMs: number | undefined;
  const backlogs = new Map(sinks.map(sink => [sink, 0]));
  const shown = ({ id, createdAt }: Session): OpenSession => ({
    id,
    ageMs: toSeconds(server.now() - createdAt) * 1000,
    events: eventsOf(counted?.get(id)?.cursor.tally ?? {}),
  });
  return {
    observer: {
      installationChanged: () => undefined,
      met: ({ apiVersion, version }) => {
        seen = { ...seen, apiVersion, version };
      },
      discovered: ({ result, error }, listed) => {
        if (result === 'complete') lastTurnMs = ours.monotonic();
        if (error === undefined) open = listed;
        if (error === undefined) seen = { ...seen, state: 'up', error: '' };
        else seen = { ...seen, state: error.reason === 'store' ? 'up' : 'down', error: error.message };
      },
      feed: () => undefined,
      delivered: (sink, { due }) => {
        backlogs.set(sink, due);
      },
    },
    opened: (sink, backlog) => {
      if (sink === 'metrics') counted = backlog;
    },
    tried: () => seen.state !== 'unknown',
    view: () => ({
      ...seen,
      name,
      origin: url.origin,
      lastPollAgoMs: lastTurnMs === undefined ? undefined : ours.monotonic() - lastTurnMs,
      open: open?.map(shown),
      sinks: [...backlogs].map(([sink, backlog]) => ({ name: sink, backlog })),
    }),
  };
}

/** Events in a final status; neither those set aside nor repetitions. */
const eventsOf = (tally: Tally): number =>
  [...eventStatuses, 'other' as const].reduce((sum, status) => sum + (tally[status] ?? 0), 0);
