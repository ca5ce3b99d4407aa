import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { inFolder } from '../support/folder.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const promtool = async (...args: readonly string[]) => runProgram({ path: toolPath('promtool'), args });
const amtool = async (...args: readonly string[]) => runProgram({ path: toolPath('amtool'), args });

const rules = ['vb365-recordings.yml', 'vb365-alerts.yml'].map(file => join('dashboards/prometheus', file));
const tests = readdirSync('dashboards/prometheus/tests').map(file => join('dashboards/prometheus/tests', file));
const config = 'dashboards/alertmanager/alertmanager.yml';
const template = 'dashboards/alertmanager/vb365.tmpl';

describe('promtool', () => {
  test('finds nothing wrong with the rules', async () => {
    const { code, output } = await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...rules);
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test.each(tests)(
    'passes %s',
    async file => {
      const { code, output } = await promtool('test', 'rules', file);
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/SUCCESS/) });
    },
    600_000,
  );

  test('fails a test when a threshold is another one', async () => {
    await inFolder(async folder => {
      const alerts = readFileSync('dashboards/prometheus/vb365-alerts.yml', 'utf8').replaceAll('> 900', '> 9000');
      writeFileSync(join(folder, 'alerts.yml'), alerts);
      const cases = parse(readFileSync('dashboards/prometheus/tests/delivery.yml', 'utf8'));
      writeFileSync(join(folder, 'tests.yml'), stringify({ ...cases, rule_files: ['alerts.yml'] }));
      const { code, output } = await promtool('test', 'rules', join(folder, 'tests.yml'));
      expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/VB365DeliveryLag/) });
    });
  });
});

describe('amtool', () => {
  test('finds nothing wrong with the configuration', async () => {
    const { code, output } = await amtool('check-config', config);
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test.each([
    ['a failed event', 'backup-team', ['VB365RestoreEventFailed', 'restore', 'warning', 'fabrikam.onmicrosoft.com']],
    [
      'that of a tenant',
      'tenant-contoso,backup-team',
      ['VB365RestoreEventFailed', 'restore', 'warning', 'contoso.onmicrosoft.com'],
    ],
    [
      'many failures',
      'backup-team',
      ['VB365RestoreFailureRatioHigh', 'restore', 'warning', 'fabrikam.onmicrosoft.com'],
    ],
    [
      'a mass export',
      'on-call,backup-team',
      ['VB365RestoreExportUnusual', 'restore', 'warning', 'fabrikam.onmicrosoft.com'],
    ],
    [
      'a mass export of a tenant',
      'on-call,tenant-contoso,backup-team',
      ['VB365RestoreExportUnusual', 'restore', 'warning', 'contoso.onmicrosoft.com'],
    ],
    [
      'unusual volume of a tenant',
      'tenant-contoso,backup-team',
      ['VB365RestoreVolumeUnusual', 'restore', 'info', 'contoso.onmicrosoft.com'],
    ],
    ['misuse', 'security-team', ['VB365MisuseExternalRecipient', 'security', 'warning', 'contoso.onmicrosoft.com']],
    ['a blinded exporter', 'on-call,security-team', ['VB365MisuseExporterBlinded', 'security', 'critical', '']],
    ['a session without organization', 'backup-team', ['VB365RestoreSessionStuck', 'restore', 'warning', '']],
    ['an exporter that is down', 'on-call,operators', ['VB365ExporterDown', 'exporter', 'critical', '']],
    ['refused records', 'operators', ['VB365DeliveryRejected', 'delivery', 'warning', '']],
    ['what should be known', 'backup-team', ['VB365UnknownValues', 'server', 'info', '']],
    ['an alert of somebody else', 'operators', ['NodeDown', 'restore', 'critical', '']],
  ] as const)('routes %s to %s', async (_, receivers, [alertname, component, severity, organization]) => {
    const labels = [`alertname=${alertname}`, `component=${component}`, `severity=${severity}`];
    const whose = organization === '' ? [] : [`organization=${organization}`];
    const args = ['config', 'routes', 'test', `--config.file=${config}`, `--verify.receivers=${receivers}`];
    const { code, output } = await amtool(...args, ...labels, ...whose);
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  const notification = {
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: {},
        annotations: { description: '1 item(s) failed.', runbook_url: 'https://r/', dashboard_url: 'https://d/' },
      },
    ],
    groupLabels: { alertname: 'VB365RestoreEventFailed', server: 'hq', organization: 'contoso' },
    commonLabels: { severity: 'warning' },
    commonAnnotations: { summary: 'Items could not be restored.' },
  };

  test.each([
    ['title', '[FIRING:1] VB365RestoreEventFailed in contoso on hq'],
    ['text', 'Items could not be restored.\n\n1 item(s) failed.\n\nRunbook: https://r/\nDashboard: https://d/'],
    ['runbook', 'https://r/'],
    ['color', 'warning'],
  ])('renders the %s of a notification', async (part, wanted) => {
    await inFolder(async folder => {
      const data = join(folder, 'data.json');
      writeFileSync(data, JSON.stringify(notification));
      const text = `--template.text={{ template "vb365.${part}" . }}`;
      const args = ['template', 'render', `--template.glob=${template}`, `--template.data=${data}`, text];
      const { code, output } = await amtool(...args);
      expect({ code, output: output.trim() }).toEqual({ code: 0, output: wanted });
    });
  });
});
