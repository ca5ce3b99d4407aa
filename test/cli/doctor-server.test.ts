import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import type { SimulateOptions } from '../../src/simulator/simulate.js';
import { altered, answer, type Fault, sameRows, webPage } from '../support/faults.js';
import { connectProxy } from '../support/connect-proxy.js';
import { doctored, doctoredTwice, type Over, refusedPort, simulated, statuses } from './doctor-rig.js';

const allWell = {
  dns: 'ok',
  tcp: 'ok',
  tls: 'skipped',
  version: 'ok',
  login: 'ok',
  permissions: 'ok',
  clock: 'ok',
  paging: 'ok',
  feed: 'ok',
};

/** A fault for one route; the others are answered. */
const at =
  (route: string, fault: Fault): Fault =>
  (call, exchange) =>
    call.route === route ? fault(call, exchange) : exchange.proceed();

const ahead = (ms: number): SimulateOptions['clock'] => ({ ...systemClock, now: () => systemClock.now() + ms });

type Case = Readonly<{
  of: string;
  simulator?: Partial<SimulateOptions>;
  over?: Over;
  /** What differs from a server that is well. */
  wanted: Readonly<Record<string, string>>;
  /** The check that tells, what it says and what to do. */
  check: string;
  says: RegExp;
  advises?: RegExp;
}>;

const behindLogin = { permissions: 'skipped', clock: 'skipped', paging: 'skipped', feed: 'skipped' };
const behindVersion = { login: 'skipped', ...behindLogin };

const cases: readonly Case[] = [
  {
    of: 'a wrong password',
    over: { server: { login: { kind: 'password', username: 'simulator', secret: { value: new Secret('x') } } } },
    wanted: { login: 'wrong', ...behindLogin },
    check: 'login',
    says: /Could not log in \(HTTP 400\): check user name and password/,
    advises: /service account/,
  },
  {
    of: 'an account with MFA',
    simulator: { quirks: { mfa: true } },
    wanted: { login: 'wrong', ...behindLogin },
    check: 'login',
    says: /without MFA/,
    advises: /with MFA on, flag it as a service account/,
  },
  {
    of: 'a password file that is not there',
    over: { server: { login: { kind: 'password', username: 'u', secret: { file: '/nonexistent/password' } } } },
    wanted: { login: 'wrong', ...behindLogin },
    check: 'login',
    says: /Could not read password file/,
  },
  {
    of: 'a server that lets only restore operators in',
    simulator: { quirks: { operatorsOnly: true } },
    wanted: { permissions: 'wrong', paging: 'skipped', feed: 'warning' },
    check: 'permissions',
    says: /HTTP 403/,
    advises: /restore operator authentication only/,
  },
  {
    of: 'an account that may not list sessions',
    simulator: { intercept: at('/RestoreSessions', answer(403)) },
    wanted: { permissions: 'wrong', paging: 'skipped' },
    check: 'permissions',
    says: /Could not list restore sessions: HTTP 403/,
    advises: /Veeam Backup Administrator/,
  },
  {
    of: 'tokens that are refused',
    simulator: { intercept: at('/RestoreSessions', answer(401)) },
    wanted: { permissions: 'wrong', paging: 'skipped' },
    check: 'permissions',
    says: /HTTP 401|refuses the tokens/,
  },
  {
    of: 'a gateway that wants a login of its own',
    simulator: { intercept: answer(401) },
    wanted: { version: 'wrong', ...behindVersion },
    check: 'version',
    says: /everything is answered with HTTP 401/,
    advises: /gateway/,
  },
  {
    of: 'a web page in place of the API',
    simulator: { intercept: webPage(404) },
    wanted: { version: 'wrong', ...behindVersion },
    check: 'version',
    says: /web page/,
    advises: /4443/,
  },
  {
    of: 'a web page in place of the list',
    simulator: { intercept: at('/RestoreSessions', webPage(200)) },
    wanted: { permissions: 'wrong', paging: 'skipped' },
    check: 'permissions',
    says: /no JSON but a web page/,
  },
  {
    of: 'a version that is set and not served',
    simulator: { versions: [6] },
    over: { server: { apiVersion: 'v8' } },
    wanted: { login: 'wrong', ...behindLogin },
    check: 'login',
    says: /HTTP 404 \(the server may not serve this API version\)/,
    advises: /api_version/,
  },
  {
    of: 'a clock that is a little ahead',
    simulator: { clock: ahead(20_000) },
    wanted: { clock: 'warning' },
    check: 'clock',
    says: /(19|20|21) s ahead of this machine/,
    advises: /NTP/,
  },
  {
    of: 'a clock that is an hour behind',
    simulator: { clock: ahead(-3_600_000) },
    wanted: { clock: 'wrong' },
    check: 'clock',
    says: /(3599|360[01]) s behind this machine/,
    advises: /NTP/,
  },
  {
    of: 'a list whose pages are all the same',
    simulator: { intercept: at('/RestoreSessions', sameRows()) },
    wanted: { paging: 'wrong' },
    check: 'paging',
    says: /does not go on where the one before ends/,
    advises: /caches answers/,
  },
  {
    of: 'a list that gives another page than asked for',
    simulator: {
      intercept: at(
        '/RestoreSessions',
        altered(body => ({ ...(body as object), offset: 0 })),
      ),
    },
    wanted: { paging: 'wrong' },
    check: 'paging',
    says: /the page at another offset/,
  },
  {
    of: 'pages that are smaller than asked for',
    simulator: { quirks: { maxLimit: 2 } },
    wanted: { paging: 'warning' },
    check: 'paging',
    says: /not of the size/,
  },
  {
    of: 'a list without sessions',
    simulator: { history: { sessions: 0, eventsEach: 0, days: 1 } },
    wanted: {},
    check: 'permissions',
    says: /there are none.*Veeam Backup Administrator/,
  },
  {
    of: 'a list that moves while it is read',
    simulator: { quirks: { arrivalsPerPage: 1 } },
    over: { server: { apiVersion: 'v8' } },
    wanted: {},
    check: 'paging',
    says: /pages join/,
  },
  {
    of: 'a change feed that is refused',
    simulator: { quirks: { feed: 'refused' } },
    wanted: { feed: 'warning' },
    check: 'feed',
    says: /Could not read the change feed: HTTP 403/,
    advises: /every interval/,
  },
  {
    of: 'a change feed that is not there',
    simulator: { quirks: { feed: 'missing' } },
    wanted: { feed: 'warning' },
    check: 'feed',
    says: /HTTP 404/,
  },
  {
    of: 'a version without a change feed',
    simulator: { versions: [6, 7] },
    wanted: { feed: 'skipped' },
    check: 'feed',
    says: /none before v8/,
  },
  {
    of: 'a list in one piece, as of old',
    simulator: { versions: [3], quirks: { bareSessionList: true } },
    wanted: { feed: 'skipped' },
    check: 'paging',
    says: /in one piece/,
  },
];

describe('the doctor', () => {
  test.each([8, 7, 6, 5, 4, 3, 2] as const)('finds a server of v%i well', async version => {
    await simulated({ versions: [version] }, async ({ url }) => {
      const { server } = await doctored(url);
      expect(statuses(server)).toEqual({ ...allWell, feed: version === 8 ? 'ok' : 'skipped' });
      expect(server['version']?.message).toContain(`v${String(version)}`);
    });
  });

  test.each(cases)('tells of $of', async ({ simulator, over, wanted, check, says, advises }) => {
    await simulated(simulator ?? {}, async ({ url }) => {
      const { server } = await doctored(url, over);
      expect(statuses(server)).toEqual({ ...allWell, ...wanted });
      expect(server[check]?.message).toMatch(says);
      if (advises !== undefined) expect(server[check]?.advice).toMatch(advises);
    });
  });

  test('tells of a host that nobody knows, and says of all the rest that it was skipped because of that', async () => {
    const { server } = await doctored('https://no-such-host.invalid:4443');
    const { dns, ...rest } = server;
    expect(dns).toMatchObject({ status: 'wrong', message: expect.stringContaining('no-such-host.invalid') });
    for (const finding of Object.values(rest))
      expect(finding).toMatchObject({ status: 'skipped', message: 'because "dns" is wrong' });
  });

  test('tells of a port that nobody listens on', async () => {
    const { server } = await doctored(`http://127.0.0.1:${String(await refusedPort())}`);
    expect(server['tcp']).toMatchObject({
      status: 'wrong',
      message: expect.stringContaining('connection refused'),
      advice: expect.stringMatching(/REST API is switched on.*4443/),
    });
    expect(server['login']).toMatchObject({ status: 'skipped', message: 'because "tcp" is wrong' });
  });

  test('goes through the proxy, and leaves looking up the host to it', async () => {
    const proxy = await connectProxy();
    await simulated({}, async ({ url }) => {
      const { server } = await doctored(url, {
        server: { proxy: { url: new Secret(proxy.url.href), noProxy: '' } },
      });
      expect(statuses(server)).toEqual({ ...allWell, dns: 'skipped', tcp: 'skipped' });
    });
    expect(proxy.asked.length).toBeGreaterThan(0);
    await proxy.close();
  });

  test('logs in once, logs out, and asks for little', async () => {
    await simulated({}, async ({ url, traffic }) => {
      await doctored(url);
      const asked = traffic.recent.map(({ method, route }) => `${method} ${route}`);
      const logins = traffic.recent.filter(
        ({ route, status, version }) => version === 8 && route === '/token' && status === 200,
      );
      expect(logins).toHaveLength(1);
      expect(asked.filter(one => one === 'POST /token/logout')).toHaveLength(1);
      expect(asked.length).toBeLessThanOrEqual(15);
    });
  });

  test('tells of an installation that is configured twice', async () => {
    await simulated({}, async ({ url }) => {
      const [first, second] = await doctoredTwice(url);
      expect(first.map(({ check }) => check)).not.toContain('installation');
      expect(second.at(-1)).toMatchObject({
        check: 'installation',
        status: 'wrong',
        message: expect.stringContaining('the same installation as "hq"'),
      });
    });
  });

  test('tries a refused password once', async () => {
    await simulated({ quirks: { mfa: true } }, async ({ url, traffic }) => {
      await doctored(url);
      expect(traffic.count('/token')).toBe(1);
    });
  });
});
