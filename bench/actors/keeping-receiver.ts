// A receiver of OTLP/JSON in its own process, which keeps the `log.record.uid` of what it takes. Says its address;
// `down` and `up`: answers 503, and takes again; `expect <JSON of uids>`: what is waited for from here on;
// `count`: how many requests, and how many of those uids are missing; `report`: when each uid came first, and how often.
// node dist/bench/actors/keeping-receiver.js [--answerMs 100]
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { systemClock } from '../../src/kernel/clock.js';
import { listenAndReport, obey, report } from '../rig/actor.js';
import { flag } from '../rig/stats.js';

const attribute = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) });
const logRecord = z.object({ attributes: z.array(attribute) });
const scopeLogs = z.array(z.object({ logRecords: z.array(logRecord) }));
const request = z.object({ resourceLogs: z.array(z.object({ scopeLogs })) });

/** By uid: when it came first, and how often it has come. */
const arrivals = new Map<string, { atMs: number; times: number }>();
let expected: readonly string[] = [];
let requests = 0;
let down = false;

function note(body: unknown): void {
  const logs = request.parse(body).resourceLogs.flatMap(resource => resource.scopeLogs);
  for (const { attributes } of logs.flatMap(scope => scope.logRecords)) {
    const uid = attributes.find(({ key }) => key === 'log.record.uid')?.value.stringValue ?? '';
    const known = arrivals.get(uid);
    if (known === undefined) arrivals.set(uid, { atMs: systemClock.now(), times: 1 });
    else known.times += 1;
  }
}

async function take(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await json(message);
  requests += 1;
  if (!down) note(body);
  await systemClock.sleep(flag('answerMs', 0), new AbortController().signal);
  response.writeHead(down ? 503 : 200, { 'content-type': 'application/json' }).end('{}');
}

obey({
  down: () => void (down = true),
  up: () => void (down = false),
  expect: rest => void (expected = z.array(z.string()).parse(JSON.parse(rest))),
  count: () => report({ requests, missing: expected.filter(uid => !arrivals.has(uid)).length }),
  report: () => report([...arrivals].map(([uid, { atMs, times }]) => [uid, atMs, times])),
});

listenAndReport(createServer((message, response) => void take(message, response)));
