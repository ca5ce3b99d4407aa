import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/kernel/secret.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };
const minute = 60_000;

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

describe('an assertion', () => {
  const credentials = { kind: 'assertion', clientId: 'app-1', secret: async () => new Secret('canary.jwt') } as const;

  test('is sent in the place of a password, and its token renewed like any other', async () => {
    const one = await begin(() => page, { credentials, apiVersion: 'v8' });
    await read(one);
    one.clock.move(59 * minute);
    await read(one);
    expect(one.logins().map(({ form }) => form)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: 'app-1',
        assertion: 'canary.jwt',
        disable_antiforgery_token: 'true',
      },
      { grant_type: 'refresh_token', refresh_token: 'refresh-1', disable_antiforgery_token: 'true' },
    ]);
  });

  test.each([
    [
      { json: { message: 'canary' } },
      'Could not log in (HTTP 400): check "client_id" and the assertion, which may have expired',
    ],
    [
      { json: { error: 'unsupported_grant_type', error_description: 'canary' } },
      'Could not log in (HTTP 400): the server does not offer this way to log in',
    ],
  ])('that is refused with %j waits like a password', async (reply, message) => {
    const one = await begin(() => page, { credentials, tokens: () => ({ status: 400, ...reply }) });
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth', message });
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth', message });
    expect(one.logins()).toHaveLength(1);
  });
});
