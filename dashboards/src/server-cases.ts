import { type Case, ofServer, scraped, series, silentAt } from './rule-case.js';

const of = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(`vb365_${name}`, { ...ofServer, ...labels });
const fires = (value?: string, labels: Readonly<Record<string, string>> = {}) => ({
  labels: { ...ofServer, ...labels },
  ...(value === undefined ? {} : { value }),
});

const up = of('server_up');
const started = series('process_start_time_seconds', scraped);
const refused = of('poll_errors_total', { reason: 'auth' });
const throttled = of('poll_errors_total', { reason: 'throttled' });
const complete = of('polls_total', { result: 'complete' });
const incomplete = of('polls_total', { result: 'failed' });
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

const reading: readonly Case[] = [
  {
    alert: 'VB365ServerUnreachable',
    says: 'the server stays down',
    series: { [up]: '1x5 0x40' },
    looks: [...silentAt(5, 11, 20), { minute: 22, fires: fires() }],
  },
  {
    alert: 'VB365ServerUnreachable',
    says: 'the server recovers after three minutes',
    series: { [up]: '1x3 0x3 1x40' },
    looks: silentAt(6, 20, 40),
  },
  {
    alert: 'VB365AuthFailing',
    says: 'every poll is refused',
    series: { [refused]: '0x5 2+2x60', [complete]: '0+1x5 5x60' },
    looks: [...silentAt(10, 18), { minute: 30, fires: fires() }],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'the login is refused from the first poll on, every five minutes',
    series: { [refused]: '0x5 1x4 2x4 3x4 4x4 5x4 6x4 7x4', [complete]: '0x40' },
    looks: [...silentAt(5, 10), ...[12, 20, 30, 40].map(minute => ({ minute, fires: fires() }))],
  },
  {
    alert: 'VB365AuthFailing',
    says: 'one poll between refused ones is complete',
    series: { [refused]: '0x10 1+1x60', [complete]: '0x12 1x60' },
    looks: [...silentAt(15, 17, 20, 22, 25), { minute: 30, fires: fires() }],
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
    looks: [...silentAt(20, 26), { minute: 32, fires: fires('22m 0s') }],
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
    looks: [...silentAt(10, 20), { minute: 22, fires: fires('22m 0s') }],
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

const feed = of('change_feed_active');
const info = (api_version: string): string => of('server_info', { version: '8.1', api_version, installation_id: 'i' });
const missed = of('reconcile_missed_sessions_total');
const changed = of('installation_changes_total');

const changeFeed: readonly Case[] = [
  {
    alert: 'VB365ChangeFeedInactive',
    says: 'a v8 server is polled',
    series: { [feed]: '0x100', [info('v8')]: '1x100' },
    looks: [...silentAt(30), { minute: 70, fires: fires() }],
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

const verified = of('tls_verification_enabled');
const certificate = of('certificate_expiry_timestamp_seconds');
const skew = of('clock_skew_seconds');
const unknown = of('unknown_values_total', { field: 'status' });
const days = (count: number): string => `${String(count * 86_400)}x200`;

const trust: readonly Case[] = [
  {
    alert: 'VB365TlsVerificationOff',
    says: 'verification is off',
    series: { [verified]: '0x20' },
    looks: [...silentAt(4), { minute: 6, fires: fires() }],
  },
  {
    alert: 'VB365TlsVerificationOff',
    says: 'verification is on',
    series: { [verified]: '1x20' },
    looks: silentAt(6, 20),
  },
  {
    alert: 'VB365CertificateExpiresSoon',
    says: '20 days are left',
    series: { [certificate]: days(20) },
    looks: [...silentAt(30), { minute: 90, fires: fires('19d 22h 30m 0s') }],
  },
  {
    alert: 'VB365CertificateExpiresSoon',
    says: '40 days are left',
    series: { [certificate]: days(40) },
    looks: silentAt(90),
  },
  {
    alert: 'VB365CertificateExpiresVerySoon',
    says: '2 days are left',
    series: { [certificate]: days(2) },
    looks: [...silentAt(10), { minute: 20, fires: fires('1d 23h 40m 0s') }],
  },
  {
    alert: 'VB365CertificateExpiresVerySoon',
    says: '5 days are left',
    series: { [certificate]: days(5) },
    looks: silentAt(20, 90),
  },
  {
    alert: 'VB365ClockSkew',
    says: 'the server is 90 s behind',
    series: { [skew]: '-90x40' },
    looks: [...silentAt(10), { minute: 16, fires: fires('1m 30s') }],
  },
  { alert: 'VB365ClockSkew', says: 'the server is 30 s ahead', series: { [skew]: '30x40' }, looks: silentAt(16, 40) },
  {
    alert: 'VB365UnknownValues',
    says: 'a new status is seen',
    series: { [unknown]: '0x5 1x60' },
    looks: [...silentAt(5), { minute: 7, fires: fires('1', { field: 'status' }) }],
  },
  {
    alert: 'VB365UnknownValues',
    says: 'none since, with missed scrapes',
    series: { [unknown]: '4x5 _x5 4x60' },
    looks: silentAt(5, 12, 60),
  },
];

export const serverCases: readonly Case[] = [...reading, ...changeFeed, ...trust];
