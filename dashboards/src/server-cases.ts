import { aboutServer, type Case, ofServer, scraped, series, silentAt } from './rule-case.js';
import { thresholds } from './thresholds.js';

const of = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(`vb365_${name}`, { ...ofServer, ...labels });
const fires = (value?: string, labels: Readonly<Record<string, string>> = {}) => ({
  labels: { ...aboutServer, ...labels },
  ...(value === undefined ? {} : { value }),
});

/** How long the server still keeps what was not read, `minutes` after the last complete poll. */
const keepsFor = (minutes: number): string => {
  const [daysLeft, rest] = minutes === 0 ? [0, 0] : [1, 24 * 60 - minutes];
  return `${days(daysLeft)} ${String(Math.floor(rest / 60))}h ${String(rest % 60)}m 0s`;
};
const days = (before: number): string => `${String(thresholds.historyRetentionDays - before)}d`;

const up = of('server_up');
const started = series('process_start_time_seconds', scraped);
const refused = of('poll_errors_total', { reason: 'auth' });
const throttled = of('poll_errors_total', { reason: 'throttled' });
const complete = of('polls_total', { result: 'complete' });
const incomplete = of('polls_total', { result: 'failed' });
const interval = of('poll_interval_seconds');
/** The series of another replica. */
const other = { instance: 'other:10365' };
const onOther = (name: string): string => of(name, other);
const otherStarted = series('process_start_time_seconds', { ...scraped, ...other });
const lastPoll = of('last_successful_poll_timestamp_seconds');

/** One request per minute that takes between `above` and `upTo` seconds. */
const slow = (operation: string, [above, upTo] = ['10', '30']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [
      [above, '0x60'],
      [upTo, '0+1x60'],
      ['+Inf', '0+1x60'],
    ].map(([le = '', values = '']) => [of('api_request_duration_seconds_bucket', { operation, le }), values]),
  );

/** The values 1 to 5, for an hour each. */
const countUp = '1x60 2x60 3x60 4x60 5x60';

export const serverCases: readonly Case[] = [
  {
    alert: 'VB365ServerUnreachable',
    says: 'the server stays down',
    series: { [up]: '1x5 0x40' },
    looks: [...silentAt(5, 11, 20), { minute: 22, fires: fires(keepsFor(0)) }],
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'the server recovers after three minutes',
    series: { [up]: '1x3 0x3 1x40' },
    looks: silentAt(6, 20, 40),
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'one poll each hour, and one of them fails',
    series: {
      [up]: '1x119 0x60 1x60',
      [lastPoll]: '0x59 3600x120 10800x60',
      [interval]: '3600x240',
    },
    looks: silentAt(60, 119, 121, 140, 179, 181, 200, 230),
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'one poll each hour, and two in a row fail',
    series: { [up]: '1x119 0x180', [lastPoll]: '0x59 3600x240', [interval]: '3600x300' },
    looks: [
      ...silentAt(121, 140, 179, 185),
      ...[195, 230].map(minute => ({ minute, fires: fires(keepsFor(minute - 60)) })),
    ],
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'the server refuses the login, which another alert reports',
    series: { [up]: '1x5 0x60', [refused]: '0x5 2+2x60', [complete]: '0+1x5 5x60' },
    looks: silentAt(10, 20, 30, 60),
  },
  {
    alert: 'VB365AuthFailing',
    says: 'every poll is refused',
    series: { [refused]: '0x5 2+2x60', [complete]: '0+1x5 5x60' },
    looks: [...silentAt(10, 18), { minute: 30, fires: fires(keepsFor(0)) }],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'the login is refused from the first poll on, every five minutes',
    series: { [refused]: '0x5 1x4 2x4 3x4 4x4 5x4 6x4 7x4', [complete]: '0x40' },
    looks: [...silentAt(5, 10), ...[12, 20, 30, 40].map(minute => ({ minute, fires: fires(keepsFor(0)) }))],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'one poll between refused ones is complete',
    series: { [refused]: '0x10 1+1x60', [complete]: '0x12 1x60' },
    looks: [...silentAt(15, 17, 20, 22, 25), { minute: 30, fires: fires(keepsFor(0)) }],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'the server is down and refused logins before that',
    series: { [refused]: '0x5 2+2x3 8x60', [complete]: '0+1x5 5x60' },
    looks: silentAt(40, 60),
  },
  {
    alert: 'VB365AuthFailing',
    says: 'the server is down and refuses no login',
    series: { [refused]: '0x60', [complete]: '0+1x5 5x60' },
    looks: silentAt(20, 40, 60),
  },
  {
    alert: 'VB365AuthFailing',
    says: 'a refused login is followed by successful ones',
    series: { [refused]: '0x5 1x60', [complete]: '0+1x60' },
    looks: silentAt(6, 12, 30),
  },
  {
    alert: 'VB365PollStale',
    says: 'the last complete poll is old',
    series: { [lastPoll]: '0+60x10 600x60' },
    looks: [...silentAt(20, 26), { minute: 32, fires: fires(keepsFor(22)) }],
  },
  {
    alert: 'VB365PollStale',
    says: 'polls continue, with missed scrapes',
    series: { [lastPoll]: '0+60x10 _x10 1260+60x40' },
    looks: silentAt(10, 18, 22, 50),
  },
  {
    alert: 'VB365PollStale',
    says: 'no poll was complete since the exporter started',
    series: { [up]: '1x60', [started]: '0x60' },
    looks: [...silentAt(10, 20), { minute: 22, fires: fires(keepsFor(22)) }],
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'the time left counts from the last complete poll, also after a restart of the exporter',
    series: {
      [lastPoll]: '0+60x10 600x10 stale',
      [started]: '0x30 1800x60',
      [up]: '1x10 0x12 _x5 0x60',
    },
    looks: [{ minute: 70, fires: fires(keepsFor(60)) }],
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'it moves to another replica, which cannot reach it either',
    series: { [up]: '1x5 0x25 stale', [onOther('server_up')]: '_x33 0x40' },
    looks: [22, 30, 31, 32, 33, 34, 40, 60].map(minute => ({ minute, fires: fires(keepsFor(0)) })),
  },
  {
    alert: 'VB365AuthFailing',
    says: 'every poll is refused, one each hour',
    series: {
      [refused]: '0x59 1x60 2x60 3x60 4x60',
      [complete]: '1x300',
      [lastPoll]: '0x300',
      [up]: '1x59 0x240',
      [interval]: '3600x300',
    },
    looks: [
      ...silentAt(65, 119, 124),
      ...[127, 150, 179, 200, 239].map(minute => ({ minute, fires: fires(keepsFor(minute)) })),
    ],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'one poll is refused, and polls come each hour',
    series: {
      [refused]: '0x59 1x240',
      [complete]: '1x119 2x60 3x120',
      [lastPoll]: '0x119 7200x60 10800x120',
      [interval]: '3600x300',
    },
    looks: silentAt(60, 65, 100, 119, 121, 130, 170, 200, 239),
  },
  {
    alert: 'VB365PollStale',
    says: 'one poll each hour, and all are complete',
    series: { [lastPoll]: '0x59 3600x60 7200x60', [up]: '1x180', [interval]: '3600x180' },
    looks: silentAt(20, 30, 59, 60, 110, 150),
  },
  {
    alert: 'VB365PollStale',
    says: 'one poll each ten minutes, and none is complete any more',
    series: { [lastPoll]: '600x180', [up]: '1x180', [interval]: '600x180' },
    looks: [...silentAt(20, 30, 39, 44), { minute: 48, fires: fires(keepsFor(38)) }],
  },
  {
    alert: 'VB365PollStale',
    says: 'the server moves to another replica, which has been running for long',
    series: {
      [lastPoll]: '0+60x30 stale',
      [started]: '0x200',
      [otherStarted]: '0x200',
      [onOther('last_successful_poll_timestamp_seconds')]: '_x34 2040+60x60',
      [onOther('server_up')]: '_x32 1x60',
    },
    looks: silentAt(30, 31, 33, 35, 40, 60, 90),
  },
  {
    alert: 'VB365PollStale',
    says: 'the server was removed from the configuration',
    series: { [lastPoll]: '0+60x30 stale', [up]: '1x30 stale', [started]: '0x200' },
    looks: silentAt(30, 40, 50, 60, 100),
  },
  {
    alert: 'VB365PollErrors',
    says: 'every second poll fails',
    series: { [incomplete]: '0+1x60', [complete]: '0+1x60' },
    looks: [...silentAt(10), { minute: 50, fires: fires('50%') }],
  },
  {
    alert: 'VB365PollErrors',
    says: 'one poll in eleven fails, and the exporter restarts',
    series: { [incomplete]: '0+0.1x20 0+0.1x40', [complete]: '0+1x20 0+1x40' },
    looks: silentAt(20, 22, 50),
  },
  {
    alert: 'VB365PollErrors',
    says: 'one poll each hour, and one of them fails',
    series: { [incomplete]: '0x359 1x300', [complete]: `0x59 ${countUp} 5x60 6x60 7x60 8x60`, [interval]: '3600x700' },
    looks: silentAt(362, 380, 400, 500),
  },
  {
    alert: 'VB365PollErrors',
    says: 'one poll each hour, and every second one fails',
    series: {
      [incomplete]: '0x59 1x120 2x120 3x120 4x120',
      [complete]: '0x119 1x120 2x120 3x120 4x60',
      [interval]: '3600x600',
    },
    looks: [{ minute: 400, fires: fires('50%') }],
  },
  {
    alert: 'VB365ApiThrottled',
    says: 'one request per minute is throttled',
    series: { [throttled]: '0+1x60' },
    looks: [...silentAt(10), { minute: 40, fires: fires('15') }],
  },
  {
    alert: 'VB365ApiThrottled',
    says: 'one request in three minutes is throttled',
    series: {
      [throttled]: '0 0 1 1 1 2 2 2 3 3 3 4 4 4 5 5 5 6 6 6 7 7 7 8 8 8 9 9 9 10 10 10 11 11 11 12 12 12 13 13 13',
    },
    looks: [{ minute: 40, fires: fires('5') }],
  },
  { alert: 'VB365ApiThrottled', says: 'one in ten minutes', series: { [throttled]: '0+0.1x60' }, looks: silentAt(40) },
  {
    alert: 'VB365ApiSlow',
    says: 'listing takes half a minute',
    series: slow('sessions'),
    looks: [...silentAt(10), { minute: 40, fires: fires('29s') }],
  },
  {
    alert: 'VB365ApiSlow',
    says: 'listing takes up to ten seconds',
    series: slow('sessions', ['5', '10']),
    looks: silentAt(40, 60),
  },
];
