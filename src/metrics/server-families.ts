import { reasons } from '../kernel/errors.js';
import { counter, gauge, histogram } from './family.js';
import { apiCodes, apiOperations, ownerLookupOutcomes, pollResults, timedOperations } from '../model/labels.js';

export const serverUp = gauge({
  name: 'vb365_server_up',
  help: 'Whether the last poll of the server succeeded. A poll finds sessions; it does not read their events.',
  unit: 'boolean',
  labels: ['server'],
  example: 'vb365_server_up == 0',
});

export const serverInfo = gauge({
  name: 'vb365_server_info',
  help: 'Version, API version and installation id of the server as labels. Always 1.',
  unit: 'constant',
  labels: ['server', 'version', 'api_version', 'installation_id'],
  example: 'count by (version) (vb365_server_info)',
});

export const changeFeedActive = gauge({
  name: 'vb365_change_feed_active',
  help: 'Whether the exporter follows the change feed of the server.',
  unit: 'boolean',
  labels: ['server'],
  example: 'vb365_change_feed_active == 0 and on (server) vb365_server_info{api_version="v8"}',
});

export const reconcileMissed = counter({
  name: 'vb365_reconcile_missed_sessions_total',
  help: 'Total number of changed restore sessions that a list scan found and the change feed had not reported.',
  unit: 'sessions',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_reconcile_missed_sessions_total[1h]) > 0',
});

export const loginsRefused = counter({
  name: 'vb365_logins_refused_total',
  help: 'Total number of logins that the server refused. After a refused login the exporter waits before the next one, and polls fail until then.',
  unit: 'logins',
  labels: ['server'],
  stored: true,
  held: true,
  example: 'increase(vb365_logins_refused_total[1h]) > 0',
});

export const apiRequests = counter({
  name: 'vb365_api_requests_total',
  help: 'Total number of API requests, by operation and class of the status code.',
  unit: 'requests',
  labels: ['server', 'operation', 'code'],
  known: { operation: apiOperations, code: apiCodes },
  onFirstUse: true,
  example: 'sum by (server, code) (rate(vb365_api_requests_total[5m]))',
});

export const apiRequestDuration = histogram({
  name: 'vb365_api_request_duration_seconds',
  help: 'Duration of API requests that read restore sessions and events, in seconds.',
  unit: 'seconds',
  labels: ['server', 'operation'],
  known: { operation: timedOperations },
  onFirstUse: true,
  buckets: [0.05, 0.25, 1, 2.5, 10, 30, 60],
  example: 'histogram_quantile(0.9, sum by (le, operation) (rate(vb365_api_request_duration_seconds_bucket[5m])))',
});

export const ownerLookups = counter({
  name: 'vb365_owner_lookups_total',
  help: 'Total number of look-ups of the owners of restored data, by outcome. The exporter looks up an owner at most once a day, and none of that kind for a day after a refusal.',
  unit: 'look-ups',
  labels: ['server', 'outcome'],
  known: { outcome: ownerLookupOutcomes },
  onFirstUse: true,
  example: 'sum by (server, outcome) (increase(vb365_owner_lookups_total{outcome!="found"}[1d])) > 0',
});

export const polls = counter({
  name: 'vb365_polls_total',
  help: 'Total number of discovery polls, by result.',
  unit: 'polls',
  labels: ['server', 'result'],
  known: { result: pollResults },
  example: 'increase(vb365_polls_total{result!="complete"}[15m])',
});

export const pollErrors = counter({
  name: 'vb365_poll_errors_total',
  help: 'Total number of errors while reading from the server, by reason. Errors of deliveries are in vb365_delivery_errors_total.',
  unit: 'errors',
  labels: ['server', 'reason'],
  known: { reason: reasons },
  example: 'sum by (server, reason) (increase(vb365_poll_errors_total[15m])) > 0',
});

export const pollDuration = histogram({
  name: 'vb365_poll_duration_seconds',
  help: 'Duration of discovery polls in seconds.',
  unit: 'seconds',
  labels: ['server'],
  buckets: [0.1, 1, 5, 15, 60, 300],
  example: 'histogram_quantile(0.99, sum by (le, server) (rate(vb365_poll_duration_seconds_bucket[1h])))',
});

export const pollInterval = gauge({
  name: 'vb365_poll_interval_seconds',
  help: 'Configured interval between polls while no session is open, in seconds.',
  unit: 'seconds',
  labels: ['server'],
  lasting: true,
  example: 'time() - vb365_last_successful_poll_timestamp_seconds > 3 * vb365_poll_interval_seconds',
});

export const lastSuccessfulPoll = gauge({
  name: 'vb365_last_successful_poll_timestamp_seconds',
  help: 'Unix time of the last complete poll.',
  unit: 'seconds since 1970',
  labels: ['server'],
  lasting: true,
  example: 'time() - vb365_last_successful_poll_timestamp_seconds > 300',
});

export const tokenExpiry = gauge({
  name: 'vb365_token_expiry_timestamp_seconds',
  help: 'Unix time at which the access token expires. Absent while there is no token.',
  unit: 'seconds since 1970',
  labels: ['server'],
  example: 'vb365_token_expiry_timestamp_seconds - time() < 0',
});

export const clockSkew = gauge({
  name: 'vb365_clock_skew_seconds',
  help: 'Server clock minus exporter clock in seconds. Absent until the server has sent its time.',
  unit: 'seconds',
  labels: ['server'],
  example: 'abs(vb365_clock_skew_seconds) > 60',
});

export const tlsVerificationEnabled = gauge({
  name: 'vb365_tls_verification_enabled',
  help: 'Whether the TLS certificate of the server is verified. 0 with insecure_skip_verify, and over http.',
  unit: 'boolean',
  labels: ['server'],
  lasting: true,
  example: 'vb365_tls_verification_enabled == 0',
});

export const certificateExpiryChecked = gauge({
  name: 'vb365_certificate_expiry_checked',
  help: 'Whether the exporter refuses the TLS certificate of the server after its expiry. 0 with server_fingerprint or insecure_skip_verify, and over http.',
  unit: 'boolean',
  labels: ['server'],
  lasting: true,
  example: 'vb365_certificate_expiry_timestamp_seconds unless on (server) vb365_certificate_expiry_checked == 0',
});

export const certificateExpiry = gauge({
  name: 'vb365_certificate_expiry_timestamp_seconds',
  help: 'Unix time at which the last seen TLS certificate of the server expires, trusted or not. Absent over http.',
  unit: 'seconds since 1970',
  labels: ['server'],
  example: 'vb365_certificate_expiry_timestamp_seconds - time() < 14 * 86400',
});

export const installationChanges = counter({
  name: 'vb365_installation_changes_total',
  help: 'Total number of times that another installation answered under the name of the server. Its history is not counted.',
  unit: 'changes',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_installation_changes_total[1h]) > 0',
});
