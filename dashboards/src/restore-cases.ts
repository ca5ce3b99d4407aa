import { aboutServer, type Case, ofServer, series, silentAt } from './rule-case.js';

const tenant = { ...ofServer, organization: 'contoso', workload: 'exchange' };
const events = (status: string, event_type = 'Restore', over: Readonly<Record<string, string>> = {}) =>
  series('vb365_restore_events_total', { ...tenant, event_type, status, ...over });
const sessions = (result: string) => series('vb365_restore_sessions_total', { ...tenant, result });
const failed = events('Failed');

const ofTenant = { ...aboutServer, organization: 'contoso' };
const ofWorkload = { ...ofTenant, workload: 'exchange' };
const one = { labels: { ...ofWorkload, event_type: 'Restore' }, value: '1' };

const failedEvent: readonly Omit<Case, 'alert'>[] = [
  {
    says: 'the first event goes from 0 to 1 and fires for the length of the window',
    series: { [failed]: '0x5 1x40' },
    looks: [...silentAt(5), { minute: 6, fires: one }, { minute: 19, fires: one }, ...silentAt(21, 40)],
  },
  {
    says: 'only successes are silent',
    series: { [failed]: '0x40', [events('Success')]: '0+1x40' },
    looks: silentAt(1, 20, 40),
  },
  {
    says: 'a counter that falls back to 0 is silent, and its next failure fires',
    series: { [failed]: '5x30 0x30 1x20' },
    looks: [...silentAt(30, 31, 40, 60), { minute: 62, fires: one }],
  },
  {
    says: 'a counter that falls and rises between two scrapes fires',
    series: { [failed]: '5x30 2x30' },
    looks: [...silentAt(30), { minute: 32, fires: { ...one, value: '2' } }],
  },
  {
    says: 'missed scrapes within the window hide nothing',
    series: { [failed]: '0x5 _x5 1x30' },
    looks: [...silentAt(5, 10), { minute: 11, fires: one }],
  },
  {
    says: 'scrapes missed for longer than the window hide nothing',
    series: { [failed]: '5x30 _x40 6x60' },
    looks: [...silentAt(30, 60), { minute: 73, fires: one }, ...silentAt(90)],
  },
  {
    says: 'a restart of the exporter with its state kept is silent',
    series: { [failed]: '5x30 _x20 5x60' },
    looks: silentAt(30, 45, 51, 60, 100),
  },
  {
    says: 'a restart under another address is silent, and the next failure fires once',
    series: {
      [failed]: '57x10 stale',
      [events('Failed', 'Restore', { instance: 'other:10365' })]: '_x12 57x40 58x20',
    },
    looks: [...silentAt(10, 13, 30, 50), { minute: 54, fires: one }],
  },
  {
    says: 'a new Prometheus with a long-running exporter does not report an old total',
    series: { [failed]: '_x5 57x60' },
    looks: silentAt(6, 10, 30, 60),
  },
];

const { organization: _, ...withoutTenant } = ofWorkload;

const shared: readonly Omit<Case, 'alert'>[] = [
  {
    says: 'a preview that fails counts as a View',
    series: { [events('Failed', 'View')]: '0x5 1x40' },
    looks: [...silentAt(5), { minute: 7, fires: { ...one, labels: { ...ofWorkload, event_type: 'View' } } }],
  },
  {
    says: 'without the label "organization" the texts name the server only',
    series: {
      [series('vb365_restore_events_total', {
        ...ofServer,
        workload: 'exchange',
        event_type: 'Restore',
        status: 'Failed',
      })]: '0x5 1x40',
    },
    looks: [{ minute: 7, fires: { ...one, labels: { ...withoutTenant, event_type: 'Restore' } } }],
  },
  {
    says: 'a line about the session is not an item',
    series: { [events('Failed', 'None')]: '0x5 1x40' },
    looks: silentAt(5, 7, 20),
  },
  {
    says: 'the server moves to another replica and back: a failure fires once',
    series: {
      [failed]: '5x30 stale _x60 7x60',
      [events('Failed', 'Restore', { instance: 'other:10365' })]: '_x31 5x9 7x50 stale',
    },
    looks: [
      ...silentAt(30, 31, 32, 39),
      { minute: 43, fires: { ...one, value: '2' } },
      ...silentAt(60, 91, 93, 100, 130),
    ],
  },
];

const failedSession = { labels: ofWorkload, value: '1' };
const failures = (event_type: string) => series('vb365_restore_sessions_failed_total', { ...tenant, event_type });
const withoutItem = failures('None');
const sessionFailed: readonly Omit<Case, 'alert'>[] = [
  {
    says: 'the only session fails without an item',
    series: { [withoutItem]: '0x30 1x600', [sessions('Failed')]: '0x30 1x600', [sessions('Success')]: '0x600' },
    looks: [...silentAt(30), { minute: 32, fires: failedSession }, ...silentAt(50, 200)],
  },
  {
    says: 'three of three sessions fail without an item',
    series: { [withoutItem]: '0x30 3x600', [sessions('Success')]: '0x600' },
    looks: [...silentAt(30), { minute: 32, fires: { ...failedSession, value: '3' } }, ...silentAt(50)],
  },
  {
    says: 'a session fails because of its items, which an alert has reported',
    series: {
      [failed]: '0x25 2x600',
      [sessions('Failed')]: '0x30 1x600',
      [failures('Restore')]: '0x32 1x600',
      [withoutItem]: '0x600',
    },
    looks: silentAt(27, 31, 32, 34, 40, 60),
  },
  {
    says: 'a session fails without an item soon after three items of another one',
    series: { [failed]: '0x25 3x600', [sessions('Failed')]: '0x30 2x600', [withoutItem]: '0x30 1x600' },
    looks: [...silentAt(30), { minute: 32, fires: failedSession }, ...silentAt(60)],
  },
  {
    says: 'a session fails with an item that failed hours before',
    series: { [failed]: '0x25 1x600', [sessions('Failed')]: '0x400 1x200', [failures('Restore')]: '0x400 1x200' },
    looks: silentAt(400, 402, 410),
  },
  {
    says: 'scrapes missed for an hour hide nothing',
    series: { [withoutItem]: '0x30 _x60 1x200' },
    looks: [...silentAt(30), { minute: 93, fires: failedSession }],
  },
  {
    says: 'the exporter restarts and keeps the counter',
    series: { [withoutItem]: '2x30 _x10 2x60' },
    looks: silentAt(30, 42, 60),
  },
  {
    says: 'no session fails, and an old total is not a failure',
    series: { [withoutItem]: '_x5 9x100' },
    looks: silentAt(6, 20, 60),
  },
];

const allFail = { labels: ofTenant, value: '100%' };

const ratios: readonly Case[] = [
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'half of the sessions fail',
    series: { [sessions('Failed')]: '0+0.1x400', [sessions('Success')]: '0+0.1x400' },
    looks: [...silentAt(5), { minute: 60, fires: { labels: ofTenant, value: '50%' } }],
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'six sessions an hour, and all fail',
    series: { [sessions('Failed')]: '0+0.1x400' },
    looks: [...silentAt(45), { minute: 60, fires: allFail }, { minute: 400, fires: allFail }],
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'three sessions an hour are too few to judge',
    series: { [sessions('Failed')]: '0+0.05x400' },
    looks: silentAt(60, 200, 400),
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'every fifth session fails',
    series: { [sessions('Failed')]: '0+0.05x400', [sessions('Success')]: '0+0.2x400' },
    looks: silentAt(60, 200, 400),
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'one bad hour after many good ones',
    series: { [sessions('Failed')]: '0x340 0+0.2x60', [sessions('Success')]: '0+1x340 340+0.1x60' },
    looks: silentAt(340, 380, 400),
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'one failed session alone is too few to judge',
    series: { [sessions('Failed')]: '0x60 1x120', [sessions('Success')]: '0x180' },
    looks: silentAt(62, 80, 120),
  },
  {
    alert: 'VB365RestoreFailureRatioHigh',
    says: 'a counter reset is not a failure',
    series: { [sessions('Failed')]: '50x60 0x120', [sessions('Success')]: '0+1x180' },
    looks: silentAt(61, 80, 120),
  },
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'every fifth session fails for hours',
    series: { [sessions('Failed')]: '0+0.05x500', [sessions('Success')]: '0+0.2x500' },
    looks: [{ minute: 400, fires: { labels: ofTenant, value: '20%' } }],
  },
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'fourteen sessions in six hours, and all fail',
    series: { [sessions('Failed')]: '0+0.04x500' },
    looks: [...silentAt(265), { minute: 400, fires: allFail }],
  },
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'nine sessions in six hours are too few to judge',
    series: { [sessions('Failed')]: '0+0.025x500' },
    looks: silentAt(200, 400, 500),
  },
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'every eighth session fails',
    series: { [sessions('Failed')]: '0+0.03x500', [sessions('Success')]: '0+0.21x500' },
    looks: silentAt(100, 400, 500),
  },
  {
    alert: 'VB365RestoreFailureRatioElevated',
    says: 'every twentieth session fails',
    series: { [sessions('Failed')]: '0+0.01x500', [sessions('Success')]: '0+0.2x500' },
    looks: silentAt(100, 400),
  },
];

const oldest = series('vb365_restore_oldest_open_session_start_timestamp_seconds', ofServer);
const abandoned = series('vb365_restore_events_abandoned_total', ofServer);
const corrected = series('vb365_event_corrections_total', ofServer);
const two = { labels: aboutServer, value: '2' };

const sessionsAndEvents: readonly Case[] = [
  {
    alert: 'VB365RestoreSessionStuck',
    says: 'a session is open for more than 12 hours',
    series: { [oldest]: '0x800' },
    looks: [...silentAt(720, 730), { minute: 736, fires: { labels: aboutServer, value: '12h 16m 0s' } }],
  },
  {
    alert: 'VB365RestoreSessionStuck',
    says: 'a session stops in time, and the gauge disappears',
    series: { [oldest]: '0x700 _x200' },
    looks: silentAt(700, 740, 800),
  },
  {
    alert: 'VB365RestoreEventsAbandoned',
    says: 'two events are abandoned',
    series: { [abandoned]: '0x10 2x100' },
    looks: [...silentAt(10), { minute: 12, fires: two }, ...silentAt(80)],
  },
  {
    alert: 'VB365RestoreEventsAbandoned',
    says: 'a restart that keeps the counter, with missed scrapes',
    series: { [abandoned]: '2x10 _x10 2x60' },
    looks: silentAt(10, 22, 60),
  },
  {
    alert: 'VB365EventCorrections',
    says: 'two events get another status',
    series: { [corrected]: '0x10 2x100' },
    looks: [...silentAt(10), { minute: 12, fires: two }],
  },
  {
    alert: 'VB365EventCorrections',
    says: 'a counter reset',
    series: { [corrected]: '9x10 0x60' },
    looks: silentAt(10, 12),
  },
];

export const restoreCases: readonly Case[] = [
  ...[...failedEvent, ...shared].map(rest => ({ alert: 'VB365RestoreEventFailed' as const, ...rest })),
  ...sessionFailed.map(rest => ({ alert: 'VB365RestoreSessionFailed' as const, ...rest })),
  ...ratios,
  ...sessionsAndEvents,
];
