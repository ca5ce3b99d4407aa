import type { Recording } from './rule.js';

const perOrganization = 'sum by (job, server, organization)';
const items = 'vb365_restore_events_total{event_type!="None"}';
const takenOut = 'vb365_restore_events_total{event_type=~"Save|Export|Send"}';

/** Restore sessions that stopped within `window`, per organization. */
const stopped = (window: string): Recording => ({
  name: `organization:vb365_restore_sessions:increase${window}`,
  expr: `${perOrganization} (increase(vb365_restore_sessions_total[${window}]))`,
});

/** Ratio of failed sessions, 0 to 1; absent when no session stopped. */
const failedRatio = (window: string): Recording => ({
  name: `organization:vb365_restore_sessions_failed:ratio${window}`,
  expr: `${perOrganization} (increase(vb365_restore_sessions_total{result="Failed"}[${window}]))
/
(${perOrganization} (increase(vb365_restore_sessions_total[${window}])) > 0)`,
});

/** Items in the last hour, and in the mean hour of the week before it. */
const hourAgainstWeek = (what: string, selector: string): readonly Recording[] => [
  { name: `organization:vb365_${what}:increase1h`, expr: `${perOrganization} (increase(${selector}[1h]))` },
  {
    name: `organization:vb365_${what}:mean_hour_of_week`,
    expr: `${perOrganization} (increase(${withOffset(selector)})) / (7 * 24)`,
  },
];

const withOffset = (selector: string): string => `${selector}[7d] offset 1h`;

export const recordings: readonly Recording[] = [
  ...['1h', '6h', '3d'].flatMap(window => [stopped(window), failedRatio(window)]),
  ...hourAgainstWeek('restore_items', items),
  ...hourAgainstWeek('restore_items_taken_out', takenOut),
];
