import { aboutServer, type Case, ofServer, series, silentAt } from './rule-case.js';

const of = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(`vb365_${name}`, { ...ofServer, ...labels });
const fires = (value?: string, labels: Readonly<Record<string, string>> = {}) => ({
  labels: { ...aboutServer, ...labels },
  ...(value === undefined ? {} : { value }),
});

const verified = of('tls_verification_enabled');
const certificate = of('certificate_expiry_timestamp_seconds');
const checked = of('certificate_expiry_checked');
const skew = of('clock_skew_seconds');
const unknown = of('unknown_values_total', { field: 'status' });
const expiring = (seconds: number): string => `${String(seconds)}x200`;
const day = 86_400;

export const trustCases: readonly Case[] = [
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
    series: { [certificate]: expiring(20 * day) },
    looks: [...silentAt(30), { minute: 90, fires: fires('19d 22h 30m 0s') }],
  },
  {
    alert: 'VB365CertificateExpiresSoon',
    says: '40 days are left',
    series: { [certificate]: expiring(40 * day) },
    looks: silentAt(90),
  },
  {
    alert: 'VB365CertificateExpiresVerySoon',
    says: '20 hours are left',
    series: { [certificate]: expiring(20 * 3600) },
    looks: [...silentAt(10), { minute: 20, fires: fires('19h 40m 0s') }],
  },
  {
    alert: 'VB365CertificateExpiresVerySoon',
    says: '2 days are left',
    series: { [certificate]: expiring(2 * day) },
    looks: silentAt(20, 90),
  },
  {
    alert: 'VB365CertificateExpiresVerySoon',
    says: 'it has expired: another alert reports that',
    series: { [certificate]: expiring(-day) },
    looks: silentAt(20, 90),
  },
  {
    alert: 'VB365CertificateExpired',
    says: 'it expired a day ago',
    series: { [certificate]: expiring(-day), [checked]: '1x200' },
    looks: [...silentAt(4), { minute: 30, fires: fires('1d 0h 30m 0s') }],
  },
  {
    alert: 'VB365CertificateExpired',
    says: 'it is that of a pinned server',
    series: { [certificate]: expiring(-day), [checked]: '0x200' },
    looks: silentAt(4, 30, 200),
  },
  {
    alert: 'VB365CertificateExpiresSoon',
    says: 'it is that of a pinned server',
    series: { [certificate]: expiring(day), [checked]: '0x200' },
    looks: silentAt(90, 200),
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
