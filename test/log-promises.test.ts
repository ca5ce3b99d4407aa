import { describe, expect, test } from '@jest/globals';
import { renameSync } from 'node:fs';
import { alerts } from '../dashboards/src/rule-files.js';
import { annotationsOf } from '../dashboards/src/rule.js';
import { ExporterError } from '../src/kernel/errors.js';
import { milliseconds } from '../src/model/time.js';
import type { SimEvent } from '../src/simulator/world.js';
import { onFaultStage, type FaultOptions, type FaultStage } from './support/fault-stage.js';
import { altered, answer } from './support/faults.js';
import { isPromised, quotedLines, runbooks } from './support/log-promises.js';
import { accept, recordsOf, refuse } from './support/otlp-receiver.js';
import { uidOf } from './support/picky-receiver.js';

/** Something happens to the real program; then its log has to have every line that the runbooks quote. */
type Situation = Readonly<{
  runbooks: readonly string[];
  options?: FaultOptions;
  /** Makes it happen. */
  begin: (stage: FaultStage) => Promise<void> | void;
  stepMs?: number;
}>;

const v8: FaultOptions = { server: { apiVersion: 'v8' } };

/** Adds an event that has been counted. */
async function countedEvent({ simulator, clock, pass, metrics }: FaultStage, session: string): Promise<SimEvent> {
  const draft = { startedAt: milliseconds(clock.now()), type: 'Restore', status: 'Failed' };
  const event = simulator.world.appendEvent(session, draft);
  await pass(async () => [...(await metrics())].some(([key, value]) => key.includes('status="Failed"') && value > 0));
  return event;
}

const endNow = ({ simulator, clock }: FaultStage, session: string): void =>
  void simulator.world.stopSession(session, { endedAt: milliseconds(clock.now()) });

/** The receiver refuses the first of two events, or all records of requests that `status` is given for. */
function refusePoison(stage: FaultStage): void {
  const session = stage.openSession();
  const poison = stage.simulator.world.appendEvent(session, { startedAt: milliseconds(stage.clock.now()) }).id;
  stage.addEvents(session, 2);
  stage.receiver.otherwise = (response, request) => {
    const isRefused = recordsOf(request).some(record => uidOf(record) === poison);
    response.writeHead(isRefused ? 400 : 200, { 'content-type': 'application/json' }).end('{"message":"too old"}');
  };
}

/** An answer whose times cannot be read. */
const spoil = (body: unknown): unknown => JSON.parse(JSON.stringify(body).replace(/"status":"[^"]*"/g, '"status":7'));

const lateMs = 30_000;

const situations: Readonly<Record<string, Situation>> = {
  'an event that cannot be decoded, and a record that the receiver refuses': {
    runbooks: ['VB365EventsRejected'],
    begin: async stage => {
      const { left } = stage.fail('events', 1, altered(spoil));
      stage.addEvents(stage.openSession(), 1);
      await stage.pass(() => left() === 0);
      refusePoison(stage);
    },
  },
  'a failed event that succeeds after it was counted': {
    runbooks: ['VB365EventCorrections'],
    begin: async stage => {
      const session = stage.openSession();
      const { id } = await countedEvent(stage, session);
      stage.simulator.world.finishEvent(session, id, { status: 'Success' });
      endNow(stage, session);
    },
  },
  'a gap in the events of a stopped session': {
    runbooks: ['VB365RestoreEventsAbandoned'],
    begin: async stage => {
      const session = stage.openSession();
      stage.simulator.world.appendEvent(session, { startedAt: milliseconds(stage.clock.now()), order: 5 });
      await countedEvent(stage, session);
      stage.simulator.world.appendEvent(session, { startedAt: milliseconds(stage.clock.now()), order: 9 });
      endNow(stage, session);
    },
    stepMs: lateMs,
  },
  'a change that is not in the change feed': {
    runbooks: ['VB365ReconcileMissedSessions'],
    options: v8,
    begin: stage => {
      stage.simulator.world.changes.add = () => undefined;
      stage.openSession();
    },
    stepMs: lateMs,
  },
  'a session that is deleted soon after it stopped': {
    runbooks: ['VB365MisuseSessionsDeleted'],
    options: v8,
    begin: async stage => {
      const session = stage.openSession();
      await countedEvent(stage, session);
      endNow(stage, session);
      stage.simulator.world.purgeSession(session);
    },
  },
  'a record that the receiver refuses, and records that it drops': {
    runbooks: ['VB365DeliveryRejected'],
    begin: stage => {
      const body = '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}';
      stage.receiver.answers.push(refuse(200, { 'content-type': 'application/json' }, body));
      stage.addEvents(stage.openSession(), 2);
      const poisoned = stage.receiver.requests.length;
      void stage.pass(() => stage.receiver.requests.length > poisoned).then(() => refusePoison(stage));
    },
  },
  'an event with a status that is not known': {
    runbooks: ['VB365UnknownValues'],
    begin: ({ openSession, addEvents, clock }) =>
      addEvents(openSession(), 1, { status: 'Paused', endedAt: milliseconds(clock.now()) }),
  },
  'a server that is down': {
    runbooks: ['VB365ServerUnreachable'],
    begin: async ({ goDown }) => goDown(),
  },
  'a session that cannot be read, and then nothing': {
    runbooks: ['VB365PollErrors', 'VB365PollStale'],
    options: v8,
    begin: async stage => {
      const { left } = stage.fail('session', 50, answer(500));
      stage.openSession();
      await stage.pass(() => left() < 50);
      await stage.goDown();
    },
  },
  'a refused login': {
    runbooks: ['VB365AuthFailing'],
    begin: ({ fail }) => {
      fail('list', 100, answer(401));
      fail('token', 100, answer(400, { 'content-type': 'application/json' }, '{"error":"invalid_grant"}'));
    },
  },
  'a receiver that is overloaded': {
    runbooks: ['VB365DeliveryFailing', 'VB365DeliveryLag'],
    begin: ({ receiver, addEvents, openSession }) => {
      receiver.otherwise = refuse(503, { 'content-type': 'application/json' }, '{"message":"overloaded"}');
      addEvents(openSession(), 1);
    },
  },
  'a state file that is gone': {
    runbooks: ['VB365StateErrors', 'VB365StateFailing'],
    begin: ({ folder, addEvents, openSession, receiver }) => {
      receiver.answers.push((response, request) => {
        renameSync(`${folder}/state.db`, `${folder}/elsewhere.db`);
        accept(response, request);
      });
      addEvents(openSession(), 1);
    },
  },
  'another installation, and the first one again': {
    runbooks: ['VB365InstallationChanged'],
    options: v8,
    begin: async ({ goDown, comeBack, pass, app }) => {
      await goDown();
      const close = await comeBack({ instance: { installationId: '11111111-2222-4333-8444-555555555555' } });
      await pass(() => app.said.some(line => line.includes('Server is now another installation')), lateMs);
      await close();
      await comeBack();
    },
    stepMs: lateMs,
  },
  'a reload of an invalid configuration': {
    runbooks: ['VB365ConfigReloadFailed'],
    options: {
      reread: () => {
        throw new ExporterError('config', 'Could not read the configuration: unknown key "servrs"');
      },
    },
    begin: async ({ app }) => {
      await app.reload().catch(() => undefined);
    },
  },
  'a change feed that the server refuses': {
    runbooks: ['VB365ChangeFeedInactive'],
    options: { ...v8, simulate: { quirks: { feed: 'refused' } } },
    begin: () => undefined,
  },
};

const every = Object.entries(situations);

describe('The log has the lines that the runbooks quote', () => {
  test.each(every)('after %s', async (_, { runbooks: names, options = {}, begin, stepMs = 500 }) => {
    const quoted = runbooks.flatMap(({ name, text }) => (names.includes(name) ? quotedLines(text) : []));
    expect(quoted).not.toEqual([]);
    await onFaultStage(options, async stage => {
      const missing = (): readonly string[] =>
        quoted.filter(line => !stage.app.said.some(said => isPromised(line, said)));
      await begin(stage);
      await stage.pass(() => missing().length === 0, stepMs).catch(() => undefined);
      expect(missing()).toEqual([]);
      expect(stage.app.said.filter(line => line.includes('undefined'))).toEqual([]);
    });
  });
});

describe('A text about an alert', () => {
  /** The last two in test/server/leased-servers.test.ts. */
  const proven = [
    ...every.flatMap(([, { runbooks: names }]) => names),
    'VB365LeaseRenewalFailing',
    'VB365ServerWithoutReplica',
  ];

  test.each(runbooks)('quotes only lines that a test has seen: $name', ({ name, text }) => {
    if (quotedLines(text).length > 0) expect(proven).toContain(name);
  });

  test.each(runbooks)('quotes the line wherever it names the log of the exporter: $name', ({ text }) => {
    const paragraphs = text.split(/\n(?=\d\. |- |\n)/).filter(part => part.includes('log of the exporter'));
    for (const paragraph of paragraphs) expect(quotedLines(paragraph)).not.toEqual([]);
  });

  test.each(alerts.map(alert => [alert.name, alert] as const))(
    'mentions the log of the exporter only if its runbook quotes a line: %s',
    (name, alert) => {
      const { summary, description } = annotationsOf(alert);
      const [page = ''] = runbooks.flatMap(runbook => (runbook.name === name ? [runbook.text] : []));
      if (/\blog of the exporter/.test(`${summary} ${description}`)) expect(quotedLines(page)).not.toEqual([]);
    },
  );
});
