import { describe, expect, test } from '@jest/globals';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../support/program.js';
import { cases, chart, helm, helms } from './support/helm.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const [oneServer = ''] = cases;

test('the suites in the chart pass', async () => {
  const args = [chart, '--strict', '--file', 'unittests/*_test.yaml'];
  const { code, output } = await runProgram({ path: toolPath('helmUnittest'), args });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/Tests: +\d+ passed/) });
});

test("the chart's README is what helm-docs writes", async () => {
  await inFolder(async folder => {
    cpSync(chart, join(folder, chart), { recursive: true });
    const args = ['--chart-search-root', folder];
    expect(await runProgram({ path: toolPath('helmDocs'), args })).toMatchObject({ code: 0 });
    const written = readFileSync(join(folder, chart, 'README.md'), 'utf8');
    expect(readFileSync(join(chart, 'README.md'), 'utf8')).toBe(written);
  });
});

/** What kube-score finds and we mean to be so. */
const meant = [
  // A limit of CPU delays scrapes and gains nothing.
  'CPU limit is not set',
  // A tag of ours is one version for ever.
  'ImagePullPolicy is not set to Always',
  // Only when asked for, as in other charts; what it is to let through, only the user knows.
  'The pod does not have a matching NetworkPolicy',
  // With `service.clusterIP: ''` there is an address in place of a headless service; one pod needs no name of its own.
  'StatefulSet does not have a valid serviceName',
];

test.each(cases.filter(file => !/own-objects|nothing-kept/.test(file)))(
  'kube-score finds nothing in %s but what is meant',
  async values => {
    const { output: manifests } = await helm('helm', ['template', 'r', chart, '--values', values]);
    await inFolder(async folder => {
      const file = join(folder, 'manifests.yaml');
      writeFileSync(file, manifests);
      const args = ['score', '--output-format', 'ci', file];
      const { output } = await runProgram({ path: toolPath('kubeScore'), args });
      expect(output).toMatch(/^\[OK\].*StatefulSet/m);
      const found = output.split('\n').filter(line => /^\[(?:CRITICAL|WARNING)\]/.test(line));
      expect(found.filter(line => !meant.some(one => line.endsWith(one)))).toEqual([]);
    });
  },
);

/** One bad value for each rule of the schema, beside one server that is good. */
const refused = [
  ['imagee', 'x'],
  ['replicaCount', 2],
  ['image.tag', 'latest'],
  ['image.tag', 'a b'],
  ['image.digest', 'md5:1'],
  ['image.repository', ''],
  ['image.pullPolicy', 'Sometimes'],
  ['image.registy', 'x'],
  ['imagePullSecrets', ['']],
  ['nameOverride', 'Not_A_Name'],
  ['commonLabels.number', 1],
  ['config.servers', []],
  ['config.servers', [{ name: 'hq' }]],
  ['config.servers', [{ name: 'h q', url: 'https://a' }]],
  ['config.servers', [{ name: 'hq', url: 'ftp://a' }]],
  ['config.servers', [{ name: 'hq', url: 'https://a', pasword_file: '/x' }]],
  ['config.history_', 'now'],
  ['config.abandon_after', ''],
  ['config.abandon_after', '5 minutes'],
  ['existingConfigMap', 'beside-config'],
  ['passwords.hq', ''],
  ['passwords', { hq: 'beside-existing-secret' }],
  ['webConfig.content.tls', {}],
  ['webConfig.tls', 'yes'],
  ['caBundle', { configMap: 'one', secret: 'other' }],
  ['caBundle.key', 'a/b'],
  ['proxy.httpsProxy', 'proxy:3128'],
  ['log.level', 'trace'],
  ['log.format', 'xml'],
  ['extraArgs', ['serve']],
  ['extraEnv', [{ value: 'x' }]],
  ['extraManifests', [1]],
  ['persistence.accessModes', ['ReadWriteMany']],
  ['persistence.accessModes', []],
  ['persistence.size', 'big'],
  ['persistence.retentionPolicy.whenDeleted', 'Keep'],
  ['revisionHistoryLimit', -1],
  ['terminationGracePeriodSeconds', 5],
  ['service.type', 'ExternalName'],
  ['service.clusterIP', 'none'],
  ['service.port', 0],
  ['serviceMonitor.interval', '30 sec'],
  ['serviceMonitor.scheme', 'HTTP'],
  ['serviceMonitor.sampleLimit', -1],
  ['podMonitor.honorLabels', 'no'],
  ['prometheusRule.disabled.VB365NoSuchAlert', true],
  ['prometheusRule.severity.VB365ApiSlow', 'urgent'],
  ['prometheusRule.runbookUrl', 'runbooks'],
  ['dashboards.folderAnnotation', ''],
  ['dashboards.grafanaOperator.resyncPeriod', 'often'],
  ['dashboards.grafanaOperator.resyncPeriod', ''],
  ['dashboards.grafanaOperator.resyncPeriod', '1d'],
  ['networkPolicy.egress.ports', [70_000]],
  ['podDisruptionBudget.maxUnavailable', 'half'],
  ['testConnection.enabled', 'true'],
] as const;

describe.each(helms)('%s refuses', program => {
  const template = async (key: string, value: unknown) =>
    helm(program, ['template', 'r', chart, '--values', oneServer, '--set-json', `${key}=${JSON.stringify(value)}`]);

  test.each(refused)('%s: %j', async (key, value) => {
    const { code, output } = await template(key, value);
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/values don't meet the spec/) });
  });

  test('serviceMonitor and podMonitor at once', async () => {
    const both = ['--set', 'serviceMonitor.enabled=true,podMonitor.enabled=true'];
    const { code, output } = await helm(program, ['template', 'r', chart, '--values', oneServer, ...both]);
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/values don't meet the spec/) });
  });

  test.each([
    ['service.port', 8080],
    ['global.other', 'of a parent chart'],
    ['prometheusRule.disabled.VB365ApiSlow', true],
  ])('nothing that is good: %s: %j', async (key, value) => {
    expect(await template(key, value)).toMatchObject({ code: 0 });
  });
});
