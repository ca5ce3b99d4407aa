import { expect, test } from '@jest/globals';
import { doctored, simulated } from './doctor-rig.js';

test('the doctor warns when the account may not read owners', async () => {
  await simulated({ quirks: { owners: 'refused' } }, async ({ url, traffic }) => {
    const { server, printed } = await doctored(url);
    expect(server['owners']).toMatchObject({ status: 'warning', advice: expect.stringContaining('resolve_owners') });
    expect(server['owners']?.message).toContain('may not read protected users');
    expect(printed).not.toContain('Alex Wilber');
    expect(traffic.count('/ProtectedUsers')).toBe(1);
  });
});

test('the doctor does not ask for owners that are not looked up', async () => {
  await simulated({}, async ({ url, traffic }) => {
    const { server } = await doctored(url, { server: { resolveOwners: false } });
    expect(server['owners']).toMatchObject({ status: 'skipped', message: expect.stringContaining('is false') });
    expect(traffic.count('/ProtectedUsers')).toBe(0);
  });
});

test.each([
  ['/Organizations', 403],
  ['/ProtectedUsers', 404],
])('the doctor warns when the server answers %s with %d', async (refused, status) => {
  await simulated({}, async ({ url, intercept }) => {
    intercept(({ route }, { response, proceed }) => {
      if (route !== refused) return proceed();
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"no"}');
    });
    const { server } = await doctored(url);
    expect(server['owners']).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('or organizations'),
    });
  });
});
