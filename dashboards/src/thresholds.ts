import type { ItemType } from '../../src/model/event.js';

const failedEventTypes: readonly ItemType[] = ['View', 'Restore', 'Save', 'Export', 'Send', 'other'];

/** All alert thresholds. Texts such as `15m` are PromQL durations. Run `npm run docs` after a change. */
export const thresholds = {
  /**
   * Days that a VB365 server keeps its session history (General Options, History). By default it keeps everything; a limited
   * history has 53 weeks. The chart changes it with `prometheusRule.historyRetentionDays`.
   */
  historyRetentionDays: 371,
  /**
   * The alert fires for `window`; `memory` limits how old the previous value can be when scrapes were missed. `eventTypes`
   * are the operations whose failures count, in alerts and panels, also those of log records. `View` is one of them: a preview reads the backup the same
   * way as a restore, so that its failure is the first sign of a restore that will fail. `None` is a line about the session,
   * whose failure `VB365RestoreSessionFailed` reports. The chart changes it with `prometheusRule.failedEventTypes`.
   */
  restoreEventFailed: {
    window: '15m',
    memory: '1d',
    eventTypes: failedEventTypes,
  },
  /** Both windows must exceed their ratio, so that neither a single failure nor an old incident is enough. */
  failureRatioHigh: { shortRatio: 0.25, longRatio: 0.1, shortSessions: 4, for: '10m' },
  failureRatioElevated: { shortRatio: 0.15, longRatio: 0.05, shortSessions: 10, for: '30m' },
  restoreSessionStuck: { ageSeconds: 12 * 3600, for: '15m' },
  /**
   * Compared with the busiest hour of the week that ended a day ago. They keep firing until somebody comes to work: exports, which
   * nothing mutes, for a day; volume, which is muted at night and at the weekend, from Friday evening to Monday.
   */
  restoreVolumeUnusual: { itemsPerHour: 500, timesBusiest: 2, for: '5m', keepFiringFor: '3d' },
  restoreExportUnusual: { itemsPerHour: 100, timesBusiest: 2, for: '5m', keepFiringFor: '1d' },
  restoreEventsAbandoned: { window: '1h' },
  eventCorrections: { window: '3d' },
  /** Detections of misuse. Log rules look at records whose time is within `window`. */
  misuse: {
    window: '1h',
    firstExport: { memory: '30d' },
    somebodyElsesData: { memory: '30d' },
    outsideHours: { items: 0 },
    manyOrganizations: { organizations: 4 },
    operatorViews: { items: 200 },
    /** Compared with the busiest hour of the week that ended a day ago. */
    massView: { itemsPerHour: 200, timesBusiest: 2, keepFiringFor: '1d' },
    /** With a poll interval of more than `slowSeconds`, one network error within `slowWindow` suffices. */
    exporterBlinded: {
      memory: '3d',
      loginsWindow: '6h',
      networkWindow: '5m',
      networkErrors: 1,
      slowSeconds: 120,
      slowWindow: '3h',
    },
    sessionsDeleted: { window: '1h', keepFiringFor: '1d' },
    /** Logins that were sent: the exporter sends them after 1, 10 and then every 30 minutes, or at the next poll. */
    failedLogins: { window: '1h', times: 1, slowSeconds: 1200, slowWindow: '3h' },
    /** Placeholders in lower case, for your own; docs/DETECTIONS.md says how to replace them. */
    trusted: {
      mailDomains: ['partner.example.com'],
      tenants: ['partner-example'],
      operators: ['provider-example'],
    },
  },
  serverUnreachable: { window: '5m', for: '10m' },
  /** With a poll interval of more than `slowSeconds`, `slowWindow` holds at least two polls. */
  authFailing: { window: '10m', slowSeconds: 300, slowWindow: '3h', slowIntervals: 2, for: '5m' },
  /** Both must be exceeded. */
  pollStale: { ageSeconds: 900, intervals: 3, for: '5m' },
  /** With a poll interval of more than `slowSeconds`, `slowWindow` holds at least six polls. */
  pollErrors: { window: '30m', ratio: 0.2, for: '15m', slowSeconds: 150, slowWindow: '6h' },
  apiThrottled: { window: '15m', times: 3, for: '15m' },
  apiSlow: { window: '15m', p95Seconds: 10, for: '15m' },
  changeFeedInactive: { for: '1h' },
  reconcileMissed: { window: '1h' },
  installationChanged: { window: '1h' },
  tlsVerificationOff: { for: '5m' },
  certificateExpiresSoon: { leftSeconds: 21 * 86_400, for: '1h' },
  certificateExpiresVerySoon: { leftSeconds: 86_400, for: '15m' },
  certificateExpired: { for: '5m' },
  clockSkew: { seconds: 60, for: '15m' },
  unknownValues: { window: '3d' },
  deliveryLag: { ageSeconds: 900, intervals: 2, for: '5m' },
  deliveryFailing: { window: '30m', for: '5m' },
  deliveryRejected: { window: '30m' },
  eventsRejected: { window: '30m' },
  exporterDown: { for: '5m' },
  exporterAbsent: { for: '10m' },
  exporterRestarting: { window: '1h', times: 3 },
  stateErrors: { window: '15m' },
  /** The exporter retries at least every two minutes, so that continuing errors are in each `window`. */
  stateFailing: { window: '5m', for: '10m' },
  leaseRenewal: { ageSeconds: 60, for: '1m' },
  serverWithoutReplica: { for: '2m' },
  configReloadFailed: { for: '5m' },
  organizationOverflow: { window: '1h' },
  scrapeTooLarge: { samples: 20_000, for: '30m' },
} as const;
