import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { boardFiles, folder, victoriaLogsFolder } from '../dashboards/boards.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

type ConfigMap = Readonly<{
  kind: string;
  metadata: Readonly<{ name: string; labels: Record<string, string>; annotations: Record<string, string> }>;
  data: Readonly<Record<string, string>>;
}>;

/** What the Grafana operator's resources of the example ask for. */
const asked = parseAllDocuments(readFileSync('examples/grafana/operator/dashboards.yaml', 'utf8')).flatMap(one => {
  const { spec } = one.toJS() as { spec: { configMapRef?: { name: string; key: string } } };
  return spec.configMapRef ?? [];
});

test.each([folder, victoriaLogsFolder])(
  'kustomize makes of %s the ConfigMaps that the sidecar finds and the operator asks for, with the dashboards in them',
  async root => {
    const { code, output } = await runProgram({ path: toolPath('kustomize'), args: ['build', root] });
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const made = parseAllDocuments(output).map(one => one.toJS() as ConfigMap);
    for (const { kind, metadata } of made)
      expect({ kind, ...metadata }).toMatchObject({
        kind: 'ConfigMap',
        labels: { grafana_dashboard: '1' },
        annotations: { grafana_folder: 'VB365' },
      });
    const found = made.flatMap(({ metadata: { name }, data }) => Object.keys(data).map(key => ({ name, key })));
    expect(found).toEqual(expect.arrayContaining(asked));
    expect(found.map(({ key }) => key).toSorted()).toEqual(boardFiles.toSorted());
    for (const { data } of made)
      for (const [key, text] of Object.entries(data)) expect(text).toBe(readFileSync(fileOf(root, key), 'utf8'));
  },
);

/** What has no panel with log records is there only once. */
const fileOf = (root: string, key: string): string =>
  existsSync(`${root}/${key}`) ? `${root}/${key}` : `${folder}/${key}`;
