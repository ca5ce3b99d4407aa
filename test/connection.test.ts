import { describe, expect, test } from '@jest/globals';
import type { JsonGeneralNames } from '@peculiar/x509';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from '../src/config/parse.js';
import { systemClock } from '../src/kernel/clock.js';
import { Secret } from '../src/kernel/secret.js';
import { simulate, type SimulateOptions, type Simulator } from '../src/simulator/simulate.js';
import { createAuthority, selfSigned } from './support/authority.js';
import { program, type Program } from './support/program.js';
import { inFolder } from './support/folder.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';

type Over = Parameters<typeof serverConfig>[1];
type Scene = Readonly<{
  simulator: Simulator;
  folder: string;
  run(over: Over, play: (app: Program) => Promise<void>): Promise<void>;
}>;

/** A simulated server, and the whole program, which can run several times with the same state file. */
const scene = async (options: Partial<SimulateOptions>, play: (scene: Scene) => Promise<void>): Promise<void> =>
  inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock, ...options });
    const run: Scene['run'] = async (over, watch) => {
      const app = await program(configOf(folder, serverConfig(simulator.url, over)));
      try {
        await watch(app);
      } finally {
        await app.stop(5_000);
      }
    };
    try {
      await play({ simulator, folder, run });
    } finally {
      await simulator.close();
    }
  });

const here: JsonGeneralNames = [{ type: 'ip', value: '127.0.0.1' }];

const up = 'vb365_server_up{server="hq"}';
const verified = 'vb365_tls_verification_enabled{server="hq"}';
const expiryChecked = 'vb365_certificate_expiry_checked{server="hq"}';
const certificateEnd = 'vb365_certificate_expiry_timestamp_seconds{server="hq"}';
const tokenEnd = 'vb365_token_expiry_timestamp_seconds{server="hq"}';
const skew = 'vb365_clock_skew_seconds{server="hq"}';
const is = async (app: Program, series: string, value: number | undefined): Promise<void> =>
  until(async () => (await app.value(series)) === value);
const tls = (over: Partial<ServerConfig['tls']>): ServerConfig['tls'] => ({
  caFile: undefined,
  serverFingerprint: undefined,
  insecureSkipVerify: false,
  ...over,
});

describe('the API version', () => {
  test('is detected, shown, and kept by the next process even if the server has a newer one by then', async () => {
    await scene({ versions: [5, 6, 7] }, async ({ folder, run, simulator }) => {
      await run({ apiVersion: 'auto' }, async app => {
        await until(async () => (await app.get('/metrics')).text.includes('api_version="v7"'));
        expect(app.said.join('')).toContain('msg="Detected the API version" server=hq api_version=v7');
        expect((await app.get('/')).text).toContain('v7');
      });
      expect(simulator.traffic.count('/token/logout')).toBe(1);
      const newer = await simulate({ clock: systemClock });
      const app = await program(configOf(folder, serverConfig(newer.url, { apiVersion: 'auto' })));
      await is(app, up, 1);
      await app.stop(5_000);
      expect(
        new Set(newer.traffic.recent.filter(({ route }) => route === '/RestoreSessions').map(({ version }) => version)),
      ).toEqual(new Set([7]));
      await newer.close();
    });
  });

  test('changes, and is shown, when the server stops serving the stored one', async () => {
    await inFolder(async folder => {
      const before = await simulate({ clock: systemClock, versions: [6] });
      const first = await program(configOf(folder, serverConfig(before.url, { apiVersion: 'auto' })));
      await is(first, up, 1);
      await first.stop(5_000);
      await before.close();
      const after = await simulate({ clock: systemClock, versions: [7, 8] });
      const second = await program(configOf(folder, serverConfig(after.url, { apiVersion: 'auto' })));
      await until(async () => (await second.get('/metrics')).text.includes('api_version="v8"'));
      await second.stop(5_000);
      await after.close();
      expect(second.said.join('')).toContain('Server no longer supports the API version');
    });
  });

  test('is not needed at the start: it is detected when the server becomes reachable', async () => {
    await scene({ intercept: (_, { response }) => void response.writeHead(503).end() }, async ({ run, simulator }) => {
      await run({ apiVersion: 'auto' }, async app => {
        await is(app, up, 0);
        expect((await app.get('/-/ready')).status).toBe(200);
        expect(
          await app.value('vb365_api_requests_total{server="hq",operation="probe",code="5xx"}'),
        ).toBeGreaterThanOrEqual(4);
        expect((await app.get('/metrics')).text).not.toContain('vb365_server_info{');
        simulator.intercept(undefined);
        await is(app, up, 1);
        await until(async () => (await app.get('/metrics')).text.includes('api_version="v8"'));
      });
    });
  });
});

describe('a server with TLS', () => {
  test('of a trusted CA is read, and its connection details are shown', async () => {
    const root = await createAuthority();
    const identity = await root.issue(here);
    await scene({ tls: identity }, async ({ folder, run }) => {
      const caFile = join(folder, 'ca.pem');
      writeFileSync(caFile, root.cert);
      await run({ tls: tls({ caFile }) }, async app => {
        await is(app, up, 1);
        expect(await app.value(verified)).toBe(1);
        expect(await app.value(certificateEnd)).toBe(identity.validToMs / 1000);
        expect(await app.value(skew)).toBe(0);
        expect(await app.value(tokenEnd)).toBeGreaterThan(systemClock.now() / 1000 + 3_000);
        expect(await app.value('vb365_api_requests_total{server="hq",operation="token",code="2xx"}')).toBe(1);
        const lists = 'vb365_api_request_duration_seconds_count{server="hq",operation="sessions"}';
        expect(await app.value(lists)).toBeGreaterThanOrEqual(1);
      });
    });
  });

  test('whose CA is added to the CA file is read from then on', async () => {
    const root = await createAuthority();
    await scene({ tls: await root.issue(here) }, async ({ folder, run }) => {
      const caFile = join(folder, 'ca.pem');
      await run({ tls: tls({ caFile }) }, async app => {
        await is(app, up, 0);
        expect(app.said.join('')).toContain('Could not read tls.ca_file');
        writeFileSync(caFile, (await createAuthority('Another authority')).cert);
        await until(() => app.said.join('').includes('signed by an unknown authority'));
        writeFileSync(caFile, root.cert);
        await is(app, up, 1);
      });
    });
  });

  test('with a self-signed certificate is refused with the expiry shown, and read by its fingerprint', async () => {
    const identity = await selfSigned([{ type: 'dns', value: 'elsewhere.example.com' }]);
    await scene({ tls: identity }, async ({ run }) => {
      await run({}, async app => {
        await is(app, up, 0);
        expect(await app.value(certificateEnd)).toBe(identity.validToMs / 1000);
        expect(await app.value(tokenEnd)).toBeUndefined();
        expect(await app.value(skew)).toBeUndefined();
        expect(
          await app.value('vb365_api_requests_total{server="hq",operation="token",code="error"}'),
        ).toBeGreaterThanOrEqual(1);
        expect(app.said.join('')).toContain(identity.fingerprint);
      });
      await run({ tls: tls({ serverFingerprint: identity.fingerprint }) }, async app => {
        await is(app, up, 1);
        expect(await app.value(verified)).toBe(1);
        expect(await app.value(expiryChecked)).toBe(0);
      });
    });
  });

  test('with insecure_skip_verify is logged once, and shown', async () => {
    await scene({ tls: await selfSigned(here) }, async ({ run }) => {
      await run({ tls: tls({ insecureSkipVerify: true }) }, async app => {
        await is(app, up, 1);
        await until(async () => ((await app.value('vb365_polls_total{server="hq",result="complete"}')) ?? 0) >= 3);
        expect(await app.value(verified)).toBe(0);
        expect(app.said.filter(line => line.includes('is not verified'))).toHaveLength(1);
      });
    });
  });
});

test('a server without TLS is shown as not verified', async () => {
  await scene({}, async ({ run }) => {
    await run({}, async app => {
      await is(app, up, 1);
      expect([await app.value(verified), await app.value(certificateEnd)]).toEqual([0, undefined]);
    });
  });
});

describe('logging in', () => {
  test('with a corrected password file succeeds at once, without waiting for the backoff', async () => {
    await scene({}, async ({ folder, run, simulator }) => {
      const file = join(folder, 'password');
      writeFileSync(file, 'wrong\n');
      await run({ password: { file } }, async app => {
        await until(async () => ((await app.value('vb365_polls_total{server="hq",result="failed"}')) ?? 0) >= 3);
        expect(simulator.traffic.count('/token')).toBe(1);
        // At once, as secret stores do: a read under way would mix the two passwords.
        writeFileSync(`${file}.new`, 'simulator\n');
        renameSync(`${file}.new`, file);
        await is(app, up, 1);
        expect(simulator.traffic.count('/token')).toBe(2);
      });
    });
  });

  test('with an empty password file sends no login', async () => {
    await scene({}, async ({ folder, run, simulator }) => {
      const file = join(folder, 'password');
      writeFileSync(file, '\n');
      await run({ password: { file } }, async app => {
        await is(app, up, 0);
        expect(app.said.join('')).toContain('it is empty');
        expect(simulator.traffic.count('/token')).toBe(0);
      });
    });
  });

  test('with an assertion reads the server', async () => {
    await scene({ clients: { app: 'signed' }, quirks: { mfa: true } }, async ({ folder, run }) => {
      const file = join(folder, 'assertion');
      writeFileSync(file, 'signed\n');
      await run({ login: { kind: 'assertion', clientId: 'app', secret: { file } } }, async app => is(app, up, 1));
    });
  });

  test.each<[string, Partial<SimulateOptions>, Over, string]>([
    ['an account with MFA', { quirks: { mfa: true } }, {}, 'without MFA (a service account)'],
    ['a server for operators only', { quirks: { operatorsOnly: true } }, {}, 'admits only restore operators'],
    ['a pinned version that is not there', { versions: [6] }, { apiVersion: 'v8' }, 'may not serve this API version'],
    [
      'a portal',
      { intercept: (_, { response }) => void response.end('<html>') },
      { apiVersion: 'auto' },
      'HTTP 200 and a web page',
    ],
  ])('to %s reports what to do', async (_, options, over, words) => {
    await scene(options, async ({ run }) => {
      await run(over, async app => {
        await is(app, up, 0);
        expect(app.said.join('')).toContain(words);
      });
    });
  });

  test('with a refused password shows it in no log line, metric or page', async () => {
    await scene({ quirks: { tokenLifetimeSeconds: 3600 } }, async ({ run }) => {
      await run({ password: { value: new Secret('canary-wrong') } }, async app => {
        await is(app, up, 0);
        expect(app.said.join('') + (await app.get('/metrics')).text + (await app.get('/')).text).not.toContain(
          'canary',
        );
      });
    });
  });
});
