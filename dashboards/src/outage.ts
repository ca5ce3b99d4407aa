import { thresholds as at } from './thresholds.js';

const days = String(at.historyRetentionDays);

/** What an outage loses, and when. The chart replaces the number of days. */
export const lostAfter = `VB365 may delete history that was not read after ${days} days.`;

/** Time until a server may delete history that was not read, with the value of `secondsLeft`. */
export const lostIn = 'VB365 may delete history that was not read in {{ $value | humanizeDuration }}.';

/** Unix time of the last complete poll of a server, remembered while its exporter is down or restarts. */
export const lastPoll = 'server:vb365_last_successful_poll_timestamp_seconds:max';

/**
 * For each server of `condition`, the seconds until it may delete history that was not read: the retention minus the time
 * since its last complete poll but at least 0, or the whole retention if that time is unknown.
 */
export const secondsLeft = (condition: string): string => `(
  clamp_min(${days} * 86400 - (time() - ${lastPoll}), 0)
and on (server)
  (${condition})
)
or
0 * (${condition}) + ${days} * 86400`;
