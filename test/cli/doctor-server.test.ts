import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import type { SimulateOptions } from '../../src/simulator/simulate.js';
import { altered, answer, type Fault, sameRows, webPage } from '../support/faults.js';
import { connectProxy } from '../support/connect-proxy.js';
import { doctored, doctoredTwice, type Over, refusedPort, simulated, statuses } from './doctor-rig.js';

const allOk = {
  dns: 'ok',
  tcp: 'ok',
  tls: 'skipped',
  version: 'ok',
  login: 'ok',
  permissions: 'ok',
  clock: 'ok',
  paging: 'ok',
  feed: 'ok',
  owners: 'ok',
};

/** A fault for one route. */
const at =
  (route: string, fault: Fault): Fault =>
  (call, exchange) =>
    call.route === route ? fault(call, exchange) : exchange.proceed();

const ahead = (ms: number): SimulateOptions['clock'] => ({ ...systemClock, now: () => systemClock.now() + ms });

type Case = Readonly<{
  of: string;
  simulator?: Partial<SimulateOptions>;
  over?: Over;
  /** The statuses that differ from a healthy server. */
  expected: Readonly<Record<string, string>>;
  /** The check that reports it, its message and its advice. */
  check: string;
  says: RegExp;
  advises?: RegExp;
}>;

const behindLogin = { permissions: 'skipped', clock: 'skipped', paging: 'skipped', feed: 'skipped', owners: 'skipped' };
const behindVersion = { login: 'skipped', ...behindLogin };

const cases: readonly Case[] = [
  {
    of: 'a wrong password',
    over: { server: { login: { kind: 'password', username: 'simulator', secret: { value: new Secret('x') } } } },
    expected: { login: 'failed', ...behindLogin },
    check: 'login',
    says: /Could not log in \(HTTP 400\): check user name and password/,
    advises: /service account/,
  },
  {
    of: 'an account with MFA',
    simulator: { quirks: { mfa: true } },
    expected: { login: 'failed', ...behindLogin },
    check: 'login',
    says: /without MFA/,
    advises: /with MFA enabled, mark it there as a service account/,
  },
  {
    of: 'a missing password file',
    over: { server: { login: { kind: 'password', username: 'u', secret: { file: '/nonexistent/password' } } } },
    expected: { login: 'failed', ...behindLogin },
    check: 'login',
    says: /Could not read password file/,
  },
  {
    of: 'a server that accepts only restore operators',
    simulator: { quirks: { operatorsOnly: true } },
    expected: { permissions: 'failed', paging: 'skipped', feed: 'warning', owners: 'skipped' },
    check: 'permissions',
    says: /HTTP 403/,
    advises: /restore operator authentication only/,
  },
  {
    of: 'an account that may not list sessions',
    simulator: { intercept: at('/RestoreSessions', answer(403)) },
    expected: { permissions: 'failed', paging: 'skipped', owners: 'skipped' },
    check: 'permissions',
    says: /Could not list restore sessions: HTTP 403/,
    advises: /Veeam Backup Administrator/,
  },
  {
    of: 'tokens that are refused',
    simulator: { intercept: at('/RestoreSessions', answer(401)) },
    expected: { permissions: 'failed', paging: 'skipped', owners: 'skipped' },
    check: 'permissions',
    says: /HTTP 401|refuses the tokens/,
  },
  {
    of: 'a gateway that requires its own login',
    simulator: { intercept: answer(401) },
    expected: { version: 'failed', ...behindVersion },
    check: 'version',
    says: /every path is answered with HTTP 401/,
    advises: /gateway/,
  },
  {
    of: 'a web page instead of the API',
    simulator: { intercept: webPage(404) },
    expected: { version: 'failed', ...behindVersion },
    check: 'version',
    says: /web page/,
    advises: /4443/,
  },
  {
    of: 'a web page instead of the list',
    simulator: { intercept: at('/RestoreSessions', webPage(200)) },
    expected: { permissions: 'failed', paging: 'skipped', owners: 'skipped' },
    check: 'permissions',
    says: /not JSON but a web page/,
  },
  {
    of: 'a configured version that the server does not support',
    simulator: { versions: [6] },
    over: { server: { apiVersion: 'v8' } },
    expected: { login: 'failed', ...behindLogin },
    check: 'login',
    says: /HTTP 404 \(the server may not serve this API version\)/,
    advises: /api_version/,
  },
  {
    of: 'a clock that is a little ahead',
    simulator: { clock: ahead(20_000) },
    expected: { clock: 'warning' },
    check: 'clock',
    says: /(19|20|21) s ahead of this machine/,
    advises: /NTP/,
  },
  {
    of: 'a clock that is an hour behind',
    simulator: { clock: ahead(-3_600_000) },
    expected: { clock: 'failed' },
    check: 'clock',
    says: /(3599|360[01]) s behind this machine/,
    advises: /NTP/,
  },
  {
    of: 'a list whose pages are all the same',
    simulator: { intercept: at('/RestoreSessions', sameRows()) },
    expected: { paging: 'failed' },
    check: 'paging',
    says: /does not continue where the previous one ends/,
    advises: /caches responses/,
  },
  {
    of: 'a list that returns another page than requested',
    simulator: {
      intercept: at(
        '/RestoreSessions',
        altered(body => ({ ...(body as object), offset: 0 })),
      ),
    },
    expected: { paging: 'failed' },
    check: 'paging',
    says: /the page at another offset/,
  },
  {
    of: 'pages that are smaller than asked for',
    simulator: { quirks: { maxLimit: 2 } },
    expected: { paging: 'warning' },
    check: 'paging',
    says: /smaller than requested/,
  },
  {
    of: 'a list without sessions',
    simulator: { history: { sessions: 0, eventsEach: 0, days: 1 } },
    expected: {},
    check: 'permissions',
    says: /there are none.*Veeam Backup Administrator/,
  },
  {
    of: 'a list that moves while it is read',
    simulator: { quirks: { arrivalsPerPage: 1 } },
    over: { server: { apiVersion: 'v8' } },
    expected: {},
    check: 'paging',
    says: /pages are contiguous/,
  },
  {
    of: 'a change feed that is refused',
    simulator: { quirks: { feed: 'refused' } },
    expected: { feed: 'warning' },
    check: 'feed',
    says: /Could not read the change feed: HTTP 403/,
    advises: /every interval/,
  },
  {
    of: 'a missing change feed',
    simulator: { quirks: { feed: 'missing' } },
    expected: { feed: 'warning' },
    check: 'feed',
    says: /HTTP 404/,
  },
  {
    of: 'a version without a change feed',
    simulator: { versions: [6, 7] },
    expected: { feed: 'skipped', owners: 'skipped' },
    check: 'feed',
    says: /no change feed before v8/,
  },
  {
    of: 'a list without pages, as in old versions',
    simulator: { versions: [3], quirks: { bareSessionList: true } },
    expected: { feed: 'skipped', owners: 'skipped' },
    check: 'paging',
    says: /in one page/,
  },
];

describe('the doctor', () => {
  test.each([8, 7, 6, 5, 4, 3, 2] as const)('passes for a server with v%i', async version => {
    await simulated({ versions: [version] }, async ({ url }) => {
      const { server } = await doctored(url);
      expect(statuses(server)).toEqual({ ...allOk, ...(version === 8 ? {} : { feed: 'skipped', owners: 'skipped' }) });
      expect(server['version']?.message).toContain(`v${String(version)}`);
    });
  });

  test.each(cases)('reports $of', async ({ simulator, over, expected, check, says, advises }) => {
    await simulated(simulator ?? {}, async ({ url }) => {
      const { server } = await doctored(url, over);
      expect(statuses(server)).toEqual({ ...allOk, ...expected });
      expect(server[check]?.message).toMatch(says);
      if (advises !== undefined) expect(server[check]?.advice).toMatch(advises);
    });
  });

  test('reports an unknown host, and skips all other checks of the server', async () => {
    const { server } = await doctored('https://no-such-host.invalid:4443');
    const { dns, ...rest } = server;
    expect(dns).toMatchObject({ status: 'failed', message: expect.stringContaining('no-such-host.invalid') });
    for (const result of Object.values(rest))
      expect(result).toMatchObject({ status: 'skipped', message: 'because "dns" failed' });
  });

  test('reports a closed port', async () => {
    const { server } = await doctored(`http://127.0.0.1:${String(await refusedPort())}`);
    expect(server['tcp']).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('connection refused'),
      advice: expect.stringMatching(/REST API is enabled.*4443/),
    });
    expect(server['login']).toMatchObject({ status: 'skipped', message: 'because "tcp" failed' });
  });

  test('uses the proxy, which resolves the host', async () => {
    const proxy = await connectProxy();
    await simulated({}, async ({ url }) => {
      const { server } = await doctored(url, {
        server: { proxy: { url: new Secret(proxy.url.href) } },
      });
      expect(statuses(server)).toEqual({ ...allOk, dns: 'skipped', tcp: 'skipped' });
    });
    expect(proxy.asked.length).toBeGreaterThan(0);
    await proxy.close();
  });

  test('logs in once, logs out, and makes few requests', async () => {
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

  test('reports an installation that is configured twice', async () => {
    await simulated({}, async ({ url }) => {
      const [first, second] = await doctoredTwice(url);
      expect(first.map(({ check }) => check)).not.toContain('installation');
      expect(second.at(-1)).toMatchObject({
        check: 'installation',
        status: 'failed',
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
