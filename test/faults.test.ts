import { describe, expect, test } from '@jest/globals';
import { type FaultOptions, type FaultStage, onFaultStage, routes, totalOf } from './support/fault-stage.js';
import {
  afterwards,
  altered,
  answer,
  both,
  cut,
  drip,
  type Fault,
  misread,
  reset,
  silence,
  truncated,
  webPage,
} from './support/faults.js';

const testMs = 120_000;
const events = 'vb365_restore_events_total';
const anomaly = (kind: string): string => `vb365_api_anomalies_total{kind="${kind}",server="hq"}`;

/** `reasons`: what the program may have called it. */
type Row = Readonly<{ what: string; fault: Fault; reasons: readonly string[] }>;

const httpDate = 'Thu, 01 Jan 2026 00:05:00 GMT';
const rows: readonly Row[] = [
  { what: 'a connection that breaks', fault: reset, reasons: ['network'] },
  { what: 'a connection that breaks in the middle of an answer', fault: cut, reasons: ['network'] },
  { what: 'no answer until the deadline', fault: silence, reasons: ['timeout'] },
  { what: 'an answer that drips past the deadline', fault: drip, reasons: ['timeout'] },
  { what: 'truncated JSON', fault: truncated, reasons: ['decode'] },
  { what: 'a web page with status 200', fault: webPage(200), reasons: ['decode'] },
  { what: 'a web page with status 404', fault: webPage(404), reasons: ['rejected'] },
  { what: 'a web page with status 502', fault: webPage(502), reasons: ['server'] },
  {
    what: 'JSON that is not a page',
    fault: answer(200, { 'content-type': 'application/json' }, '{"results":7}'),
    reasons: ['decode'],
  },
  { what: 'an empty 401', fault: answer(401), reasons: ['auth'] },
  { what: 'an empty 403', fault: answer(403), reasons: ['auth'] },
  { what: '429 with Retry-After in seconds', fault: answer(429, { 'retry-after': '7' }), reasons: ['throttled'] },
  { what: '429 with Retry-After as a date', fault: answer(429, { 'retry-after': httpDate }), reasons: ['throttled'] },
  { what: '503 with Retry-After in seconds', fault: answer(503, { 'retry-after': '7' }), reasons: ['throttled'] },
  { what: '503 with Retry-After as a date', fault: answer(503, { 'retry-after': httpDate }), reasons: ['throttled'] },
  { what: '503 without Retry-After', fault: answer(503), reasons: ['server'] },
  { what: '500', fault: answer(500, {}, '{"message":"Oops"}'), reasons: ['server'] },
];

/** Lets `times` requests of the route fail while events come, and waits until they have. */
async function meet(
  stage: FaultStage,
  session: string,
  at: Readonly<{ route: 'list' | 'events' | 'token'; fault: Fault }>,
) {
  if (at.route === 'token') stage.simulator.revokeTokens(true);
  const failing = stage.fail(at.route, 2, at.fault);
  stage.addEvents(session, 7);
  await stage.pass(() => failing.left() === 0);
  stage.addEvents(session, 3);
}

const everything = (url: string): string => url.replace(/limit=\d+/, 'limit=10000');
const fromTheStart = (url: string): string => url.replace(/offset=\d+/, 'offset=0');

/** A page with other words in its envelope. */
const says =
  (words: Readonly<Record<string, unknown>>) =>
  (body: unknown): unknown =>
    typeof body === 'object' ? { ...body, ...words } : body;

/** The answer as a newer version may write it: with a field more in every object. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== 'object' || value === null) return value;
  const more = { newIn9: { nested: [1, null] } };
  return { ...Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withMore(one)])), ...more };
}

describe('Nothing lost: ends complete once it is over', () => {
  test.each(rows)(
    '$what, in the list, among the events and at the login',
    async ({ fault, reasons }) => {
      await onFaultStage({}, async stage => {
        const session = stage.openSession();
        for (const route of ['list', 'events', 'token'] as const) await meet(stage, session, { route, fault });
        stage.stopSession(session);
        await meet(stage, session, { route: 'events', fault });
        await stage.endsComplete();
        const samples = await stage.metrics();
        for (const reason of reasons)
          expect(samples.get(`vb365_poll_errors_total{reason="${reason}",server="hq"}`)).toBeGreaterThan(0);
        expect(stage.mostLogins()).toBe(1);
        expect(stage.simulator.traffic.count(routes.token)).toBeLessThanOrEqual(8);
      });
    },
    testMs,
  );

  test.each<Readonly<{ what: string; options: FaultOptions; kind?: string }>>([
    {
      what: 'a page that is smaller than asked for',
      options: { simulate: { quirks: { maxLimit: 3 } } },
      kind: 'limit_ignored',
    },
    { what: 'events newest first', options: { simulate: { quirks: { eventOrder: 'descending' } } } },
    { what: 'events in disorder', options: { simulate: { quirks: { eventOrder: 'shuffled' } } } },
    { what: 'a server whose clock is 10 minutes ahead', options: { skewMs: 600_000 } },
    { what: 'a server whose clock is 10 minutes behind', options: { skewMs: -600_000 } },
    { what: 'times without a zone', options: { simulate: { quirks: { times: 'bare' } } }, kind: 'no_offset' },
    { what: 'tokens that live for 3 s', options: { simulate: { quirks: { tokenLifetimeSeconds: 3 } } } },
    {
      what: 'tokens that live for 3 s and cannot be renewed',
      options: { simulate: { quirks: { tokenLifetimeSeconds: 3, refreshLifetimeSeconds: 0 } } },
    },
  ])(
    '$what',
    async ({ options, kind }) => {
      await onFaultStage(options, async stage => {
        const session = stage.openSession();
        stage.addEvents(session, 11);
        await stage.pass(async () => totalOf(await stage.metrics(), events) === 11);
        stage.addEvents(session, 5);
        stage.stopSession(session);
        await stage.endsComplete();
        if (kind !== undefined) expect((await stage.metrics()).get(anomaly(kind))).toBeGreaterThan(0);
        expect(stage.mostLogins()).toBe(1);
      });
    },
    testMs,
  );

  test.each([
    { apiVersion: 'v3', creationTime: '1980-01-01T00:00:00Z', endTime: '1980-01-01T00:00:00Z' },
    { apiVersion: 'v6', creationTime: '2000-01-01T00:00:00Z', endTime: null },
    { apiVersion: 'v8', creationTime: '1980-01-01T00:00:00Z', endTime: '1980-01-01T00:00:00Z' },
  ] as const)(
    '$apiVersion: a stopped session that appears with the times $creationTime and $endTime',
    async ({ apiVersion, ...times }) => {
      await onFaultStage({ server: { apiVersion } }, async stage => {
        stage.simulator.intercept((call, exchange) => {
          if (call.route === routes.list) return altered(body => datedRows(body, times))(call, exchange);
          if (call.route === routes.session)
            return altered(body => ({ ...(body as object), ...times }))(call, exchange);
          return exchange.proceed();
        });
        const session = stage.openSession();
        stage.addEvents(session, 7);
        stage.addEvents(session, 2, { startedAt: 315_532_800_000_000_000n });
        stage.stopSession(session);
        await stage.endsComplete();
        expect((await stage.metrics()).get(anomaly('no_time'))).toBeGreaterThan(0);
      });
    },
    testMs,
  );

  test(
    'a server that is gone, and comes back',
    async () => {
      await onFaultStage({}, async stage => {
        const session = stage.openSession();
        await stage.goDown();
        stage.addEvents(session, 6);
        const refused = 'vb365_poll_errors_total{reason="network",server="hq"}';
        await stage.pass(async () => ((await stage.metrics()).get(refused) ?? 0) > 3);
        await stage.comeBack();
        stage.stopSession(session);
        await stage.endsComplete();
      });
    },
    testMs,
  );

  test.each<Readonly<{ what: string; lie: Fault; kind?: string }>>([
    {
      what: 'the whole list, said to be a page of the limit that was asked for',
      lie: both(misread(everything), altered(says({ limit: 4 }))),
      kind: 'limit_ignored',
    },
    { what: 'a limit ten times as large as the page', lie: altered(says({ limit: 40 })), kind: 'limit_ignored' },
    { what: 'the page at another offset', lie: altered(says({ offset: 17 })) },
    { what: 'the same page whatever the offset', lie: both(misread(fromTheStart), altered(says({ offset: 4 }))) },
  ])(
    'a page that lies: $what',
    async ({ lie, kind }) => {
      await onFaultStage({}, async stage => {
        const session = stage.openSession();
        const lying = stage.fail('events', 5, lie);
        stage.addEvents(session, 11);
        await stage.pass(() => lying.left() === 0);
        stage.stopSession(session);
        await stage.endsComplete();
        if (kind !== undefined) expect((await stage.metrics()).get(anomaly(kind))).toBeGreaterThan(0);
      });
    },
    testMs,
  );

  test.each(['v3', 'v6', 'v8'] as const)(
    'a list that shifts while it is read: sessions come and go between its pages (%s)',
    async apiVersion => {
      // The list is read often also where a feed spares it, and open sessions are read rarely: there are many.
      const server = { apiVersion, reconcileIntervalMs: 10_000, openPollIntervalMs: 5_000 };
      await onFaultStage({ simulate: { quirks: { maxLimit: 4 } }, server }, async stage => {
        const { world } = stage.simulator;
        const decoys = Array.from({ length: 16 }, () => stage.openSession());
        const shift = (): void => {
          const gone = decoys.splice(decoys.length / 2, 1);
          for (const id of gone) world.purgeSession(id);
          stage.addEvents(stage.openSession(), 2);
        };
        const shifting = stage.fail('list', 8, afterwards(shift));
        await stage.pass(() => shifting.left() === 0);
        await stage.endsComplete();
      });
    },
    testMs,
  );

  test(
    'an upgrade that brings new words and fields',
    async () => {
      await onFaultStage({}, async stage => {
        const session = stage.openSession();
        stage.addEvents(session, 3);
        stage.simulator.become({ version: '9.0.0.1' });
        for (const route of ['list', 'session', 'events'] as const) stage.fail(route, Infinity, altered(withMore));
        stage.addEvents(session, 2, { type: 'Copy', status: 'Postponed' });
        const odd = stage.openSession({ type: 'Vepp' });
        stage.addEvents(odd, 2);
        stage.stopSession(odd);
        stage.stopSession(session);
        await stage.endsComplete();
        const samples = await stage.metrics();
        const unknown = (field: string) => samples.get(`vb365_unknown_values_total{field="${field}",server="hq"}`);
        expect(['event_type', 'status', 'workload'].map(unknown)).toEqual([2, 2, 3]);
      });
    },
    testMs,
  );
});

function datedRows(body: unknown, times: object): unknown {
  const page = body as Readonly<{ results: readonly object[] }>;
  return { ...page, results: page.results.map(row => ({ ...row, ...times })) };
}
