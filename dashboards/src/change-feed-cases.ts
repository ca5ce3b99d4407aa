import { aboutServer, type Case, ofServer, series, silentAt } from './rule-case.js';

const of = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(`vb365_${name}`, { ...ofServer, ...labels });
const fires = (value?: string) => ({ labels: aboutServer, ...(value === undefined ? {} : { value }) });

const feed = of('change_feed_active');
const info = (api_version: string): string => of('server_info', { version: '8.1', api_version, installation_id: 'i' });
const up = of('server_up');
const missed = of('reconcile_missed_sessions_total');
const changed = of('installation_changes_total');

/** Change feed and installation. */
export const changeFeedCases: readonly Case[] = [
  {
    alert: 'VB365ChangeFeedInactive',
    says: 'a v8 server is polled',
    series: { [feed]: '0x100', [info('v8')]: '1x100', [up]: '1x100' },
    looks: [...silentAt(30), { minute: 70, fires: fires() }],
  },
  {
    alert: 'VB365ChangeFeedInactive',
    says: 'a v8 server is down',
    series: { [feed]: '0x100', [info('v8')]: '1x100', [up]: '0x100' },
    looks: silentAt(30, 70),
  },
  {
    alert: 'VB365ChangeFeedInactive',
    says: 'a v7 server has no feed',
    series: { [feed]: '0x100', [info('v7')]: '1x100' },
    looks: silentAt(30, 70),
  },
  {
    alert: 'VB365ReconcileMissedSessions',
    says: 'the list shows a session that the feed did not report',
    series: { [missed]: '0x5 1x90' },
    looks: [...silentAt(5), { minute: 7, fires: fires('1') }, ...silentAt(80)],
  },
  {
    alert: 'VB365ReconcileMissedSessions',
    says: 'a restart',
    series: { [missed]: '1x5 0x60' },
    looks: silentAt(5, 7, 30),
  },
  {
    alert: 'VB365InstallationChanged',
    says: 'another installation answers',
    series: { [changed]: '0x5 1x90' },
    looks: [...silentAt(5), { minute: 7, fires: fires() }, { minute: 60, fires: fires() }, ...silentAt(70)],
  },
  {
    alert: 'VB365InstallationChanged',
    says: 'the same installation, over a restart and missed scrapes',
    series: { [changed]: '2x5 _x10 2x60' },
    looks: silentAt(5, 17, 30, 60),
  },
];
