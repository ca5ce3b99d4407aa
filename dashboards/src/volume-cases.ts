import { aboutServer, type Case, ofServer, series, silentAt } from './rule-case.js';

const tenant = { ...ofServer, organization: 'contoso', workload: 'exchange' };
const events = (status: string, event_type = 'Restore', over: Readonly<Record<string, string>> = {}) =>
  series('vb365_restore_events_total', { ...tenant, event_type, status, ...over });
const sessions = (result: string) => series('vb365_restore_sessions_total', { ...tenant, result });

const ofTenant = { ...aboutServer, organization: 'contoso' };

/** Office hours of 30 days, from Monday on, with up to `busiest` items an hour; one sample each 15 minutes. */
function quietDays(busiest: number): string {
  let total = 0;
  const hours = Array.from({ length: 30 * 24 }, (_, hour) => {
    const isOffice = hour % 24 >= 8 && hour % 24 < 18 && Math.floor(hour / 24) % 7 < 5;
    const items = isOffice ? Math.round((busiest * (1 + ((hour * 7919) % 13))) / 13) : 0;
    const step = Math.round(items / 4);
    total += 4 * step;
    return `${String(total - 3 * step)}+${String(step)}x3`;
  });
  return `0 ${hours.join(' ')}`;
}

/** From the fourth day on. */
const everyHalfDay = Array.from({ length: 53 }, (_, index) => (index + 7) * 720);

/** These cases need days of history, so they are evaluated every 5 minutes. */
export const volumeCases: readonly Case[] = [
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'some bad hours after good days',
    series: { [sessions('Failed')]: '0x4000 0+0.1x300', [sessions('Success')]: '0+1x4000 4000+0.1x300' },
    looks: silentAt(4000, 4200, 4290),
  },
  {
    alert: 'VB365RestoreVolumeUnusual',
    says: 'a mass restore',
    series: { [events('Success')]: '0+1x3000 3020+20x120' },
    looks: [...silentAt(3000), { minute: 3100, fires: { labels: ofTenant, value: '1200' } }],
  },
  {
    alert: 'VB365RestoreVolumeUnusual',
    says: 'a mass restore on Friday at 18:00 still fires on Monday at 10:00, and no longer on Tuesday',
    series: { [events('Success')]: '_x60 0 600+600x14 9000x5800' },
    looks: [...[600, 3900].map(minute => ({ minute, fires: { labels: ofTenant, value: '3000' } })), ...silentAt(5100)],
  },
  {
    alert: 'VB365RestoreVolumeUnusual',
    says: 'a server that is always that busy',
    series: { [events('Success')]: '0+20x6200' },
    looks: silentAt(6000, 6100),
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'many items leave the backup',
    series: { [events('Success', 'Export')]: '0+0.1x3000 305+5x120' },
    looks: [...silentAt(3000), { minute: 3100, fires: { labels: ofTenant, value: '300' } }],
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'an organization exports for the first time; it fires within 15 minutes and for a day',
    series: { [events('Success', 'Export')]: '_x60 0 600+600x14 9000x3000' },
    looks: [
      ...silentAt(60, 65),
      { minute: 75, fires: { labels: ofTenant, value: '9000' } },
      { minute: 100, fires: { labels: ofTenant, value: '9000' } },
      ...[600, 1500].map(minute => ({ minute, fires: { labels: ofTenant, value: '3000' } })),
      ...silentAt(1700, 3000),
    ],
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'a mass export a few days after the first small one',
    series: { [events('Success', 'Save')]: '_x60 0 5x4000 5+50x20 1005x100' },
    looks: [...silentAt(100, 4000), { minute: 4090, fires: { labels: ofTenant, value: '1000' } }],
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'scrapes missed for longer than an hour hide no export',
    series: { [events('Success', 'Export')]: '0x200 _x80 300x100' },
    looks: [...silentAt(200, 280), { minute: 290, fires: { labels: ofTenant, value: '300' } }],
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'the server moves to another replica',
    series: {
      [events('Success', 'Export')]: '9000x200 stale',
      [events('Success', 'Export', { instance: 'other:10365' })]: '_x205 9000x200',
    },
    looks: silentAt(200, 210, 240, 300),
  },
  {
    alert: 'VB365RestoreExportUnusual',
    says: 'as many items are restored in place',
    series: { [events('Success', 'Restore')]: '0+0.1x3000 305+5x120' },
    looks: silentAt(3000, 3100),
  },
];

/** A month, evaluated every half an hour. */
export const quietCases: readonly Case[] = [
  {
    alert: 'VB365RestoreExportUnusual',
    says: '30 quiet days: after the first ones it is silent',
    interval: '15m',
    series: { [events('Success', 'Export')]: quietDays(150) },
    looks: silentAt(...everyHalfDay),
  },
  {
    alert: 'VB365RestoreVolumeUnusual',
    says: '30 quiet days: after the first ones it is silent',
    interval: '15m',
    series: { [events('Success')]: quietDays(900) },
    looks: silentAt(...everyHalfDay.slice(2)),
  },
];
