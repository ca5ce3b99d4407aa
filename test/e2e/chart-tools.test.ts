import { describe, expect, test } from '@jest/globals';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../support/folder.js';
import { cases, chart, helm, helms } from './support/helm.js';
import { refusedValues } from '../support/refused-values.js';
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
  // With `service.clusterIP: ''` there is an address in place of a headless service; one pod needs no name.
  'StatefulSet does not have a valid serviceName',
  // Replicas spread over the nodes by a topology spread constraint.
  'Deployment does not have a host podAntiAffinity set',
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
      expect(output).toMatch(/^\[OK\].*(?:StatefulSet|Deployment)/m);
      const found = output.split('\n').filter(line => /^\[(?:CRITICAL|WARNING)\]/.test(line));
      expect(found.filter(line => !meant.some(one => line.endsWith(one)))).toEqual([]);
    });
  },
);

describe.each(helms)('%s refuses', program => {
  const template = async (key: string, value: unknown) => {
    const values = key === '' ? Object.entries(value as object) : [[key, value]];
    const given = values.flatMap(([name, one]) => ['--set-json', `${String(name)}=${JSON.stringify(one)}`]);
    return helm(program, ['template', 'r', chart, '--values', oneServer, ...given]);
  };

  test.each(refusedValues)('%s: %j', async (key, value) => {
    const { code, output } = await template(key, value);
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
