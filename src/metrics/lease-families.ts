import { leaseMoves } from '../model/labels.js';
import { counter, gauge } from './family.js';

export const leaseAcquired = gauge({
  name: 'vb365_lease_acquired_timestamp_seconds',
  help: 'Unix time at which this replica acquired the lease of the server; only the replica that holds it has the series.',
  unit: 'seconds since 1970',
  labels: ['server'],
  example: 'count by (instance) (vb365_lease_acquired_timestamp_seconds)',
});

export const leaseUnheld = gauge({
  name: 'vb365_lease_unheld',
  help: 'Whether no replica holds the lease of the server. Only servers without a holder have the series.',
  unit: 'boolean',
  labels: ['server'],
  lasting: true,
  example: 'max by (server) (vb365_lease_unheld) == 1',
});

export const leaseReplicas = gauge({
  name: 'vb365_lease_replicas',
  help: 'Number of replicas that were alive at the last renewal of leases, this one included.',
  unit: 'replicas',
  labels: [],
  example: 'min(vb365_lease_replicas) < 2',
});

export const leaseRenewed = gauge({
  name: 'vb365_lease_renewal_timestamp_seconds',
  help: 'Unix time of the last successful renewal of leases.',
  unit: 'seconds since 1970',
  labels: [],
  example: 'time() - vb365_lease_renewal_timestamp_seconds > 60',
});

export const leaseMoved = counter({
  name: 'vb365_lease_moves_total',
  help: 'Total number of leases that this replica acquired, released, or lost to the clock or to another replica.',
  unit: 'leases',
  labels: ['change'],
  known: { change: leaseMoves },
  onFirstUse: true,
  example: 'increase(vb365_lease_moves_total{change="lost"}[15m]) > 0',
});

export const leaseRefusals = counter({
  name: 'vb365_lease_refused_commits_total',
  help: 'Total number of commits that were refused because this replica no longer held the lease. They changed nothing.',
  unit: 'commits',
  labels: [],
  onFirstUse: true,
  example: 'increase(vb365_lease_refused_commits_total[15m]) > 0',
});
