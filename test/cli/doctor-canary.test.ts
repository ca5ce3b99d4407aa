import { expect, test } from '@jest/globals';
import { altered, answer } from '../support/faults.js';
import { Secret } from '../../src/kernel/secret.js';
import type { Fault } from '../support/faults.js';
import { doctored, simulated } from './doctor-rig.js';

const canary = 'canary-7f3a';

/** Every text of a JSON body, at any depth, with the canary behind it; kinds and times would not be read any more. */
function sung(value: unknown, spared: readonly string[]): unknown {
  if (typeof value === 'string') return `${value} ${canary}`;
  if (Array.isArray(value)) return value.map(one => sung(one, spared));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, spared.includes(key) ? member : sung(member, spared)]),
  );
}

const singing = (spared: readonly string[]): Fault => altered(body => sung(body, spared));
/** What must be read for the checks behind to be reached. */
const shape = ['id', 'access_token', 'nextChangeToken', 'creationTime', 'type', 'state', 'startTime'];
const told = `{"message":"${canary}","error":"${canary}","error_description":"${canary}","errorCode":"${canary}","stackTrace":"${canary}"}`;

const told8 =
  (route: string, status: number): Fault =>
  (call, exchange) =>
    call.route === route && call.version === 8 ? answer(status, {}, told)(call, exchange) : exchange.proceed();

const routes = ['/token', '/ServiceInstance', '/RestoreSessions', '/RestoreSessions/{id}/Events', '/Events'];
const refusals = [400, 401, 403, 404, 429, 500, 503].flatMap(status =>
  routes.map(route => [`the ${String(status)} of ${route}`, told8(route, status)] as const),
);

const faults: readonly (readonly [string, Fault])[] = [
  ['every text of every answer', singing(shape)],
  ['ids and times as well', singing(['access_token'])],
  ['tokens as well', singing([])],
  ...refusals,
  ['a web page', answer(200, {}, `<html>${canary}</html>`)],
  ['what needs a login', answer(401, {}, told)],
];

test.each(faults)('Nothing sensitive: what a server says in %s is not printed', async (_, intercept) => {
  await simulated({ intercept }, async ({ url }) => {
    for (const apiVersion of ['auto', 'v8'] as const) {
      const { printed } = await doctored(url, { server: { apiVersion } });
      expect(printed).not.toContain(canary);
    }
  });
});

test('Nothing sensitive: neither user nor password is printed, nor what is restored', async () => {
  const login = { kind: 'password', username: `user-${canary}`, secret: { value: new Secret(canary) } } as const;
  await simulated({}, async ({ url, world }) => {
    const refused = await doctored(url, { server: { login } });
    expect(refused.server['login']?.status).toBe('wrong');
    const { printed } = await doctored(url);
    expect(refused.printed + printed).not.toContain(canary);
    expect(printed).not.toContain('simulator');
    for (const { id } of world.sessions()) expect(printed).not.toContain(id);
  });
});
