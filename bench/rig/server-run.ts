import { z } from 'zod';
import { systemClock } from '../../src/kernel/clock.js';
import { type Child, hear, start, until } from './child.js';
import { type Exporter, type Home, makeHome, startExporter, total, wasThereBefore } from './exporter.js';
import type { Database } from './postgresql.js';

export type LineOptions = Readonly<{
  sessions?: number;
  eventsEach?: number;
  /** Over how many days the sessions are spread. Default 1. */
  days?: number;
  /** Whether log records are sent, in addition to metrics. Default true. */
  logs?: boolean;
  /** Whether the names of owners are looked up. Default true. */
  resolveOwners?: boolean;
  /** Where the state is; in a file without it. */
  database?: Database | undefined;
}>;

/** Server, exporter and receiver of log records, each in its own process. */
export type Line = Readonly<{
  server: Child;
  url: string;
  exporter: Exporter;
  receiver: Child;
  /** Address of the receiver. */
  to: string;
  home: Home;
  /** How many events and results the exporter has delivered to the sinks of metrics and of logs. */
  delivered: () => Promise<number>;
  stop: () => Promise<void>;
}>;

const address = z.object({ url: z.string() });

/** Starts a line that begins to read once the server receives `go`, and to which everything of three days is news. */
export async function startLine(options: LineOptions): Promise<Line> {
  const { sessions = 0, eventsEach = 1, days = 1, logs = true, resolveOwners = true, database } = options;
  const numbers = { '--sessions': sessions, '--events': eventsEach, '--days': days, '--hold': 1 };
  const flags = Object.entries(numbers).flatMap(([name, value]) => [name, String(value)]);
  const [server, receiver, home] = [start('actors/server.js', flags), start('actors/receiver.js'), makeHome()];
  const [{ url }, to] = [address.parse(await hear(server)), address.parse(await hear(receiver)).url];
  await wasThereBefore(home, database);
  const exporter = await startExporter(home, {
    url,
    resolveOwners,
    database,
    ...(logs && { receiver: to }),
  });
  await until(async () => (await exporter.metrics().catch(() => '')).includes('vb365_api_requests_total'));
  return {
    server,
    url,
    exporter,
    receiver,
    to,
    home,
    delivered: async () => total(await exporter.metrics(), 'vb365_sink_delivered_total'),
    stop: async () => {
      await Promise.all([exporter.stop(), server.stop(), receiver.stop()]);
      home.remove();
    },
  };
}

/** What so many sinks take of so many sessions: their events, and what they came to. */
export const recordsOf = (sessions: number, eventsEach: number, sinks = 2): number =>
  sinks * sessions * (eventsEach + 1);

/** Waits until so much has been delivered; asks seldom, because being asked costs too. */
export async function untilDelivered({ delivered }: Line, records: number, everyMs = 500): Promise<void> {
  await until(async () => (await delivered()) >= records, everyMs);
}

const never = new AbortController().signal;

export const rest = async (ms: number): Promise<void> => systemClock.sleep(Math.max(0, ms), never);
