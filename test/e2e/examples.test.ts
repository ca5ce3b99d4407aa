import { describe, expect, test } from '@jest/globals';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { inFolder } from '../support/folder.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const compose = 'examples/compose/docker-compose.yml';
const withReplicas = 'examples/ha/docker-compose.yml';
const withLoki = 'examples/compose/loki.yml';
const withGrafana = 'examples/compose/grafana.yml';
type Scraping = Readonly<{ scrape_configs: readonly Readonly<{ job_name: string }>[] }>;
const textOf = (path: string): string => readFileSync(path, 'utf8');

test.each([
  'examples/vb365-exporter.yaml',
  'packaging/windows/vb365-exporter.yaml',
  'packaging/linux/vb365-exporter.yaml',
  'examples/compose/exporter/vb365-exporter.yaml',
  'examples/ha/exporter/vb365-exporter.yaml',
  'examples/ha/managed-postgresql.yaml',
])('the exporter takes %s', async file => {
  const args = ['dist/src/main.js', 'check', '--syntax-only', '--config.file', file];
  expect(await runProgram({ path: process.execPath, args })).toMatchObject({ code: 0 });
});

describe('Prometheus takes', () => {
  test('the examples of scraping, files of targets included', async () => {
    await inFolder(async folder => {
      const example = join(folder, 'examples/prometheus');
      cpSync('examples/prometheus', example, { recursive: true });
      cpSync('dashboards/prometheus', join(folder, 'dashboards/prometheus'), { recursive: true });
      // The files of secrets are on the user's machine only.
      const text = textOf(join(example, 'prometheus.yml')).replaceAll(/\/etc\/prometheus\//g, '');
      writeFileSync(join(example, 'prometheus.yml'), text);
      for (const file of ['vb365-password', 'vb365-ca.pem']) writeFileSync(join(example, file), '');
      const args = ['check', 'config', join(example, 'prometheus.yml')];
      const { code, output } = await runProgram({ path: toolPath('promtool'), args });
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/prometheus\.yml is valid/) });
      expect(output).toMatch(/vb365-alerts\.yml/);
    });
  });

  test('the example for Kubernetes; discovery itself is not in the Prometheus of Debian', async () => {
    await inFolder(async folder => {
      const text = textOf('examples/kubernetes/prometheus.yml');
      const discovery = /kubernetes_sd_configs:\n\s+- role: pod\n/;
      expect(text).toMatch(discovery);
      writeFileSync(join(folder, 'prometheus.yml'), text.replace(discovery, 'static_configs: []\n'));
      const args = ['check', 'config', join(folder, 'prometheus.yml')];
      expect(await runProgram({ path: toolPath('promtool'), args })).toMatchObject({ code: 0 });
    });
  });

  test.each(['compose', 'ha'])('the configuration of the compose stack in examples/%s', async example => {
    await inFolder(async folder => {
      cpSync(`examples/${example}/prometheus`, folder, { recursive: true });
      cpSync('dashboards/prometheus', join(folder, 'rules'), { recursive: true });
      const args = ['check', 'config', join(folder, 'prometheus.yml')];
      expect(await runProgram({ path: toolPath('promtool'), args })).toMatchObject({ code: 0 });
    });
  });

  test('jobs that the bundled alerts find', () => {
    for (const file of [
      'examples/prometheus/prometheus.yml',
      'examples/kubernetes/prometheus.yml',
      'examples/compose/prometheus/prometheus.yml',
      'examples/ha/prometheus/prometheus.yml',
    ])
      for (const { job_name: job } of (parse(textOf(file)) as Scraping).scrape_configs) expect(job).toContain('vb365');
  });
});

test('Alertmanager takes the configuration of the compose stack', async () => {
  const args = ['check-config', 'examples/compose/alertmanager/alertmanager.yml'];
  expect(await runProgram({ path: toolPath('amtool'), args })).toMatchObject({ code: 0 });
});

test.each(['otel-collector/config.yaml', 'loki/otel-collector.yaml'])(
  'the Collector takes %s of the compose stack',
  async file => {
    const args = ['validate', '--config', join('examples/compose', file)];
    expect(await runProgram({ path: toolPath('otelcol'), args })).toMatchObject({ code: 0 });
  },
);

type Files = readonly string[];

/** What reads compose files: the old docker-compose, and the reader of the specification that docker compose has today. */
const readers = [
  {
    reader: 'docker-compose',
    tool: 'dockerCompose',
    args: (files: Files) => [...files.flatMap(file => ['--file', file]), 'config', '--quiet'],
  },
  { reader: 'compose-spec', tool: 'composeSpec', args: (files: Files) => files },
] as const;

describe.each([
  { name: 'the compose file', file: compose, others: [], oneKey: 'read_only:' },
  { name: 'the compose file with replicas', file: withReplicas, others: [], oneKey: 'read_only:' },
  { name: 'the overlay with Loki, Tempo and Grafana', file: withLoki, others: [compose], oneKey: 'environment:' },
  { name: 'the overlay with Grafana', file: withGrafana, others: [compose], oneKey: 'environment:' },
])('$name', ({ file, others, oneKey }) => {
  type Service = Readonly<Record<string, readonly string[] | undefined>>;
  const { services } = parse(textOf(file), { merge: true }) as Readonly<{
    services: Readonly<Record<string, Service>>;
  }>;

  test.each(readers)('is taken by $reader; one with a key that it does not know is not', async ({ tool, args }) => {
    const read = async (last: string) => runProgram({ path: toolPath(tool), args: args([...others, last]) });
    expect(await read(file)).toMatchObject({ code: 0 });
    await inFolder(async folder => {
      const bad = join(folder, 'docker-compose.yml');
      writeFileSync(bad, textOf(file).replaceAll(oneKey, `bad_${oneKey}`));
      expect(await read(bad)).toMatchObject({ code: 1, output: expect.stringContaining('bad_') });
    });
  });

  test.each(Object.entries(services).filter(([, { image }]) => image !== undefined))(
    '%s: pages on this machine only, no rights, no image that moves',
    (_, { ports = [], cap_drop, security_opt, image }) => {
      expect(ports.filter(port => !port.startsWith('127.0.0.1:'))).toEqual([]);
      expect({ cap_drop, security_opt }).toEqual({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(image).toMatch(/:(?:v?\d+\.\d+(?:\.\d+)?|compose)$/);
    },
  );

  test('mounts only what is there', () => {
    const mounts = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map(volume => volume.split(':')[0] ?? ''),
    );
    const files = mounts.filter(mount => mount.startsWith('.')).map(mount => join(dirname(file), mount));
    expect(files.length).toBeGreaterThan(3);
    for (const mounted of files) expect([mounted, existsSync(mounted)]).toEqual([mounted, true]);
  });
});

describe('the systemd unit', () => {
  const unit = 'packaging/linux/vb365-exporter.service';

  test('is taken by systemd', async () => {
    await inFolder(async folder => {
      // The program is not installed here.
      const text = textOf(unit).replace('/usr/bin/vb365-exporter', resolve('packaging/linux/vb365-exporter'));
      const file = join(folder, 'vb365-exporter.service');
      writeFileSync(file, text);
      const args = ['verify', '--man=no', file];
      expect(await runProgram({ path: toolPath('systemdAnalyze'), args })).toEqual({ code: 0, output: '' });
    });
  });

  test('exposes little: systemd rates it below 2 of 10', async () => {
    await inFolder(async folder => {
      mkdirSync(join(folder, 'units'));
      cpSync(unit, join(folder, 'units/vb365-exporter.service'));
      const args = ['security', '--offline=true', '--threshold=20', join(folder, 'units/vb365-exporter.service')];
      expect(await runProgram({ path: toolPath('systemdAnalyze'), args })).toMatchObject({ code: 0 });
    });
  });
});
