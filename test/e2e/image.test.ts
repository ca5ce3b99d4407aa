import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import { otlpReceiver } from '../support/otlp-receiver.js';
import { inFolder } from '../support/folder.js';
import { runsAlone } from './support/alone.js';
import { chartContainer } from './support/chart-container.js';
import { rendered } from './support/helm.js';
import { buildImage, image, inspected, podman, runtimeBase } from './support/image.js';
import { eventually, freePort, getText } from './support/running.js';
import { startStack } from './support/stack.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const name = 'vb365-exporter-test';
const volume = 'vb365-exporter-test-state';

runsAlone();
beforeAll(async () => buildImage(version), 600_000);

afterAll(async () => {
  await podman('rm', '--force', name);
  await podman('volume', 'rm', '--force', volume);
}, 60_000);

const run = async (...args: readonly string[]) =>
  podman('run', '--rm', '--no-healthcheck', '--read-only', '--network', 'none', image, ...args);

describe('the image', () => {
  test('holds at most 30 MB in addition to Node and its base', async () => {
    const [whole, base] = [await inspected('.Size', image), await inspected('.Size', runtimeBase)];
    const added = Number(whole) - Number(base) - statSync(process.execPath).size;
    expect(added).toBeLessThan(30_000_000);
    expect(added).toBeGreaterThan(1_000_000);
  });

  test('says who it is, runs as nobody, and knows how to ask whether it is well', async () => {
    const config = await inspected('.Config', image);
    expect(config).toMatchObject({
      User: '65532:65532',
      ExposedPorts: { '10365/tcp': {} },
      Volumes: { '/var/lib/vb365-exporter': {} },
      StopSignal: 'SIGTERM',
      Entrypoint: ['/nodejs/bin/node', '--max-semi-space-size=16', 'dist/src/main.js'],
      Labels: {
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': 'of-the-tests',
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.source': expect.stringMatching(/^https:/),
      },
    });
    expect(await inspected('.HealthCheck.Test', image)).toEqual([
      'CMD',
      '/nodejs/bin/node',
      'dist/src/main.js',
      'healthcheck',
    ]);
  });

  test('knows its version and every command', async () => {
    expect((await run('--version')).output.trim()).toBe(version);
    expect((await run('--help')).output).toMatch(/serve.*demo.*check.*simulate.*healthcheck.*state/s);
    expect(await run('demo', '--for', '5s')).toMatchObject({ code: 0 });
  });
});

/** A configuration that the user of the image may read, and nobody may write from inside. */
function writeConfig(folder: string, url: string, otlp: URL): void {
  chmodSync(folder, 0o755);
  const server = { name: 'hq', url, username: 'simulator', password_file: '/etc/vb365-exporter/password' };
  const config = {
    servers: [{ ...server, poll_interval: '5s', open_poll_interval: '1s' }],
    otlp: { endpoint: otlp.origin, protocol: 'http/json' },
  };
  writeFileSync(join(folder, 'vb365-exporter.yaml'), JSON.stringify(config));
  writeFileSync(join(folder, 'password'), 'simulator');
}

/** As strict as a cluster with the restricted profile runs it. */
const strict = '--read-only --read-only-tmpfs=false --cap-drop ALL --security-opt no-new-privileges --memory 256m'
  .concat(' --network host --pull never')
  .split(' ');

test('runs with the least rights, writes only its state, and stops with 0 within 2 s', async () => {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    const receiver = await otlpReceiver();
    try {
      writeConfig(folder, simulator.url, receiver.url);
      const address = `127.0.0.1:${String(await freePort())}`;
      const mounts = ['-v', `${volume}:/var/lib/vb365-exporter`, '-v', `${folder}:/etc/vb365-exporter:ro`];
      const args = ['--config.file', '/etc/vb365-exporter/vb365-exporter.yaml', '--web.listen-address', address];
      const started = await podman('run', '--detach', '--name', name, ...strict, ...mounts, image, ...args);
      expect(started).toMatchObject({ code: 0 });
      const page = async (): Promise<string> => (await getText(`http://${address}/metrics`)).text;
      const met = /polls_total\{server="hq",result="complete"\} [1-9]/;
      await eventually('the server was read', async () => (met.test(await page()) ? true : undefined));

      const pid = await inspected('.State.Pid', name);
      const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      const mountpoint = await podman('volume', 'inspect', '--format', '{{.Mountpoint}}', volume);
      expect(readdirSync(mountpoint.output.trim()).filter(file => !file.startsWith('vb365-exporter.db'))).toEqual([]);
      expect(
        await podman(
          'exec',
          name,
          '/nodejs/bin/node',
          'dist/src/main.js',
          'healthcheck',
          '--web.listen-address',
          address,
        ),
      ).toMatchObject({ code: 0 });

      const { id } = simulator.world.addSession({ createdAt: milliseconds(systemClock.now() + 5_000) });
      simulator.world.appendEvent(id, { startedAt: milliseconds(systemClock.now() + 5_000), type: 'Restore' });
      await eventually('a record was delivered', () => (receiver.records().length > 0 ? true : undefined));

      const askedAt = systemClock.monotonic();
      await podman('stop', '--time', '10', name);
      expect(systemClock.monotonic() - askedAt).toBeLessThan(2_000);
      expect(await inspected('.State.ExitCode', name)).toBe(0);
    } finally {
      await podman('rm', '--force', name);
      await receiver.close();
      await simulator.close();
    }
  });
});

/** The values of a server of this machine, as a container of podman's own network sees it. */
async function serverHere(url: string): Promise<readonly string[]> {
  const gateway = await podman('network', 'inspect', '--format', '{{(index .Subnets 0).Gateway}}', 'podman');
  const there = `http://${gateway.output.trim()}:${new URL(url).port}`;
  const servers = [{ name: 'hq', url: there, username: 'simulator', allow_http: true }];
  return ['--set-json', `config.servers=${JSON.stringify(servers)}`, '--set', 'passwords.hq=simulator'];
}

test('runs as the chart has it: arguments, files, rights and probes fit together', async () => {
  await inFolder(async folder => {
    chmodSync(folder, 0o755);
    const simulator = await simulate({ clock: systemClock, host: '0.0.0.0' });
    const manifests = await rendered(await serverHere(simulator.url));
    const { container, options, args } = chartContainer(manifests, folder, `${volume}-chart`);
    const how = ['--detach', '--no-healthcheck', '--pull', 'never', ...options];
    const chartName = `${name}-chart`;
    try {
      expect(await podman('run', '--name', chartName, ...how, image, ...args)).toMatchObject({ code: 0 });
      const address = await podman('inspect', '--format', '{{.NetworkSettings.IPAddress}}', chartName);
      const at = async (path = '/no-such-probe') => getText(`http://${address.output.trim()}:10365${path}`);
      await eventually('the readiness probe is content', async () =>
        (await at(container.readinessProbe?.httpGet?.path)).status === 200 ? true : undefined,
      );
      expect(await at(container.livenessProbe?.httpGet?.path)).toMatchObject({ status: 200 });
      await eventually('it has logged in', async () =>
        /^vb365_server_up\{server="hq"\} 1$/m.test((await at('/metrics')).text) ? true : undefined,
      );
      await podman('stop', '--time', '10', chartName);
      expect(await inspected('.State.ExitCode', chartName)).toBe(0);
    } finally {
      await podman('rm', '--force', chartName);
      await podman('volume', 'rm', '--force', `${volume}-chart`);
      await simulator.close();
    }
  });
});

test('the compose stack runs as its files say: metrics, logs and traces arrive', async () => {
  await inFolder(async folder => {
    const stack = await startStack(folder);
    const finds = async (what: string, service: readonly [string, number], path: string, pattern: RegExp) => {
      const url = `${await stack.url(...service)}${path}`;
      await eventually(what, async () => (pattern.test((await getText(url)).text) ? true : undefined), 180_000);
    };
    try {
      const prometheus = ['prometheus', 9090] as const;
      await finds('Prometheus scrapes', prometheus, '/api/v1/query?query=up', /"job":"vb365-exporter".*,"1"\]/);
      await finds('rules are loaded', prometheus, '/api/v1/rules', /VB365RestoreEventFailed/);
      await finds(
        'Alertmanager is found',
        prometheus,
        '/api/v1/alertmanagers',
        /"activeAlertmanagers":\[\{"url":"http:\/\/alertmanager:9093/,
      );
      await finds('Alertmanager has an alert', ['alertmanager', 9093], '/api/v2/alerts', /"alertname":"VB365/);
      const query = encodeURIComponent('{service.name="vb365-exporter"} trace_id:* | limit 1');
      await finds(
        'VictoriaLogs has records',
        ['victorialogs', 9428],
        `/select/logsql/query?query=${query}`,
        /"trace_id":"\w{32}"/,
      );
      await finds(
        'Jaeger has traces',
        ['jaeger', 16686],
        '/api/traces?service=vb365-exporter&limit=1',
        /"traceID":"\w{32}"/,
      );
      expect(await podman('healthcheck', 'run', stack.container('exporter'))).toMatchObject({ code: 0 });
    } finally {
      await stack.stop();
    }
  });
}, 480_000);
