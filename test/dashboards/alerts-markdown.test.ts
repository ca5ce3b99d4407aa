import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { alertsMarkdown } from '../../dashboards/src/alerts-markdown.js';
import { alerts } from '../../dashboards/src/rule-files.js';
import { inFolder } from '../support/folder.js';

test('docs/ALERTS.md says what the code says, and names every alert once', () => {
  const text = alertsMarkdown();
  expect(readFileSync('docs/ALERTS.md', 'utf8')).toBe(text);
  const named = [...text.matchAll(/^- \[(VB365\w+)\]/gm)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual(alerts.map(({ name }) => name).toSorted());
});

test('its command writes rules that lead to no address of ours', async () => {
  const shipped = readFileSync('dashboards/prometheus/vb365-alerts.yml', 'utf8');
  const command = /```sh\n(.*)\n```/.exec(alertsMarkdown())?.[1] ?? '';
  await inFolder(async folder => {
    const here = command.replace('dashboards/', `'${resolve('dashboards')}'/`);
    expect(spawnSync('sh', ['-c', here], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const written = readFileSync(join(folder, 'vb365-alerts.yml'), 'utf8');
    expect(shipped.match(/_url: .*example\.com/g)).toHaveLength(2 * alerts.length);
    expect(written).not.toContain('example.com');
    expect(written.match(/runbook_url: https:\/\/wiki\.example\.net\/vb365\/VB365\w+\.md$/gm)).toHaveLength(
      alerts.length,
    );
    expect(written.match(/dashboard_url: https:\/\/grafana\.example\.net\/d\//g)).toHaveLength(alerts.length);
  });
});
