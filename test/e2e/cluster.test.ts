import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Cluster, startCluster } from './support/cluster.js';
import { cases, chart, type Helm, helm, helms, type Manifest, only, rendered, workload } from './support/helm.js';

const namespace = 'restricted';
const restricted = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: namespace,
    labels: Object.fromEntries(
      ['enforce', 'warn', 'audit'].map(mode => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
    ),
  },
};
const monitoring = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: 'monitoring' },
  value: 1,
};

let folder = '';
let cluster: Cluster | undefined;
const running = (): Cluster => {
  if (cluster === undefined) throw new Error('The API server has not started');
  return cluster;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vb365-cluster-'));
  cluster = await startCluster(folder);
  await cluster.post('/api/v1/namespaces', restricted);
  await cluster.post('/apis/scheduling.k8s.io/v1/priorityclasses', monitoring);
}, 120_000);

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** What Helm says that is no concern of the server: our own advice, and the rights of the kubeconfig file. */
const advice = /^WARNING: (?:persistence is off|Kubernetes configuration file)/;

/** Whether Helm was content, and whether the server had anything to say: Helm passes its warnings on. */
async function says(program: Helm, ...args: readonly string[]) {
  const where = ['--namespace', namespace, '--kubeconfig', running().kubeconfig];
  const { code, output } = await helm(program, [...args, ...where]);
  const lines = output.split('\n').filter(line => !advice.test(line));
  return { code, warnings: lines.filter(line => /warn|error|would violate|unknown field/i.test(line)) };
}

const content = { code: 0, warnings: [] };

describe.each(helms)('a cluster that enforces the restricted profile takes from %s', program => {
  test.each(cases)('%s: install, upgrade and uninstall, without a warning', async values => {
    expect(await says(program, 'install', 'r', chart, '--values', values)).toEqual(content);
    const upgrade = ['upgrade', 'r', chart, '--values', values, '--set', 'log.level=debug'];
    expect(await says(program, ...upgrade)).toEqual(content);
    expect(await says(program, 'uninstall', 'r')).toEqual(content);
  });

  test('no chart with a key that Kubernetes does not know', async () => {
    const bad = ['--set-json', 'dnsConfig={"nameserver":["1.1.1.1"]}'];
    const { code, warnings } = await says(program, 'install', 'bad', chart, '--values', cases[0] ?? '', ...bad);
    expect({ code, text: warnings.join('\n') }).toMatchObject({ text: expect.stringContaining('nameserver') });
    await helm(program, ['uninstall', 'bad', '--namespace', namespace, '--kubeconfig', running().kubeconfig]);
  });
});

const setting = (values: string): readonly string[] => ['--set', values];

describe('an upgrade', () => {
  const [oneServer = ''] = cases;
  /** Upgrades from one server with the first settings to the same with the others; answers what was said. */
  const upgraded = async (before: readonly string[], after: readonly string[]) => {
    const values = ['--values', oneServer];
    await says('helm', 'install', 'up', chart, ...values, ...before);
    const answer = await says('helm', 'upgrade', 'up', chart, ...values, ...after);
    await says('helm', 'uninstall', 'up');
    return answer;
  };

  test.each(cases.filter(file => !/own-objects|nothing-kept|pod-monitor/.test(file)))(
    'to the values of %s is taken, and back',
    async other => {
      expect(await says('helm', 'install', 'up', chart, '--values', oneServer)).toEqual(content);
      expect(await says('helm', 'upgrade', 'up', chart, '--values', other)).toEqual(content);
      expect(await says('helm', 'upgrade', 'up', chart, '--values', oneServer)).toEqual(content);
      expect(await says('helm', 'uninstall', 'up')).toEqual(content);
    },
  );

  const operator = 'dashboards.grafanaOperator.enabled=true';

  test.each([
    ['persistence.enabled', [], setting('persistence.enabled=false')],
    ['persistence.size', [], setting('persistence.size=2Gi')],
    ['persistence.accessModes', [], setting('persistence.accessModes={ReadWriteOnce}')],
    ['nameOverride', [], setting('nameOverride=vb365,fullnameOverride=up-vb365-exporter')],
    [
      'dashboards.grafanaOperator.instanceSelector',
      setting(operator),
      setting(`${operator},dashboards.grafanaOperator.instanceSelector.matchLabels.dashboards=other`),
    ],
    [
      'dashboards.grafanaOperator.allowCrossNamespaceImport',
      setting(`${operator},dashboards.grafanaOperator.allowCrossNamespaceImport=true`),
      setting(operator),
    ],
  ])('of %s is refused, as the README of the chart says', async (key, before, after) => {
    expect(await upgraded(before, after)).toMatchObject({ code: 1 });
    expect(readFileSync(`${chart}/README.md`, 'utf8').split('## Values')[0]).toContain(`\`${key}\``);
  });
});

test('GrafanaDashboards of the examples are taken, without a warning; one with an unknown key is not', async () => {
  const path = `/apis/grafana.integreatly.org/v1beta1/namespaces/${namespace}/grafanadashboards?dryRun=All&fieldValidation=Strict`;
  type Dashboard = Readonly<{ kind: string; spec: object }>;
  const examples = parseAllDocuments(readFileSync('examples/grafana/operator/dashboards.yaml', 'utf8'))
    .map(document => document.toJS() as Dashboard)
    .filter(({ kind }) => kind === 'GrafanaDashboard');
  expect(examples.length).toBeGreaterThan(3);
  for (const example of examples) {
    expect(await running().post(path, example)).toMatchObject({ status: 201, warnings: [] });
    const wrong = { ...example, spec: { ...example.spec, resyncPeriods: '1m' } };
    expect(await running().post(path, wrong)).toMatchObject({ status: 400 });
  }
});

test('the example of a ScrapeConfig is taken, without a warning', async () => {
  const example = parse(readFileSync('examples/kubernetes/scrape-config.yaml', 'utf8')) as object;
  const path = `/apis/monitoring.coreos.com/v1alpha1/namespaces/${namespace}/scrapeconfigs?dryRun=All&fieldValidation=Strict`;
  expect(await running().post(path, example)).toMatchObject({ status: 201, warnings: [] });
});

/** The pod that the controller would make. */
function podOf({ spec, metadata }: Manifest): object {
  const claims = spec.volumeClaimTemplates ?? [];
  const volumes = claims.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: `${name}-0` } }));
  const pod = spec.template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...pod.metadata, name: `${metadata.name}-0` },
    spec: { ...pod.spec, volumes: [...pod.spec.volumes, ...volumes] },
  };
}

const pods = `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`;

test.each(cases)('the pod of %s is admitted, without a warning', async values => {
  const pod = podOf(workload(await rendered(['--values', values])));
  expect(await running().post(pods, pod)).toMatchObject({ status: 201, warnings: [] });
});

test.each(cases.slice(0, 1))('the pod that "helm test" runs is admitted, without a warning', async values => {
  const { metadata, ...pod } = only(await rendered(['--values', values]), 'Pod');
  const { namespace: _, ...here } = metadata;
  expect(await running().post(pods, { ...pod, metadata: here })).toMatchObject({ status: 201, warnings: [] });
});

test.each([
  [
    'securityContext.readOnlyRootFilesystem=true,securityContext.allowPrivilegeEscalation=true',
    'allowPrivilegeEscalation',
  ],
  ['podSecurityContext.seccompProfile.type=Unconfined', 'seccompProfile'],
])('a pod that is less than restricted is refused: %s', async (set, word) => {
  const pod = podOf(workload(await rendered(['--values', cases[0] ?? '', '--set', set])));
  expect(await running().post(pods, pod)).toMatchObject({
    status: 403,
    body: { message: expect.stringContaining(word) },
  });
});
