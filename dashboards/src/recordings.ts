import { lastPoll } from './outage.js';
import { lastKnown, processStart, type Recording } from './rule.js';
import { thresholds as at } from './thresholds.js';

const perOrganization = 'sum by (server, organization)';
const items = 'vb365_restore_events_total{event_type!="None"}';
const viewed = 'vb365_restore_events_total{event_type="View"}';
const takenOut = 'vb365_restore_events_total{event_type=~"Save|Export|Send"}';

/** The types of events that alerts and panels count as failed items. The chart replaces this text. */
const failedTypes = at.restoreEventFailed.eventTypes.join('|');

/** The events that alerts and panels call failed items. */
export const failedItem = `event_type=~"${failedTypes}",status="Failed"`;

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

/** Counters of failures without the labels of the replica that serves them: one series goes on when a server moves. */
const failures: readonly Recording[] = [
  {
    name: 'organization:vb365_restore_items_failed:max',
    expr: `max by (server, organization, workload, event_type) (vb365_restore_events_total{${failedItem}})`,
  },
  {
    name: 'organization:vb365_restore_sessions_failed_without_item:max',
    // An exporter that is older than these rules does not know whether an item failed.
    expr: `max by (server, organization, workload, event_type) (vb365_restore_sessions_failed_total{event_type!~"${failedTypes}"})
or
max by (server, organization, workload) (vb365_restore_sessions_total{result="Failed"})
unless on (server)
vb365_restore_sessions_failed_total`,
  },
];

/**
 * Items in the last hour, or since the last scrape before it, and in the busiest hour of the week that ended a day ago. The
 * total goes on when a server moves to another replica.
 */
const hourAgainstWeek = (what: string, selector: string): readonly Recording[] => {
  const total = `organization:vb365_${what}:sum` as const;
  const hour = `organization:vb365_${what}:increase1h` as const;
  return [
    {
      name: total,
      expr: `${perOrganization} (max by (server, organization, workload, event_type, status) (${selector}))`,
    },
    { name: hour, expr: `(${total} - last_over_time(${total}[1d] offset 1h) > 0) or increase(${total}[1h])` },
    { name: `organization:vb365_${what}:busiest_hour_of_week`, expr: `max_over_time(${hour}[6d] offset 1d)` },
  ];
};

const lastPolls: Recording = {
  name: lastPoll,
  expr: `max by (server) (
    ${lastKnown('vb365_last_successful_poll_timestamp_seconds')}
  or on (server)
    last_over_time(${lastPoll}[1h])
  or on (server)
    ${processStart('vb365_server_up')}
)`,
};

/** How many logins a server had refused when it was last up: more of them mean that it lets the exporter in no longer. */
const loginsWhenUp: Recording = {
  name: 'server:vb365_logins_refused:when_up',
  expr: `max by (server) (vb365_logins_refused_total) and on (server) max by (server) (vb365_server_up) == 1`,
};

export const recordings: readonly Recording[] = [
  ...['1h', '6h', '3d'].flatMap(window => [stopped(window), failedRatio(window)]),
  ...failures,
  ...hourAgainstWeek('restore_items', items),
  ...hourAgainstWeek('restore_items_taken_out', takenOut),
  ...hourAgainstWeek('restore_items_viewed', viewed),
  lastPolls,
  loginsWhenUp,
];
