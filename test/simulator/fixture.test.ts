import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { World } from '../../src/simulator/world.js';
import { at, drivenClock, visiting } from '../support/simulator.js';

const sessionId = '61954db6-7278-4d26-86f7-888bda5a4ec4';

/** The two events of the vendor's page, as the server that gave the example must have held them. */
function exampleWorld(): World {
  const world = new World();
  world.addSession({ id: sessionId, type: 'Vesp', createdAt: at('2017-05-30T10:53:45.0679711Z') });
  world.appendEvent(sessionId, {
    id: 'f346f90e-a02f-4747-b30e-ef34f980c670',
    startedAt: at('2017-05-30T10:53:45.0679711Z'),
    title: 'Restore session started',
    message: 'Restore session started',
  });
  world.appendEvent(sessionId, {
    id: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
    type: 'Save',
    startedAt: at('2017-05-30T10:57:28.0422679Z'),
    endedAt: at('2017-05-30T10:57:28.0869607Z'),
    title: 'Item is successfully restored.',
    message:
      'Item Image.jpg was saved successfully (type: Item; source: /personal/orgUser/Documents/Image.jpg; target: C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727)',
  });
  return world;
}

const of2017 = { itemFields: false, linkHost: 'https://support.north.local:4443' };

test('the vendor’s v3 example is answered as printed, down to the order of properties', async () => {
  const clock = drivenClock(Date.parse('2017-05-30T11:00:00Z'));
  await visiting(3, { world: exampleWorld(), clock, quirks: of2017 }, async visitor => {
    const answer = await visitor.get(`/v3/RestoreSessions/${sessionId}/Events`);
    const printed: unknown = JSON.parse(readFileSync('test/fixtures/v3/restore-session-events.json', 'utf8'));
    expect(answer.json).toEqual(printed);
    expect(answer.text).toBe(JSON.stringify(printed));
    expect(answer.headers.get('date')).toBe('Tue, 30 May 2017 11:00:00 GMT');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });
});

test('the example’s second event took 0.0446928 s', () => {
  expect([...exampleWorld().book()].map(({ event, duration }) => [event.type, duration])).toEqual([
    ['None', 0n],
    ['Save', 44_692_800n],
  ]);
});
