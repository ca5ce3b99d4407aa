import { aboutServer, type Case, ofServer, scraped, series, silentAt } from './rule-case.js';

const up = series('up', scraped);
const started = series('process_start_time_seconds', scraped);
const stateError = series('vb365_state_errors_total', { ...scraped, operation: 'commit' });
const reloaded = series('vb365_config_last_reload_successful', scraped);
const overflow = series('vb365_series_overflow_total', { ...ofServer, label: 'organization' });
const samples = series('scrape_samples_scraped', scraped);

const renewed = series('vb365_lease_renewal_timestamp_seconds', scraped);
const unheld = series('vb365_lease_unheld', { ...scraped, server: 'hq' });

/** One is down after 5 minutes, the other renews its leases. */
const replicas = {
  [up]: '1x5 0x20',
  [series('up', { ...scraped, instance: 'replica:10365' })]: '1x25',
  [series('vb365_lease_renewal_timestamp_seconds', { ...scraped, instance: 'replica:10365' })]: '0+60x25',
};

export const exporterCases: readonly Case[] = [
  {
    alert: 'VB365LeaseRenewalFailing',
    says: 'leases are not renewed any more',
    series: { [renewed]: '0 60 120 180 240 240x20' },
    looks: [...silentAt(4, 5), { minute: 8, fires: { labels: scraped, value: '4m 0s' } }],
  },
  {
    alert: 'VB365LeaseRenewalFailing',
    says: 'leases are renewed',
    series: { [renewed]: '0+60x20' },
    looks: silentAt(5, 15),
  },
  {
    alert: 'VB365ServerWithoutReplica',
    says: 'no replica acquires a server',
    series: { [unheld]: '_x3 1x20', [renewed]: '0+60x25' },
    looks: [...silentAt(4), { minute: 8, fires: { labels: { server: 'hq' } } }],
  },
  {
    alert: 'VB365ServerWithoutReplica',
    says: 'a server moves',
    series: { [unheld]: '_x3 1 stale _x20', [renewed]: '0+60x25' },
    looks: silentAt(4, 6, 10),
  },
  {
    alert: 'VB365ServerWithoutReplica',
    says: 'the replica that saw it no longer reaches PostgreSQL',
    series: { [unheld]: '_x3 1x20', [renewed]: '0+60x3 180x20' },
    looks: silentAt(5, 8, 10),
  },
  {
    alert: 'VB365ExporterDown',
    says: 'the exporter cannot be scraped',
    series: { [up]: '1x5 0x20' },
    looks: [...silentAt(5, 10), { minute: 12, fires: { labels: scraped } }],
  },
  {
    alert: 'VB365ExporterDown',
    says: 'two scrapes are missed during a restart',
    series: { [up]: '1x5 0x2 1x20' },
    looks: silentAt(7, 12, 20),
  },
  {
    alert: 'VB365ExporterDown',
    says: 'another exporter is down',
    series: { [series('up', { job: 'node', instance: 'host:9100' })]: '0x20' },
    looks: silentAt(12),
  },
  {
    alert: 'VB365ExporterDown',
    says: 'another replica is up',
    series: replicas,
    looks: silentAt(12, 20),
  },
  {
    alert: 'VB365ReplicaDown',
    says: 'one of two replicas cannot be scraped',
    series: replicas,
    looks: [...silentAt(5, 10), { minute: 12, fires: { labels: scraped } }],
  },
  {
    alert: 'VB365ReplicaDown',
    says: 'another exporter with a state file is up',
    series: { [up]: '1x5 0x20', [series('up', { ...scraped, instance: 'other:10365' })]: '1x25' },
    looks: silentAt(12),
  },
  {
    alert: 'VB365ExporterAbsent',
    says: 'there is no target',
    series: {},
    looks: [...silentAt(5), { minute: 11, fires: { labels: {} } }],
  },
  {
    alert: 'VB365ExporterAbsent',
    says: 'there is a target, but it is down',
    series: { [up]: '0x20' },
    looks: silentAt(5, 20),
  },
  {
    alert: 'VB365ExporterRestarting',
    says: 'four restarts in an hour',
    series: { [started]: '0 60 120 180 240x20' },
    looks: [...silentAt(3), { minute: 5, fires: { labels: scraped, value: '4' } }],
  },
  {
    alert: 'VB365ExporterRestarting',
    says: 'one restart',
    series: { [started]: '0x5 _x3 480x60' },
    looks: silentAt(5, 10, 60),
  },
  {
    alert: 'VB365StateErrors',
    says: 'a commit fails',
    series: { [stateError]: '0x5 1x60' },
    looks: [...silentAt(5), { minute: 7, fires: { labels: { ...scraped, operation: 'commit' } } }, ...silentAt(30)],
  },
  {
    alert: 'VB365StateErrors',
    says: 'a restart resets the counter',
    series: { [stateError]: '3x5 0x60' },
    looks: silentAt(5, 7),
  },
  {
    alert: 'VB365StateFailing',
    says: 'one commit fails, and the next succeeds',
    series: { [stateError]: '0x5 1x60' },
    looks: silentAt(5, 6, 7, 10, 16, 17, 20, 60),
  },
  {
    alert: 'VB365StateFailing',
    says: 'commits fail every two minutes',
    series: { [stateError]: '0x5 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10 10x30' },
    looks: [
      ...silentAt(6, 10, 15),
      { minute: 20, fires: { labels: { ...scraped, operation: 'commit' } } },
      ...silentAt(40),
    ],
  },
  {
    alert: 'VB365ConfigReloadFailed',
    says: 'the changed file is invalid',
    series: { [reloaded]: '1x5 0x20' },
    looks: [...silentAt(5, 10), { minute: 12, fires: { labels: scraped } }],
  },
  { alert: 'VB365ConfigReloadFailed', says: 'the file is valid', series: { [reloaded]: '1x20' }, looks: silentAt(12) },
  {
    alert: 'VB365OrganizationOverflow',
    says: 'one organization too many',
    series: { [overflow]: '0x5 3x90' },
    looks: [...silentAt(5), { minute: 7, fires: { labels: { ...aboutServer, label: 'organization' }, value: '3' } }],
  },
  { alert: 'VB365OrganizationOverflow', says: 'none', series: { [overflow]: '0x60' }, looks: silentAt(7, 60) },
  {
    alert: 'VB365ScrapeTooLarge',
    says: 'more than 20,000 samples',
    series: { [samples]: '25000x60' },
    looks: [...silentAt(20), { minute: 31, fires: { labels: scraped, value: '25000' } }],
  },
  { alert: 'VB365ScrapeTooLarge', says: 'a usual number', series: { [samples]: '15000x60' }, looks: silentAt(31) },
];
