import { lostAfter } from './outage.js';
import { type Alert, ourJobs, risen } from './rule.js';
import { thresholds as at } from './thresholds.js';

const of = { component: 'exporter', dashboard: 'exporter', about: ['instance'] } as const;
const count = '{{ $value | printf "%.0f" }}';

const stateErrors = (window: string): string =>
  `sum by (job, instance, operation) (increase(vb365_state_errors_total[${window}])) > 0`;

const down = `up{${ourJobs}} == 0`;

/** A replica is up. Only replicas have leases. */
const replicaUp = `on (job)
(up{${ourJobs}} == 1 and on (job, instance) vb365_lease_renewal_timestamp_seconds)`;

export const exporterAlerts: readonly Alert[] = [
  {
    ...of,
    name: 'VB365ExporterDown',
    severity: 'critical',
    expr: `${down}
unless ${replicaUp}`,
    for: at.exporterDown.for,
    summary: 'The VB365 exporter {{ $labels.instance }} cannot be scraped.',
    description: `Prometheus cannot scrape {{ $labels.instance }}. Check that the process runs; its log says why it exited. After recovery the exporter counts what it missed. ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365ReplicaDown',
    severity: 'warning',
    expr: `${down}
and ${replicaUp}`,
    for: at.exporterDown.for,
    summary: 'The replica {{ $labels.instance }} of the VB365 exporter cannot be scraped.',
    description:
      'Prometheus cannot scrape {{ $labels.instance }}. Other replicas are up and read its servers. Check that the process runs; its log says why it exited.',
  },
  {
    ...of,
    about: [],
    name: 'VB365ExporterAbsent',
    severity: 'critical',
    expr: `absent(up{${ourJobs}})`,
    for: at.exporterAbsent.for,
    summary: 'No VB365 exporter is scraped.',
    description: `Prometheus has no target whose job has vb365 in its name. Check scrape_configs or the ServiceMonitor. Restores are not monitored. ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365ExporterRestarting',
    severity: 'warning',
    expr: `changes(process_start_time_seconds{${ourJobs}}[${at.exporterRestarting.window}]) > ${String(at.exporterRestarting.times)}`,
    summary: 'The VB365 exporter {{ $labels.instance }} restarts repeatedly.',
    description: `{{ $labels.instance }} restarted ${count} times in ${at.exporterRestarting.window}. Check the end of its log before the last restart, and the memory limit of its container.`,
  },
  {
    ...of,
    name: 'VB365StateErrors',
    severity: 'warning',
    expr: stateErrors(at.stateErrors.window),
    summary: 'The VB365 exporter {{ $labels.instance }} failed to access its state.',
    description:
      '{{ $labels.instance }} failed to access its state ({{ $labels.operation }}) and retries. Nothing is lost. Check PostgreSQL, or free space, permissions and health of the disk at state.path.',
  },
  {
    ...of,
    name: 'VB365StateFailing',
    severity: 'critical',
    expr: stateErrors(at.stateFailing.window),
    for: at.stateFailing.for,
    summary: 'The VB365 exporter {{ $labels.instance }} cannot use its state.',
    description: `{{ $labels.instance }} has failed to access its state ({{ $labels.operation }}) for ${at.stateFailing.for}. Nothing is counted or delivered until it works again. Check PostgreSQL, or the disk at state.path. ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365LeaseRenewalFailing',
    severity: 'warning',
    expr: `time() - vb365_lease_renewal_timestamp_seconds > ${String(at.leaseRenewal.ageSeconds)}`,
    for: at.leaseRenewal.for,
    summary: 'The VB365 exporter {{ $labels.instance }} cannot renew its leases in PostgreSQL.',
    description: `{{ $labels.instance }} has not renewed its leases for {{ $value | humanizeDuration }} and reads no server. Replicas that reach PostgreSQL take its servers over. Check that PostgreSQL takes writes; "vb365-exporter doctor" says what is wrong.`,
  },
  {
    ...of,
    about: ['server'],
    name: 'VB365ServerWithoutReplica',
    severity: 'critical',
    // What a replica saw that no longer reaches PostgreSQL is out of date.
    expr: `max by (server) (
  vb365_lease_unheld
  and on (job, instance)
  time() - vb365_lease_renewal_timestamp_seconds < ${String(at.leaseRenewal.ageSeconds)}
) == 1`,
    for: at.serverWithoutReplica.for,
    summary: 'No replica of the VB365 exporter reads {{ $labels.server }}.',
    description: `No replica holds the lease of {{ $labels.server }}. Restores on it are not monitored. Check the logs of the replicas for "Could not move servers". ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365ConfigReloadFailed',
    severity: 'warning',
    expr: `vb365_config_last_reload_successful == 0`,
    for: at.configReloadFailed.for,
    summary: 'The VB365 exporter {{ $labels.instance }} runs with an outdated configuration.',
    description:
      '{{ $labels.instance }} could not load its changed configuration and keeps the previous one. "vb365-exporter check" lists all problems.',
  },
  {
    ...of,
    about: ['server'],
    name: 'VB365OrganizationOverflow',
    severity: 'warning',
    expr: risen('vb365_series_overflow_total', 'server, label', at.organizationOverflow.window),
    summary: 'There are more organizations on {{ $labels.server }} than metrics.max_organizations.',
    description: `${count} event(s) or session(s) of {{ $labels.server }} were counted under {{ $labels.label }}="overflow". Raise metrics.max_organizations if Prometheus can handle the additional series.`,
  },
  {
    ...of,
    name: 'VB365ScrapeTooLarge',
    severity: 'warning',
    expr: `scrape_samples_scraped{${ourJobs}} > ${String(at.scrapeTooLarge.samples)}`,
    for: at.scrapeTooLarge.for,
    summary: 'The VB365 exporter {{ $labels.instance }} exposes too many series.',
    description: `{{ $labels.instance }} exposes ${count} samples. Lower metrics.max_organizations, or set metrics.organization_label to false.`,
  },
];
