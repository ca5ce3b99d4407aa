import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Secret } from '../../src/kernel/secret.js';
import type { Asked, Reply } from '../support/scripted-server.js';
import { bench, grant, never, type Rig } from '../support/source-rig.js';

const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };
const minute = 60_000;

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> =>
  source.events('61954db6-7278-4d26-86f7-888bda5a4ec4', 0, never);

const refusal =
  'Could not log in (HTTP 400): check user name and password; the account must be a Veeam backup administrator, without MFA (a service account)';

const refusing = (asked: Asked, n: number): Reply =>
  asked.form['password'] === 'right'
    ? grant(n)
    : {
        status: 400,
        json: { error: 'invalid_grant', error_description: 'canary-user may not', message: 'canary-user' },
      };

describe('a refused password', () => {
  test('is said without what the server said, and not sent again before its wait is over', async () => {
    const one = await begin(() => page, { tokens: refusing });
    for (const [wait, logins] of [
      [0, 1],
      [minute - 1, 1],
      [1, 2],
      [10 * minute - 1, 2],
      [1, 3],
      [30 * minute - 1, 3],
      [1, 4],
      [30 * minute - 1, 4],
      [1, 5],
    ] as const) {
      one.clock.move(wait);
      await expect(read(one)).rejects.toMatchObject({ reason: 'auth', message: refusal });
      expect(one.logins()).toHaveLength(logins);
    }
  });

  test('that has changed is tried at once, and its waits start over', async () => {
    const one = await begin(() => page, { tokens: refusing });
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    one.clock.move(minute);
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    one.setPassword('also wrong');
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    expect(one.logins()).toHaveLength(3);
    one.clock.move(minute);
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    expect(one.logins()).toHaveLength(4);
    one.setPassword('right');
    await expect(read(one)).resolves.toBeDefined();
  });

  test.each([
    [new Error('ENOENT'), { reason: 'auth', message: 'Could not read the password' }],
    [new ExporterError('config', 'Could not read "password_file"'), { reason: 'config' }],
  ])('that cannot be read is an error: %s', async (thrown, wanted) => {
    const one = await begin(() => page, {
      credentials: {
        kind: 'password',
        username: 'canary-user',
        secret: async (): Promise<Secret> => {
          throw thrown;
        },
      },
    });
    await expect(read(one)).rejects.toMatchObject(wanted);
    expect(one.server.asked).toEqual([]);
  });
});
