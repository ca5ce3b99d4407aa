import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ExporterError } from '../../src/kernel/errors.js';
import { Secret } from '../../src/kernel/secret.js';
import { eventStatus, eventType } from '../../src/model/event.js';
import { sessionResult, workload } from '../../src/model/session.js';
import { logsTo, tracesTo } from '../support/logs.js';
import { type Answer, type OtlpReceiver, otlpReceiver } from '../support/otlp-receiver.js';
import { batch, event, guid, session } from '../support/restore.js';

const never = new AbortController().signal;

/** Every text that an event and its session of VB365 8 can have, each with its own canary. */
const of = session({
  id: guid(1),
  name: 'canary-session-name',
  organization: 'canaryorg.example.com',
  workload: workload('CanaryWorkload'),
  initiator: 'CANARY\\initiator',
  scope: 'canary scope',
  clientHost: 'canary-client.example.com',
  reason: 'canary session reason',
  details: 'canary details',
  result: sessionResult('CanaryResult'),
  open: false,
  endedAt: session().createdAt,
});
const restored = event({
  id: guid(2),
  order: 987_654,
  type: eventType('CanaryType'),
  status: eventStatus('CanaryStatus'),
  title: 'canary title "quoted"',
  message: 'canary message\nwith a second line: Çanärÿ',
  item: { name: 'canary item.msg', type: 'CanaryItemType', sizeBytes: 1_234_567_890 },
  source: 'https://canary.example.com/sites/source?canary=1',
  target: '\\\\canary-server\\share\\target',
  reason: 'canary reason',
});
const haunted = batch({ events: [{ session: of, event: restored }], results: [of] });

/** Every value of a request in OTLP/JSON. */
function valuesIn(body: Buffer): readonly string[] {
  const values: string[] = [];
  JSON.parse(body.toString(), (key, value: unknown) => {
    if (key !== 'key' && (typeof value === 'string' || (typeof value === 'number' && value > 9_999)))
      values.push(String(value));
    return value;
  });
  return values;
}

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await otlpReceiver();
});
afterEach(async () => receiver.close());

const quoting =
  (quoted: (values: readonly string[], body: Buffer) => string): Answer =>
  (response, { body }) =>
    response.writeHead(503).end(quoted(valuesIn(body), body));

/** What a delivery fails with when the receiver answers so to every request. */
async function refusedWith(answer: Answer, to = logsTo, over = {}): Promise<string> {
  receiver.otherwise = answer;
  const sink = to(receiver.url, over);
  const error: unknown = await sink.deliver(haunted, never).catch((thrown: unknown) => thrown);
  await sink.close();
  const { message, details } = error as { message: string; details: { answer?: string } };
  return `${message} ${details.answer ?? ''}`;
}

describe('Nothing sensitive where it does not belong: what a receiver quotes of a batch', () => {
  test.each([
    ['logs', logsTo],
    ['traces', tracesTo],
  ] as const)('each value of %s alone', async (_, to) => {
    await refusedWith(
      quoting(() => ''),
      to,
    );
    const count = valuesIn(receiver.requests[0]?.body ?? Buffer.of()).length;
    expect(count).toBeGreaterThan(20);
    for (let index = 0; index < count; index += 1) {
      let value = '';
      const said = await refusedWith(
        quoting(values => {
          value = values[index] ?? '';
          return `rejected: ${value}`;
        }),
        to,
      );
      expect([value, said.replace(/^.* answered 503 /, '')]).toEqual([
        value,
        expect.stringMatching(/^rejected:( \[removed\].?)?$/),
      ]);
    }
  });

  test.each<[string, (values: readonly string[], body: Buffer) => string]>([
    ['all of it', (_, body) => body.toString()],
    ['all of it as a JSON text', (_, body) => JSON.stringify(body.toString())],
    ['the texts, joined', values => values.join('')],
    ['the texts in lower case', values => values.join(' ').toLowerCase()],
    ['the beginnings of the texts', values => values.map(value => value.slice(0, 9)).join(' ')],
    ['a status that quotes', values => JSON.stringify({ code: 3, message: values.join(', ') })],
    ['a page that quotes', values => `<html>${values.map(encodeURIComponent).join('<br>')}</html>`],
  ])('%s', async (_, quoted) => {
    const said = await refusedWith(quoting(quoted));
    expect(said).not.toMatch(/canary|çanärÿ|initiator/i);
    expect(said.length).toBeLessThan(300);
  });

  test.each([
    ['user Max Long is over the limit', 'user [removed] is over the limit'],
    ['MAX LONG', ''],
    ['mailbox 4711 too long: max length is 512', 'mailbox [removed] too long: max length is 512'],
    ['max. length is 256 or so, HTTP 429', 'max. length is 256 or so, HTTP 429'],
  ])('names and numbers that look like words of a receiver: %s', async (quoted, said) => {
    const item = { name: 'Mail of Max Long, 4711', type: 'Message', sizeBytes: undefined };
    const around = batch({ events: [{ session: session(), event: event({ item }) }] });
    receiver.otherwise = response => response.writeHead(503).end(quoted);
    const sink = logsTo(receiver.url);
    const error: unknown = await sink.deliver(around, never).catch((thrown: unknown) => thrown);
    await sink.close();
    expect((error as ExporterError).details['answer'] ?? '').toBe(said);
  });

  test('and of the headers, which hold secrets', async () => {
    const basic = Buffer.from('alice:opensesame').toString('base64');
    const headers = { authorization: new Secret(`Basic ${basic}`), 'x-api-key': new Secret('key-4711-xyzzy') };
    const echo = quoting(() => `user alice (opensesame) with ${basic} and key-4711-xyzzy is not allowed`);
    const said = await refusedWith(echo, logsTo, { headers });
    expect(said).not.toMatch(/alice|opensesame|xyzzy/);
    expect(said).not.toContain(basic.slice(0, 8));
    expect(said).toMatch(/is not allowed$/);
  });
});
