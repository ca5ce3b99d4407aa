// The naive loop: what community scripts do, as one process that goes on. It stands for, and was written after reading,
// - jorgedlcruz/veeam-backup-for-microsoft365-grafana (`veeam_microsoft365.sh`: bash, curl, jq, InfluxDB; run by cron):
//   logs in on every run, reads one page of `/RestoreSessions` without a limit, posts one record per row;
// - bulenttolu/VBM365 (`VBM365v6AuditLogsParsing.ps1`): the same list, then one page of `/Events` of every session of it;
// - fury-code/veeam-metrics-collector (Python, InfluxDB): goes on with `next` pages, where it reads sessions of jobs.
// None of them names a page size (the API's default is 30 rows), or keeps anything over a restart.
// It is kinder than they are: no process is started for a request, it polls every 5 s instead of twice an hour, does not
// send twice what it remembers to have sent, and sends again what was refused. `--pages first` reads first pages only, as
// the first two do; `all` goes on to the last page, as the third does.
// node dist/bench/baselines/naive.js --url http://127.0.0.1:1 --to http://127.0.0.1:2 --pages first
import { createServer } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import { fetch } from 'undici';
import { systemClock } from '../../src/kernel/clock.js';
import { say, text } from '../rig/stats.js';
import { attributesOf, type Event, type Get, login, type Page, type Session } from './vb365.js';

const [url, to, all] = [text('url'), text('to'), text('pages') === 'all'];
const sent = new Set<string>();
const registry = new Registry();
const gauge = new Gauge({
  name: 'veeam_restore_session_events',
  help: 'Events of a restore session',
  labelNames: ['session', 'name', 'organization', 'type', 'result', 'status'],
  registers: [registry],
});

async function rows<T>(get: Get, path: string): Promise<readonly T[]> {
  const found: T[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const { results, _links: links }: Page<T> = await get<T>(next);
    found.push(...results);
    next = all ? links.next?.href : undefined;
  }
  return found;
}

/** One request for one record. */
async function post(session: Session, event: Event): Promise<boolean> {
  const attributes = Object.entries(attributesOf(session, event)).map(([key, stringValue]) => ({
    key,
    value: { stringValue },
  }));
  const record = { timeUnixNano: nanosOf(event), body: { stringValue: event.message }, attributes };
  const { ok, body } = await fetch(`${to}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ resource: {}, scopeLogs: [{ scope: {}, logRecords: [record] }] }] }),
  });
  await body?.cancel();
  return ok;
}

const nanosOf = ({ endTime }: Event): string =>
  `${String(endTime === undefined ? systemClock.now() : Date.parse(endTime))}000000`;

function setGauges(session: Session, events: readonly Event[]): void {
  const counts = new Map<string, number>();
  for (const { status } of events) counts.set(status, (counts.get(status) ?? 0) + 1);
  const { id, name, organization, type, result } = session;
  for (const [status, count] of counts) gauge.set({ session: id, name, organization, type, result, status }, count);
}

/** @returns whether a session is open. */
async function poll(): Promise<boolean> {
  const get = await login(url);
  const sessions = await rows<Session>(get, '/v8/RestoreSessions');
  for (const session of sessions) {
    // oxlint-disable no-await-in-loop -- one after the other, as scripts do
    const events = await rows<Event>(get, `/v8/RestoreSessions/${session.id}/Events`);
    setGauges(session, events);
    for (const event of events) if (!sent.has(event.id) && (await post(session, event))) sent.add(event.id);
    // oxlint-enable no-await-in-loop
  }
  return sessions.some(({ state }) => state === 'Working');
}

const server = createServer((_, response) => void registry.metrics().then(page => response.end(page)));
server.listen(0, '127.0.0.1');
for (let first = true; ; first = false) {
  // oxlint-disable no-await-in-loop -- a loop for ever
  const open = await poll().catch(() => true);
  if (first) say(JSON.stringify({ ready: true }));
  await systemClock.sleep(open ? 5_000 : 30_000, new AbortController().signal);
  // oxlint-enable no-await-in-loop
}
