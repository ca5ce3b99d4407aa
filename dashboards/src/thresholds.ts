/**
 * Every number that decides whether somebody is woken, in one place. Texts such as `15m` are PromQL durations; a number
 * says its unit in its name. After a change run `npm run docs`, which writes the rules and their tests anew.
 */
export const thresholds = {
  /** A failed event is told for this long; `memory` is how far back a value is looked up when scrapes were missed. */
  restoreEventFailed: { window: '15m', memory: '1d' },
  /** Both windows have to be bad, so that neither one failure nor yesterday's trouble is enough. */
  failureRatioHigh: { shortRatio: 0.25, longRatio: 0.1, shortSessions: 4, for: '10m' },
  failureRatioElevated: { shortRatio: 0.15, longRatio: 0.05, shortSessions: 10, for: '30m' },
  restoreSessionStuck: { ageSeconds: 12 * 3600, for: '15m' },
  /** Against the mean hour of the week before. */
  restoreVolumeUnusual: { itemsPerHour: 500, timesMean: 5, for: '15m' },
  restoreExportUnusual: { itemsPerHour: 100, timesMean: 5, for: '15m' },
  restoreEventsAbandoned: { window: '1h' },
  eventCorrections: { window: '1d' },
  serverUnreachable: { window: '5m', for: '10m' },
  authFailing: { window: '10m', for: '5m' },
  pollStale: { ageSeconds: 900, for: '5m' },
  pollErrors: { window: '30m', ratio: 0.2, for: '15m' },
  apiThrottled: { window: '15m', times: 3, for: '15m' },
  apiSlow: { window: '15m', p95Seconds: 10, for: '15m' },
  changeFeedInactive: { for: '1h' },
  reconcileMissed: { window: '1h' },
  installationChanged: { window: '1h' },
  tlsVerificationOff: { for: '5m' },
  certificateExpiresSoon: { leftSeconds: 21 * 86_400, for: '1h' },
  certificateExpiresVerySoon: { leftSeconds: 3 * 86_400, for: '15m' },
  clockSkew: { seconds: 60, for: '15m' },
  unknownValues: { window: '1d' },
  deliveryLag: { ageSeconds: 900, for: '5m' },
  deliveryFailing: { window: '30m', for: '5m' },
  deliveryRejected: { window: '30m' },
  eventsSetAside: { window: '30m' },
  exporterDown: { for: '5m' },
  exporterAbsent: { for: '10m' },
  exporterRestarting: { window: '1h', times: 3 },
  stateErrors: { window: '15m' },
  configReloadFailed: { for: '5m' },
  organizationOverflow: { window: '1h' },
  scrapeTooLarge: { samples: 20_000, for: '30m' },
} as const;
