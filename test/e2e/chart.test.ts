import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { inFolder } from '../support/folder.js';
import { cases, chart, helm, helms, type Manifest, only, type PodSpec, rendered, workload } from './support/helm.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const [oneServer = '', operator = '', , , , , grafanaOperator = ''] = cases;

/** The specs of all pods that there will be. */
const pods = (manifests: readonly Manifest[]): readonly PodSpec[] => [
  workload(manifests).spec.template.spec,
  ...manifests.filter(({ kind }) => kind === 'Pod').map(({ spec }) => spec),
];

describe.each(helms)('%s', program => {
  test.each(cases)('finds nothing wrong with %s', async values => {
    const { code, output } = await helm(program, ['lint', '--strict', chart, '--values', values]);
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('0 chart(s) failed') });
  });

  test.each(cases)('makes of %s what the other one makes', async values => {
    expect(await rendered(['--values', values], program)).toEqual(await rendered(['--values', values]));
  });

  test('says what is missing when there are no values', async () => {
    await expect(rendered([], program)).rejects.toThrow('Name at least one VB365 server in config.servers');
  });

  test('refuses a Kubernetes without ReadWriteOncePod', async () => {
    const old = ['--kube-version', '1.28.0', '--values', oneServer];
    await expect(rendered(old, program)).rejects.toThrow('chart requires kubeVersion: >=1.29.0-0');
  });

  test('packs the chart with rules and without tests', async () => {
    await inFolder(async folder => {
      expect(await helm(program, ['package', chart, '--destination', folder])).toMatchObject({ code: 0 });
      const [archive = ''] = readdirSync(folder);
      const { output } = await runProgram({ path: 'tar', args: ['-tzf', join(folder, archive)] });
      expect(output).toContain('vb365-exporter/files/prometheus/vb365-alerts.yml');
      expect(output).toContain('vb365-exporter/README.md');
      expect(output).not.toMatch(/\/(?:ci|unittests)\/|gotmpl/);
    });
  });
});

describe.each(cases)('the objects of %s', values => {
  test('have no name twice in a list that Kubernetes keys by name', async () => {
    const containers = pods(await rendered(['--values', values])).flatMap(pod => pod.containers);
    for (const { env = [], ports = [], volumeMounts = [] } of containers) {
      for (const names of [
        env.map(({ name }) => name),
        ports.map(({ name }) => name),
        volumeMounts.map(({ mountPath }) => mountPath),
      ])
        expect(names).toEqual([...new Set(names)]);
    }
  });

  test('run without rights: no root, no capability, no token, no write but to the state', async () => {
    const manifests = await rendered(['--values', values]);
    for (const pod of pods(manifests)) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const { image, securityContext, volumeMounts = [] } of pod.containers) {
        expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
        expect(securityContext['capabilities']).toEqual({ drop: ['ALL'] });
        expect(image).toMatch(/^[^\s:]+(?::\d+\.\d+\.\d+|@sha256:\w{64})$/);
        const writable = volumeMounts.filter(one => one.readOnly !== true);
        expect(['state', undefined]).toContain(writable[0]?.name);
        expect(writable.length).toBeLessThan(2);
      }
    }
    expect(manifests.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });

  test('are in the namespace of the release and have the labels of the chart', async () => {
    for (const { kind, metadata } of await rendered(['--values', values])) {
      if (/extra|text/.test(metadata.name)) continue;
      expect({ kind, ...metadata }).toMatchObject({ namespace: 'monitoring' });
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'r', 'helm.sh/chart': expect.anything() });
    }
  });

  test('hold a configuration that the exporter takes', async () => {
    const manifests = await rendered(['--values', values]);
    const texts = manifests.flatMap(({ data }) => data?.['vb365-exporter.yaml'] ?? []);
    if (values.includes('own-objects')) expect(texts).toEqual([]);
    for (const text of texts) {
      await inFolder(async folder => {
        const file = join(folder, 'vb365-exporter.yaml');
        writeFileSync(file, text);
        const args = ['dist/src/main.js', 'check', '--syntax-only', '--config.file', file];
        expect(await runProgram({ path: process.execPath, args })).toMatchObject({ code: 0 });
      });
    }
  });
});

const groupsOf = (file: string): readonly unknown[] =>
  (parse(readFileSync(file, 'utf8')) as Readonly<{ groups: readonly unknown[] }>).groups;

describe('rules in the chart', () => {
  const files = ['vb365-alerts.yml', 'vb365-recordings.yml'].map(name => `dashboards/prometheus/${name}`);

  test('are those of dashboards/prometheus, when the values change none', async () => {
    const rule = only(
      await rendered(['--values', oneServer, '--set', 'prometheusRule.enabled=true']),
      'PrometheusRule',
    );
    expect(rule.spec.groups).toEqual(files.flatMap(groupsOf));
  });

  test('are good rules for promtool, changed as they are', async () => {
    await inFolder(async folder => {
      const { spec } = only(await rendered(['--values', operator]), 'PrometheusRule');
      const file = join(folder, 'rules.yml');
      writeFileSync(file, stringify(spec));
      const checked = await runProgram({ path: toolPath('promtool'), args: ['check', 'rules', '--lint=all', file] });
      expect(checked).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
    });
  });

  test('leave out an alert, make one more urgent, and lead to the pages of the user', async () => {
    const { spec } = only(await rendered(['--values', operator]), 'PrometheusRule');
    const rules = spec.groups.flatMap(group => group.rules);
    const named = (name: string) => rules.find(({ alert }) => alert === name);
    expect(named('VB365ApiSlow')).toBeUndefined();
    expect(named('VB365RestoreVolumeUnusual')).toBeDefined();
    expect(named('VB365RestoreEventFailed')).toMatchObject({ labels: { severity: 'critical', team: 'backup' } });
    expect(named('Own')).toMatchObject({ annotations: { summary: 'Of {{ $labels.server }}' } });
    for (const { alert = '', annotations } of rules.filter(one => one.alert?.startsWith('VB365') === true)) {
      expect(annotations['runbook_url']).toBe(`https://runbooks.example.org/vb365/${alert}.md`);
      expect(annotations['dashboard_url']).toMatch(/^https:\/\/grafana\.example\.org\/d\/vb365-/);
    }
  });
});

describe('dashboards in the chart', () => {
  /** Runs with a chart that has one more dashboard, as if it were in dashboards/grafana. */
  const dashboard = '{ "uid": "vb365-trial", "title": "{{ not a template }}" }';
  const withDashboard = async (values: string): Promise<readonly Manifest[]> => {
    let manifests: readonly Manifest[] = [];
    await inFolder(async folder => {
      const copy = join(folder, 'vb365-exporter');
      await runProgram({ path: 'cp', args: ['-r', chart, copy] });
      await runProgram({ path: 'mkdir', args: ['-p', join(copy, 'files/grafana')] });
      writeFileSync(join(copy, 'files/grafana/vb365-trial.json'), dashboard);
      const { output } = await helm('helm', ['template', 'r', copy, '--values', values]);
      manifests = output.split('\n---\n').map(text => parse(text) as Manifest);
    });
    return manifests.filter(({ metadata }) => metadata.name === 'r-vb365-exporter-vb365-trial');
  };

  test('are those of dashboards/grafana, and no other', async () => {
    const configs = (await rendered(['--values', operator])).filter(({ kind }) => kind === 'ConfigMap');
    const shown = configs.flatMap(({ data = {} }) => Object.entries(data)).filter(([file]) => file.endsWith('.json'));
    const folder = 'dashboards/grafana';
    const files = readdirSync(folder).filter(file => file.endsWith('.json'));
    expect(shown.map(([file, text]) => [file, parse(text) as unknown])).toEqual(
      files.toSorted().map(file => [file, parse(readFileSync(join(folder, file), 'utf8')) as unknown]),
    );
  });

  test('are ConfigMaps that the sidecar finds, as they are in dashboards/grafana', async () => {
    const [config, ...more] = await withDashboard(operator);
    expect(more).toEqual([]);
    expect(config).toMatchObject({
      kind: 'ConfigMap',
      metadata: { labels: { grafana_dashboard: '1' }, annotations: { grafana_folder: 'Backup' } },
      data: { 'vb365-trial.json': dashboard },
    });
  });

  test('are objects of the Grafana Operator', async () => {
    const [config, object] = await withDashboard(grafanaOperator);
    expect(config?.metadata.labels).not.toHaveProperty('grafana_dashboard');
    expect(object).toMatchObject({
      kind: 'GrafanaDashboard',
      spec: {
        folder: 'Backup',
        instanceSelector: { matchLabels: { dashboards: 'backup' } },
        configMapRef: { name: 'r-vb365-exporter-vb365-trial', key: 'vb365-trial.json' },
      },
    });
  });
});

test('the notes after the installation name no password', async () => {
  const args = ['install', 'r', chart, '--dry-run=client', '--values', operator];
  const { code, output } = await helm('helm', args, { KUBECONFIG: '/nowhere' });
  const notes = output.slice(output.indexOf('NOTES:'));
  expect({ code, notes }).toMatchObject({ code: 0, notes: expect.stringContaining('release: <its release>') });
  expect(notes).not.toContain('not-a-secret');
});
