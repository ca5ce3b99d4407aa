import type { ServerConfig } from './config/parse.js';
import type { Clock } from './kernel/clock.js';
import type { Observer } from './pipeline/line.js';
import type { SinkName } from './pipeline/ports.js';
import type { ServerStatus } from './web/page.js';

/** Keeps what the page shows of one server. */
export interface ServerWatch {
  readonly observer: Observer;
  /** A turn has been tried, whatever came of it. */
  tried(): boolean;
  view(): ServerStatus;
}

export function watchServer({ name, url }: ServerConfig, sinks: readonly SinkName[], clock: Clock): ServerWatch {
  let seen: Omit<ServerStatus, 'name' | 'origin' | 'sinks' | 'lastTurnAgoMs'> = {
    state: 'unknown',
    error: '',
    apiVersion: '',
    openSessions: undefined,
  };
  let lastTurnMs: number | undefined;
  const backlogs = new Map(sinks.map(sink => [sink, 0]));
  return {
    observer: {
      arrived: () => undefined,
      met: ({ apiVersion }) => {
        seen = { ...seen, apiVersion };
      },
      discovered: ({ result, error }, open) => {
        if (result === 'complete') lastTurnMs = clock.monotonic();
        if (error === undefined) seen = { ...seen, state: 'up', error: '', openSessions: open.length };
        else seen = { ...seen, state: error.reason === 'store' ? 'up' : 'down', error: error.message };
      },
      feed: () => undefined,
      delivered: (sink, _, backlog) => {
        backlogs.set(sink, backlog);
      },
    },
    tried: () => seen.state !== 'unknown',
    view: () => ({
      ...seen,
      name,
      origin: url.origin,
      lastTurnAgoMs: lastTurnMs === undefined ? undefined : clock.monotonic() - lastTurnMs,
      sinks: [...backlogs].map(([sink, backlog]) => ({ name: sink, backlog })),
    }),
  };
}
