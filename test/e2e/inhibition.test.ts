import { expect, test } from '@jest/globals';
import { alerts } from '../../dashboards/src/rule-files.js';
import { inFolder } from '../support/folder.js';
import { type Labels, startAlertmanager, webhook } from './support/monitoring.js';
import { eventually, getText } from './support/running.js';

/** An alert as Prometheus would send it, of one server. */
const alertOf = (alertname: string, server: string, over: Labels = {}): Labels => {
  const { severity = '', component = '' } = alerts.find(({ name }) => name === alertname) ?? {};
  return { alertname, severity, component, job: 'vb365', instance: `of-${server}`, server, ...over };
};

/** What explains, and what it has to mute. */
const pairs = [
  ['VB365StateFailing', 'VB365StateErrors'],
  ['VB365CertificateExpired', 'VB365ServerUnreachable'],
  ['VB365AuthFailing', 'VB365ServerUnreachable'],
  ['VB365ServerUnreachable', 'VB365PollStale'],
  ['VB365ServerUnreachable', 'VB365DeliveryFailing'],
  ['VB365AuthFailing', 'VB365DeliveryFailing'],
  ['VB365DeliveryFailing', 'VB365DeliveryLag'],
  ['VB365RestoreFailureRatioHigh', 'VB365RestoreEventFailed'],
  ['VB365RestoreFailureRatioHigh', 'VB365RestoreSessionFailed'],
  ['VB365CertificateExpiresVerySoon', 'VB365CertificateExpiresSoon'],
] as const;

type Held = Readonly<{ labels: Labels; status: { state: string; inhibitedBy: readonly string[] } }>;

test('what explains an alert mutes it, for the same server only', async () => {
  await inFolder(async folder => {
    const hook = await webhook();
    const alertmanager = await startAlertmanager(folder, hook.url);
    const api = `http://${alertmanager.address}/api/v2/alerts`;
    const post = async (labels: readonly Labels[]): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(labels.map(one => ({ labels: one, annotations: { runbook_url: 'https://r/' } })));
      expect(await getText(api, { method: 'POST', headers, body })).toMatchObject({ status: 200 });
    };
    try {
      const sources = pairs.map(([source], index) => alertOf(source, `server-${String(index)}`));
      const targets = pairs.map(([, target], index) => alertOf(target, `server-${String(index)}`));
      const others = pairs.map(([, target], index) => alertOf(target, `other-${String(index)}`));
      const notified = (labels: Labels): boolean =>
        hook.notifications.some(({ alerts: of }) =>
          of.some(one => one.labels['alertname'] === labels['alertname'] && one.labels['server'] === labels['server']),
        );
      await post(sources);
      await eventually('the sources are notified', () => (sources.every(notified) ? true : undefined));
      await post([...targets, ...others]);
      await eventually('the others are notified', () => (others.every(notified) ? true : undefined));
      const held = await eventually('the targets are looked at', async () => {
        const found = JSON.parse((await getText(api)).text) as Held[];
        const own = found.filter(({ labels }) =>
          targets.some(one => one['alertname'] === labels['alertname'] && one['server'] === labels['server']),
        );
        return own.every(({ status }) => status.state !== 'unprocessed') ? own : undefined;
      });
      expect(held.filter(({ status }) => status.inhibitedBy.length === 0)).toEqual([]);
      expect(held).toHaveLength(targets.length);
      expect(targets.filter(notified)).toEqual([]);
    } finally {
      await alertmanager.stop();
      await hook.close();
    }
  });
});
