import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { RecordedRequest } from '../../src/simulator/traffic.js';
import { drivenClock, visiting } from '../support/simulator.js';

const sessionId = '61954db6-7278-4d26-86f7-888bda5a4ec4';

describe('traffic', () => {
  test('is counted per route and noted with its status', async () => {
    await visiting(6, {}, async (visitor, { traffic }) => {
      await visitor.get('/v6/RestoreSessions?Limit=5');
      await visitor.get(`/v6/restoresessions/${sessionId}/events`);
      await visitor.get('/v9/RestoreSessions');
      await visitor.get('/v3/RestoreSessions');
      expect(
        ['/token', '/RestoreSessions', '/RestoreSessions/{id}/Events', '*', '/Health'].map(route =>
          traffic.count(route),
        ),
      ).toEqual([1, 2, 1, 1, 0]);
      expect(traffic.recent.map(({ method, version, route, status }) => [method, version, route, status])).toEqual([
        ['POST', 6, '/token', 200],
        ['GET', 6, '/RestoreSessions', 200],
        ['GET', 6, '/RestoreSessions/{id}/Events', 404],
        ['GET', undefined, '*', 404],
        ['GET', 3, '/RestoreSessions', 200],
      ]);
      expect(traffic.recent[1]?.query).toEqual(new Map([['limit', '5']]));
    });
  });
});

describe('an interceptor', () => {
  test('can answer itself, once, before the token is looked at', async () => {
    await visiting(8, {}, async (visitor, simulator) => {
      simulator.intercept(({ route, ordinal }, { response, proceed }) => {
        if (route !== '/RestoreSessions' || ordinal > 1) return proceed();
        response.writeHead(429, { 'retry-after': '7' }).end();
        return undefined;
      });
      const first = await visitor.get('/v8/RestoreSessions');
      expect([first.status, first.headers.get('retry-after')]).toEqual([429, '7']);
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(200);
    });
  });

  test('can break the connection, also in the middle of a body', async () => {
    await visiting(8, {}, async (visitor, simulator) => {
      simulator.intercept((_call, { response }) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"offset":', () => response.destroy());
      });
      await expect(visitor.get('/v8/RestoreSessions')).rejects.toThrow(/terminated|fetch failed/);
      simulator.intercept((_call, { request }) => void request.socket.destroy());
      await expect(visitor.get('/v8/RestoreSessions')).rejects.toThrow(/terminated|fetch failed/);
      expect(simulator.traffic.recent.slice(-2).map(({ status }) => status)).toEqual([undefined, undefined]);
      simulator.intercept(undefined);
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(200);
    });
  });

  test('can let a request wait, and see what is asked', async () => {
    const calls: RecordedRequest[] = [];
    const clock = drivenClock();
    const gate = new AbortController();
    const opened = once(gate.signal, 'abort');
    await visiting(6, { clock }, async (visitor, simulator) => {
      simulator.intercept(async (call, { proceed }) => {
        calls.push(call);
        await opened;
        proceed();
      });
      const waiting = visitor.get('/v6/RestoreSessions?offset=3');
      gate.abort();
      expect((await waiting).json).toMatchObject({ offset: 3 });
      expect(calls[0]).toMatchObject({ method: 'GET', version: 6, route: '/RestoreSessions', ordinal: 1 });
    });
  });

  test('that throws is a server error', async () => {
    await visiting(6, {}, async (visitor, simulator) => {
      simulator.intercept(async () => {
        throw new Error('broken');
      });
      const answer = await visitor.get('/v6/RestoreSessions');
      expect([answer.status, answer.json]).toEqual([500, { message: 'The request cannot be processed' }]);
    });
  });
});
