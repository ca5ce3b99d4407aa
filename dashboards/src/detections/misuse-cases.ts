import { aboutServer, type Case, ofServer, series, silentAt } from '../rule-case.js';

const ofTenant = { ...aboutServer, organization: 'contoso' };
const views = series('vb365_restore_events_total', {
  ...ofServer,
  organization: 'contoso',
  workload: 'exchange',
  event_type: 'View',
  status: 'Success',
});
const up = series('vb365_server_up', ofServer);
const feed = series('vb365_change_feed_active', ofServer);
const errors = (reason: string): string => series('vb365_poll_errors_total', { ...ofServer, reason });
const deleted = series('vb365_restore_sessions_deleted_total', ofServer);
const times = (value: string) => ({ labels: aboutServer, value });

const logins = series('vb365_logins_refused_total', ofServer);
const interval = series('vb365_poll_interval_seconds', ofServer);

/** Each poll of 15 s fails for this reason; before that, none does. */
const refused = '0x20 0+4x10';

export const misuseCases: readonly Case[] = [
  {
    alert: 'VB365MisuseMassView',
    says: 'an organization views 300 items for the first time',
    series: { [views]: '0x10 300x100' },
    looks: [...silentAt(10), { minute: 12, fires: { labels: ofTenant, value: '300' } }],
  },
  {
    alert: 'VB365MisuseMassView',
    says: 'some previews an hour',
    series: { [views]: '0+1x300' },
    looks: silentAt(60, 200, 300),
  },
  {
    alert: 'VB365MisuseMassView',
    says: 'scrapes missed for longer than an hour hide nothing',
    series: { [views]: '0x100 _x70 300x100' },
    looks: [...silentAt(100, 170), { minute: 173, fires: { labels: ofTenant, value: '300' } }],
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'the login is refused, then the server does not answer',
    series: {
      [up]: '1x20 0x60',
      [feed]: '1x20 0x60',
      [logins]: '3x20 4x60',
      [errors('auth')]: '0x20 4x60',
      [errors('network')]: '0x21 0+4x60',
    },
    looks: [
      ...silentAt(20, 21),
      { minute: 23, fires: times('371d 0h 0m 0s') },
      { minute: 60, fires: times('371d 0h 0m 0s') },
    ],
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'the server restarts',
    series: {
      [up]: '1x20 0x10 1x60',
      [feed]: '1x20 0x10 1x60',
      [logins]: '3x90',
      [errors('network')]: '0x20 0+4x10 40x60',
    },
    looks: silentAt(20, 23, 30, 60),
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'the login is refused, and the server answers',
    series: {
      [up]: '1x20 0x60',
      [feed]: '1x20 0x60',
      [logins]: '0x20 1x60',
      [errors('auth')]: refused,
      [errors('network')]: '0x80',
    },
    looks: silentAt(20, 23, 60),
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'a login is refused, the next one is accepted, and the server restarts soon after that',
    series: {
      [up]: '1x20 0x2 1x20 0x10 1x60',
      [feed]: '1x20 0x2 1x20 0x10 1x60',
      [logins]: '0x20 1x100',
      [errors('network')]: '0x43 0+4x10 40x60',
    },
    looks: silentAt(20, 23, 30, 45, 47, 50, 60),
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'a poll is refused, and the one an hour later gets no answer',
    series: {
      [up]: '1x59 0x200',
      [feed]: '1x59 0x200',
      [logins]: '0x59 1x200',
      [errors('network')]: '0x119 1x140',
      [interval]: '3600x260',
    },
    looks: [...silentAt(60, 100, 119), { minute: 122, fires: times('371d 0h 0m 0s') }],
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'the exporter restarts after the refused login',
    series: {
      [up]: '1x20 0x3 _x10 0x60',
      [feed]: '1x20 0x3 _x10 0x60',
      [logins]: '0x20 1x3 _x10 1x60',
      [errors('network')]: '0x23 _x10 0+4x60',
    },
    looks: [...silentAt(20, 23), { minute: 40, fires: times('371d 0h 0m 0s') }],
  },
  {
    alert: 'VB365MisuseSessionsDeleted',
    says: 'two young sessions disappear; it fires for a day',
    series: { [deleted]: '0x10 2x2000' },
    looks: [...silentAt(10), { minute: 12, fires: times('2') }, { minute: 600, fires: times('2') }, ...silentAt(1600)],
  },
  {
    alert: 'VB365MisuseSessionsDeleted',
    says: 'a restart that keeps the counter, with missed scrapes',
    series: { [deleted]: '2x10 _x10 2x60' },
    looks: silentAt(10, 22, 60),
  },
  {
    alert: 'VB365MisuseSessionsDeleted',
    says: 'scrapes missed for longer than an hour hide nothing',
    series: { [deleted]: '0x30 _x70 2x60' },
    looks: [...silentAt(30, 100), { minute: 103, fires: times('2') }],
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'logins are refused after 1, 10 and 30 minutes',
    series: { [logins]: '5x60 6 7x10 8x30 9x30', [errors('auth')]: '0x60 0+4x72' },
    looks: [
      ...silentAt(60, 61),
      { minute: 63, fires: times('2') },
      { minute: 75, fires: times('3') },
      { minute: 104, fires: times('4') },
      { minute: 130, fires: times('2') },
    ],
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'one refused login fails every poll of 15 s for a minute',
    series: { [logins]: '0x20 1x60', [errors('auth')]: '0x20 4x60' },
    looks: silentAt(20, 22, 30, 60),
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'each login is refused, with an hour between polls',
    series: { [logins]: '0x20 1x60 2x60 3x60', [interval]: '3600x200' },
    looks: [...silentAt(20, 22, 80), { minute: 90, fires: times('2') }, { minute: 150, fires: times('3') }],
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'the exporter restarts between two refused logins',
    series: { [logins]: '0x20 1x3 _x5 1x2 2x60' },
    looks: [...silentAt(20, 22, 30), { minute: 33, fires: times('2') }],
  },
];

/** A month of samples a minute apart: each day is made of values and for how many minutes they last. */
const month = (each: (day: number) => readonly (readonly [value: string, minutes: number])[]): string =>
  Array.from({ length: 30 }, (_, day) =>
    each(day)
      .map(([value, minutes]) => `${value}x${String(minutes - 1)}`)
      .join(' '),
  ).join(' ');

/** The server restarts for three minutes around 2:00 each night. */
const [beforeRestart, restart, afterRestart] = [118, 3, 1319];
const state = (running: number, down: number): string =>
  month(() => [
    [String(running), beforeRestart],
    [String(down), restart],
    [String(running), afterRestart],
  ]);
const rises = (valueOf: (day: number) => number): string =>
  month(day => [
    [String(valueOf(day)), beforeRestart + 1],
    [String(valueOf(day + 1)), restart + afterRestart - 1],
  ]);

/** A login is refused at 10:00 each Monday, and the next one is accepted. */
const mondays = month(day => [
  [String(Math.ceil(day / 7)), 600],
  [String(Math.ceil((day + 1) / 7)), 840],
]);

/** 600 previews on each working day, from 8:00 to 18:00. */
const viewsUntil = (day: number): number => 600 * (5 * Math.floor(day / 7) + Math.min(day % 7, 5));
const viewed = month(day => {
  const [from, to] = [viewsUntil(day), viewsUntil(day + 1)];
  return [
    [String(from), 480],
    [`${String(from)}+${String((to - from) / 600)}`, 600],
    [String(to), 360],
  ];
});

const eachDay = (...minutes: readonly number[]): readonly number[] =>
  Array.from({ length: 30 }, (_, day) => minutes.map(minute => day * 1440 + minute)).flat();

/** A month, evaluated every half an hour. */
export const quietMisuseCases: readonly Case[] = [
  {
    alert: 'VB365MisuseMassView',
    says: '30 quiet days',
    series: { [views]: viewed },
    looks: silentAt(...eachDay(540, 660, 1080)),
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: '30 quiet days with a restart each night and a login that is refused each week',
    series: {
      [up]: state(1, 0),
      [feed]: state(1, 0),
      [errors('network')]: rises(day => 2 * day),
      [logins]: mondays,
    },
    looks: silentAt(...eachDay(120, 150, 600, 630).slice(8)),
  },
  {
    alert: 'VB365MisuseSessionsDeleted',
    says: '30 quiet days',
    series: { [deleted]: month(() => [['0', 1440]]) },
    looks: silentAt(...eachDay(120)),
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: '30 quiet days with a login that is refused each week',
    series: { [logins]: mondays },
    looks: silentAt(...eachDay(600, 630)),
  },
];
