import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { boardFiles, boards, folder } from './boards.js';

const read = (path: string): string => readFileSync(path, 'utf8');

type Kustomization = Readonly<{
  generatorOptions: Readonly<{ labels: Readonly<Record<string, string>> }>;
  configMapGenerator: readonly Readonly<{ name: string; files: readonly string[] }>[];
}>;
type Resource = Readonly<{ kind: string; spec: Readonly<{ configMapRef?: Readonly<{ name: string; key: string }> }> }>;

describe('provisioning', () => {
  const { configMapGenerator, generatorOptions } = parse(read(`${folder}/kustomization.yaml`)) as Kustomization;

  test('plain Grafana gets one folder of files', () => {
    const { providers } = parse(read('examples/grafana/provisioning/dashboards/vb365-exporter.yaml')) as {
      providers: unknown[];
    };
    expect(providers).toMatchObject([{ type: 'file', allowUiUpdates: false, options: { path: expect.any(String) } }]);
  });

  test('the sidecar gets each dashboard in a ConfigMap with its label', () => {
    expect(configMapGenerator.flatMap(({ files }) => files).toSorted()).toEqual(boardFiles.toSorted());
    expect(generatorOptions.labels).toMatchObject({ grafana_dashboard: '1' });
  });

  test('the operator gets each dashboard from those ConfigMaps', () => {
    const resources = parseAllDocuments(read('examples/grafana/operator/dashboards.yaml')).map(
      document => document.toJS() as Resource,
    );
    const named = resources.flatMap(({ spec: { configMapRef } }) => configMapRef ?? []);
    expect(named).toEqual(configMapGenerator.map(({ name, files: [key] }) => ({ name, key })));
    expect(named).toHaveLength(boards.length);
  });

  test('the data sources have kinds that the dashboards ask for', () => {
    const { datasources } = parse(read('examples/grafana/provisioning/datasources/vb365-exporter.yaml')) as {
      datasources: { type: string; uid: string }[];
    };
    const asked = boards.flatMap(({ templating }) =>
      templating.list.filter(({ type }) => type === 'datasource').map(({ query }) => query),
    );
    expect(new Set(datasources.map(({ type }) => type))).toEqual(new Set(asked));
  });
});
