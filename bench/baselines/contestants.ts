import { type Child, hear, start, until } from '../rig/child.js';
import { type Home, startExporter, total } from '../rig/exporter.js';

/** One of those that are compared, running. */
export type Running = Pick<Child, 'usage' | 'stop'> &
  Readonly<{
    /** Resolves once its first poll is over. */
    ready: () => Promise<void>;
    /** Restore events that its counter says; undefined when it has none. */
    counted: () => Promise<number | undefined>;
  }>;

/** Where the server and the receiver are. */
export type Addresses = Readonly<{ url: string; receiver: string }>;

export type Contestant = Readonly<{ name: string; start: (home: Home, addresses: Addresses) => Promise<Running> }>;

const baseline = (name: string, script: string, flags: readonly string[] = []): Contestant => ({
  name,
  start: async (_, { url, receiver }) => {
    const child = start(`baselines/${script}`, ['--url', url, '--to', receiver, ...flags]);
    return {
      usage: child.usage,
      stop: child.stop,
      ready: async () => void (await hear(child)),
      counted: async () => undefined,
    };
  },
});

export const exporter: Contestant = {
  name: 'vb365-exporter',
  start: async (home, addresses) => {
    const it = await startExporter(home, { ...addresses, protocol: 'http/json' });
    return {
      usage: it.usage,
      stop: it.stop,
      ready: async () => until(it.ready),
      counted: async () => {
        // A first increment is held back until somebody has come back who was shown the series at 0.
        await it.metrics();
        await it.metrics();
        await until(async () => total(await it.metrics(), 'vb365_restore_events_total') > 0);
        return total(await it.metrics(), 'vb365_restore_events_total');
      },
    };
  },
};

export const naiveFirst = baseline('naive loop, first pages', 'naive.js', ['--pages', 'first']);
export const naiveAll = baseline('naive loop, all pages', 'naive.js', ['--pages', 'all']);
export const fetchSdk = baseline('`fetch` and OTel SDK', 'fetch-sdk.js');
