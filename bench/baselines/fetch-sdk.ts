// What a good engineer writes in an afternoon: `fetch`, large pages, a window of sessions that have begun in the last week,
// each stopped session read once more and never again, events sent when their status is final, a set of those that were
// sent, and the OpenTelemetry SDK as its documentation shows it: LoggerProvider, BatchLogRecordProcessor, OTLPLogExporter,
// all with their defaults. What it knows is in memory.
// node dist/bench/baselines/fetch-sdk.js --url http://127.0.0.1:1 --to http://127.0.0.1:2
import { type Logger, SeverityNumber } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { systemClock } from '../../src/kernel/clock.js';
import { say, text } from '../rig/stats.js';
import { attributesOf, type Event, type Get, login, type Session } from './vb365.js';

const [url, to] = [text('url'), text('to')];
const limit = 1_000;
const lookBackMs = 7 * 86_400_000;
const sent = new Set<string>();
const done = new Set<string>();

const exporter = new OTLPLogExporter({ url: `${to}/v1/logs` });
const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
const logger: Logger = provider.getLogger('restore-events');

async function* rows<T>(get: Get, path: string): AsyncGenerator<T> {
  for (let offset = 0; ; offset += limit) {
    // oxlint-disable-next-line no-await-in-loop -- a page is known to be needed when the one before it was full
    const { results } = await get<T>(`${path}limit=${String(limit)}&offset=${String(offset)}`);
    yield* results;
    if (results.length < limit) return;
  }
}

const severities: Readonly<Record<string, SeverityNumber>> = {
  Failed: SeverityNumber.ERROR,
  Warning: SeverityNumber.WARN,
};

function emit(session: Session, event: Event): void {
  if (event.status === 'Running' || sent.has(event.id)) return;
  logger.emit({
    timestamp: event.endTime === undefined ? systemClock.now() : Date.parse(event.endTime),
    severityNumber: severities[event.status] ?? SeverityNumber.INFO,
    severityText: event.status,
    body: event.message,
    attributes: attributesOf(session, event),
  });
  sent.add(event.id);
}

/** @returns whether a session is open. */
async function poll(get: Get): Promise<boolean> {
  const from = new Date(systemClock.now() - lookBackMs).toISOString();
  let open = false;
  for await (const session of rows<Session>(get, `/v8/RestoreSessions?startTimeFrom=${from}&`)) {
    open ||= session.state === 'Working';
    if (done.has(session.id)) continue;
    for await (const event of rows<Event>(get, `/v8/RestoreSessions/${session.id}/Events?`)) emit(session, event);
    if (session.state === 'Stopped') done.add(session.id);
  }
  return open;
}

let get = await login(url);
for (let first = true; ; first = false) {
  // oxlint-disable no-await-in-loop -- a loop for ever
  let open = true;
  try {
    open = await poll(get);
  } catch {
    get = await login(url).catch(() => get);
  }
  if (first) say(JSON.stringify({ ready: true }));
  await systemClock.sleep(open ? 5_000 : 30_000, new AbortController().signal);
  // oxlint-enable no-await-in-loop
}
