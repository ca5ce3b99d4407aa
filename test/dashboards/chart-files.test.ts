import { describe, expect, test } from '@jest/globals';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { chartFiles, copiesInChart } from '../../dashboards/src/chart-files.js';
import { inFolder } from '../support/folder.js';

type ChartManifest = Readonly<{ version: string; appVersion: string; annotations: Readonly<Record<string, string>> }>;

/** The chart and all that is written into it, in `folder`. */
function copyOfRepository(folder: string): void {
  for (const path of ['helm', 'dashboards', 'package.json', 'docs/config.schema.json'])
    cpSync(path, join(folder, path), { recursive: true });
}

const paths = (root: string): readonly string[] => chartFiles(root).map(({ path }) => path);

describe('the chart', () => {
  test.each(chartFiles())('$path is what "npm run docs" writes', ({ path, text }) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('has every rule file and dashboard of dashboards/, and no other', () => {
    const rules = readdirSync('dashboards/prometheus').filter(name => name.endsWith('.yml'));
    expect(rules.length).toBeGreaterThan(0);
    expect(paths('.')).toEqual(
      expect.arrayContaining(rules.map(name => `helm/vb365-exporter/files/prometheus/${name}`)),
    );
    expect(paths('.')).toEqual(expect.arrayContaining([...copiesInChart()]));
  });

  test('takes in a dashboard that is new, and shows one that is gone as left over', async () => {
    await inFolder(folder => {
      copyOfRepository(folder);
      const dashboard = join(folder, 'dashboards/grafana/new.json');
      mkdirSync(dirname(dashboard), { recursive: true });
      writeFileSync(dashboard, '{"title": "{{ new }}"}');
      const copy = chartFiles(folder).find(({ path }) => path.endsWith('/new.json'));
      expect(copy).toEqual({ path: 'helm/vb365-exporter/files/grafana/new.json', text: '{"title": "{{ new }}"}' });
      mkdirSync(join(folder, 'helm/vb365-exporter/files/grafana'), { recursive: true });
      writeFileSync(join(folder, 'helm/vb365-exporter/files/grafana/new.json'), '{}');
      rmSync(dashboard);
      expect(copiesInChart(folder)).toContain('helm/vb365-exporter/files/grafana/new.json');
      expect(paths(folder)).not.toContain('helm/vb365-exporter/files/grafana/new.json');
      return Promise.resolve();
    });
  });

  test('has the version of the package, in every place', async () => {
    await inFolder(folder => {
      copyOfRepository(folder);
      writeFileSync(join(folder, 'package.json'), '{"version": "7.8.9-rc.1"}');
      const text = chartFiles(folder).find(({ path }) => path.endsWith('/Chart.yaml'))?.text ?? '';
      const { version, appVersion, annotations } = parse(text) as ChartManifest;
      const [image] = parse(annotations['artifacthub.io/images'] ?? '') as readonly Readonly<{ image: string }>[];
      expect([version, appVersion, image?.image.split(':')[1]]).toEqual(['7.8.9-rc.1', '7.8.9-rc.1', '7.8.9-rc.1']);
      expect(text).not.toContain('0.1.0');
      return Promise.resolve();
    });
  });
});
