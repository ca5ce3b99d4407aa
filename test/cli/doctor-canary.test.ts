import { expect, test } from '@jest/globals';
import { altered, answer } from '../support/faults.js';
import { Secret } from '../../src/kernel/secret.js';
import type { Fault } from '../support/faults.js';
import { doctored, simulated } from './doctor-rig.js';

const canary = 'canary-7f3a';

/** A JSON body with the canary appended to every text at every depth, except for the keys in `spared`. */
function withCanary(value: unknown, spared: readonly string[]): unknown {
  if (typeof value === 'string') return `${value} ${canary}`;
  if (Array.isArray(value)) return value.map(one => withCanary(one, spared));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, spared.includes(key) ? member : withCanary(member, spared)]),
  );
}

const canaryFault = (spared: readonly string[]): Fault => altered(body => withCanary(body, spared));
/** Keys that must be valid to reach the later checks. */
const shape = ['id', 'access_token', 'nextChangeToken', 'creationTime', 'type', 'state', 'startTime'];
const errorBody = `{"message":"${canary}","error":"${canary}","error_description":"${canary}","errorCode":"${canary}","stackTrace":"${canary}"}`;

const refusedOnV8 =
  (route: string, status: number): Fault =>
  (call, exchange) =>
    call.route === route && call.version === 8 ? answer(status, {}, errorBody)(call, exchange) : exchange.proceed();

const routes = ['/token', '/ServiceInstance', '/RestoreSessions', '/RestoreSessions/{id}/Events', '/Events'];
const refusals = [400, 401, 403, 404, 429, 500, 503].flatMap(status =>
  routes.map(route => [`the ${String(status)} of ${route}`, refusedOnV8(route, status)] as const),
);

const faults: readonly (readonly [string, Fault])[] = [
  ['every text of every answer', canaryFault(shape)],
  ['ids and times as well', canaryFault(['access_token'])],
  ['tokens as well', canaryFault([])],
  ...refusals,
  ['a web page', answer(200, {}, `<html>${canary}</html>`)],
  ['everything refused with 401', answer(401, {}, errorBody)],
];

test.each(faults)('nothing sensitive: the server response is not printed: %s', async (_, intercept) => {
  await simulated({ intercept }, async ({ url }) => {
    for (const apiVersion of ['auto', 'v8'] as const) {
      const { printed } = await doctored(url, { server: { apiVersion } });
      expect(printed).not.toContain(canary);
    }
  });
});

test('nothing sensitive: user, password and restored items are not printed', async () => {
  const login = { kind: 'password', username: `user-${canary}`, secret: { value: new Secret(canary) } } as const;
  await simulated({}, async ({ url, world }) => {
    const refused = await doctored(url, { server: { login } });
    expect(refused.server['login']?.status).toBe('failed');
    const { printed } = await doctored(url);
    expect(refused.printed + printed).not.toContain(canary);
    expect(printed).not.toContain('simulator');
    for (const { id } of world.sessions()) expect(printed).not.toContain(id);
  });
});
