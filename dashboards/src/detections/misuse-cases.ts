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
    alert: 'VB365MisuseExporterBlinded',
    says: 'the login is refused, then the server does not answer',
    series: {
      [up]: '1x20 0x60',
      [feed]: '1x20 0x60',
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
      [errors('auth')]: '0x90',
      [errors('network')]: '0x20 0+4x10 40x60',
    },
    looks: silentAt(20, 23, 30, 60),
  },
  {
    alert: 'VB365MisuseExporterBlinded',
    says: 'the login is refused, and the server answers',
    series: { [up]: '1x20 0x60', [feed]: '1x20 0x60', [errors('auth')]: refused, [errors('network')]: '0x80' },
    looks: silentAt(20, 23, 60),
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
    alert: 'VB365MisuseFailedLogins',
    says: 'each poll is refused',
    series: { [errors('auth')]: refused },
    looks: [...silentAt(20), { minute: 22, fires: times('4') }],
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'each poll is refused, with an hour between polls',
    series: { [errors('auth')]: '0x20 1x60 2x60 3x60', [series('vb365_poll_interval_seconds', ofServer)]: '3600x200' },
    looks: [...silentAt(20, 22, 82, 90), { minute: 150, fires: times('3') }],
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: 'two polls are refused while the server restarts',
    series: { [errors('auth')]: '0x20 2x60' },
    looks: silentAt(20, 21, 22, 25, 60),
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

const weeks = (day: number): number => Math.ceil(day / 7);
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
    says: '30 quiet days with a restart each night and a poll that is refused each week',
    series: {
      [up]: state(1, 0),
      [feed]: state(1, 0),
      [errors('network')]: rises(day => 2 * day),
      [errors('auth')]: rises(weeks),
    },
    looks: silentAt(...eachDay(120, 150).slice(4)),
  },
  {
    alert: 'VB365MisuseSessionsDeleted',
    says: '30 quiet days',
    series: { [deleted]: month(() => [['0', 1440]]) },
    looks: silentAt(...eachDay(120)),
  },
  {
    alert: 'VB365MisuseFailedLogins',
    says: '30 quiet days with a poll that is refused each week',
    series: { [errors('auth')]: rises(weeks) },
    looks: silentAt(...eachDay(120, 150)),
  },
];
