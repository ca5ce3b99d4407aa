import type { z } from 'zod';
import { text } from './values.js';

/** The account of a server. */
export const userName = () =>
  text({
    description:
      'Account to log in with. Leave it unquoted or in single quotes: double quotes make escapes of backslashes. Required, but for a login with `client_id`.',
    example: 'EXAMPLE\\svc-monitor',
  });

/** How to log in: with an account, or with an assertion. */
export const loginKeys = {
  username: userName().optional(),
  password_file: text({
    description:
      'File that holds its password, and nothing else. Relative to the working directory. Read again for every login, so it may change at any time.',
    example: '/run/secrets/vb365-password',
  }).optional(),
  client_id: text({
    description:
      'In place of `username`: the application in whose name to log in, with a signed assertion (grant `urn:ietf:params:oauth:grant-type:jwt-bearer`). What such a login may see is for VB365 to say.',
    example: 'd1a9b3c6-0f1e-4a55-8a43-1c9f6f0f2b7e',
  }).optional(),
  assertion_file: text({
    description: 'File that holds the assertion for `client_id`, a JWT. Read again for every login.',
    example: '/run/secrets/vb365-assertion',
  }).optional(),
};

type Login = Readonly<Partial<Record<keyof typeof loginKeys, string | undefined>>>;

/** Adds a problem for each key that the way to log in lacks, or has too many. */
export function validateLogin(login: Login, context: z.RefinementCtx): void {
  const byAssertion = login.client_id !== undefined || login.assertion_file !== undefined;
  const needed = byAssertion ? (['client_id', 'assertion_file'] as const) : (['username', 'password_file'] as const);
  const strange = byAssertion ? (['username', 'password_file'] as const) : [];
  for (const key of needed)
    if (login[key] === undefined) context.addIssue({ code: 'custom', path: [key], message: 'is missing' });
  for (const key of strange)
    if (login[key] !== undefined)
      context.addIssue({
        code: 'custom',
        path: [key],
        message: 'must not be set beside "client_id" or "assertion_file"',
      });
}
