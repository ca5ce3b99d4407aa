import { aboutServer, type Case, ofServer, scraped, series, silentAt } from './rule-case.js';

const ofSink = { ...ofServer, sink: 'logs' };
const of = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(`vb365_${name}`, { ...ofSink, ...labels });
const fires = (value: string, labels: Readonly<Record<string, string>> = {}) => ({
  labels: { ...aboutServer, sink: 'logs', ...labels },
  value,
});

const cursor = of('cursor_timestamp_seconds');
const backlog = of('sink_backlog_sessions');
const delivered = of('sink_delivered_total', { outcome: 'delivered' });
const rejected = of('sink_delivered_total', { outcome: 'rejected' });
const eventsRejected = of('events_rejected_total', { reason: 'no_status' });

export const deliveryCases: readonly Case[] = [
  {
    alert: 'VB365DeliveryLag',
    says: 'the sink was last up to date long ago',
    series: { [cursor]: '0+60x10 600x60' },
    looks: [...silentAt(20, 26), { minute: 32, fires: fires('22m 0s') }],
  },
  {
    alert: 'VB365DeliveryLag',
    says: 'the sink keeps up over a restart and missed scrapes',
    series: { [cursor]: '0+60x10 _x8 1140+60x40' },
    looks: silentAt(10, 17, 20, 50),
  },
  {
    alert: 'VB365DeliveryLag',
    says: 'the server is polled once an hour, then no more',
    series: { [cursor]: '0x60 3600x240', [series('vb365_poll_interval_seconds', aboutServer)]: '3600x300' },
    looks: [...silentAt(30, 59, 90, 170), { minute: 188, fires: fires('2h 8m 0s') }],
  },
  {
    alert: 'VB365DeliveryLag',
    says: 'the server moves to a replica that has just started, and the sink stays behind',
    series: {
      [cursor]: '0+60x10 600x10',
      [backlog]: '0x10 1x10',
      [backlog.replace(scraped.instance, 'other')]: '_x20 1x60',
      [series('process_start_time_seconds', { ...scraped, instance: 'other' })]: '_x20 1200x60',
    },
    looks: [
      ...silentAt(20, 26),
      { minute: 32, fires: fires('22m 0s') },
      { minute: 45, fires: fires('35m 0s') },
      { minute: 75, fires: fires('1h 5m 0s') },
    ],
  },
  {
    alert: 'VB365DeliveryLag',
    says: 'the server is removed',
    series: { [cursor]: '0+60x20', [backlog]: '0x20' },
    looks: silentAt(20, 30, 45, 60),
  },
  {
    alert: 'VB365DeliveryLag',
    says: 'the sink was never up to date since the exporter started',
    series: { [backlog]: '1x60', [series('process_start_time_seconds', scraped)]: '0x60' },
    looks: [...silentAt(10, 20), { minute: 22, fires: fires('22m 0s') }],
  },
  {
    alert: 'VB365DeliveryFailing',
    says: 'sessions wait and nothing is delivered',
    series: { [backlog]: '0x5 1x60', [delivered]: '10x65' },
    looks: [...silentAt(30, 38), { minute: 42, fires: fires('1') }],
  },
  {
    alert: 'VB365DeliveryFailing',
    says: 'the same for traces is a warning',
    series: {
      [of('sink_backlog_sessions', { sink: 'traces' })]: '0x5 1x60',
      [of('sink_delivered_total', { sink: 'traces', outcome: 'delivered' })]: '10x65',
    },
    looks: [...silentAt(30, 38), { minute: 42, fires: fires('1', { sink: 'traces', severity: 'warning' }) }],
  },
  {
    alert: 'VB365DeliveryFailing',
    says: 'sessions wait, but the sink delivers',
    series: { [backlog]: '0x5 3x60', [delivered]: '0+0.02x65' },
    looks: silentAt(30, 42, 60),
  },
  {
    alert: 'VB365DeliveryRejected',
    says: 'the receiver refuses two records',
    series: { [rejected]: '0x5 2x60' },
    looks: [...silentAt(5), { minute: 7, fires: fires('2') }, ...silentAt(50)],
  },
  {
    alert: 'VB365DeliveryRejected',
    says: 'the receiver accepts everything, and the counter resets once',
    series: { [rejected]: '2x5 0x60', [delivered]: '0+1x65' },
    looks: silentAt(5, 7, 50),
  },
  {
    alert: 'VB365EventsRejected',
    says: 'two events have no readable status',
    series: { [eventsRejected]: '0x5 2x60' },
    looks: [...silentAt(5), { minute: 7, fires: fires('2', { reason: 'no_status' }) }],
  },
  {
    alert: 'VB365EventsRejected',
    says: 'none since, over a restart that keeps the counter',
    series: { [eventsRejected]: '2x5 _x3 2x60' },
    looks: silentAt(5, 10, 50),
  },
];
