import { reasons } from '../kernel/errors.js';
import { family } from './family.js';
import { apiCodes, apiOperations, pollResults } from '../model/labels.js';

export const serverUp = family({
  type: 'gauge',
  name: 'vb365_server_up',
  help: 'Whether the last turn could read from the server (1) or not (0).',
  unit: 'boolean',
  labels: ['server'],
  stored: false,
  example: 'vb365_server_up == 0',
});

export const serverInfo = family({
  type: 'gauge',
  name: 'vb365_server_info',
  help: 'What the server says of itself; always 1.',
  unit: 'constant',
  labels: ['server', 'version', 'api_version', 'installation_id'],
  stored: false,
  example: 'count by (version) (vb365_server_info)',
});

export const changeFeedActive = family({
  type: 'gauge',
  name: 'vb365_change_feed_active',
  help: 'Whether the server tells of changes by its change feed (1) or is polled for them (0).',
  unit: 'boolean',
  labels: ['server'],
  stored: false,
  example: 'vb365_change_feed_active == 0 and on (server) vb365_server_info{api_version="v8"}',
});

export const reconcileMissed = family({
  type: 'counter',
  name: 'vb365_reconcile_missed_sessions_total',
  help: 'Restore sessions that a list showed new, changed or gone although the change feed had not told of them.',
  unit: 'sessions',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_reconcile_missed_sessions_total[1h]) > 0',
});

export const apiRequests = family({
  type: 'counter',
  name: 'vb365_api_requests_total',
  help: 'Requests sent to the server, by what they asked for and the class of the status that came back.',
  unit: 'requests',
  labels: ['server', 'operation', 'code'],
  known: { operation: apiOperations, code: apiCodes },
  stored: false,
  example: 'sum by (server, code) (rate(vb365_api_requests_total[5m]))',
});

export const apiRequestDuration = family({
  type: 'histogram',
  name: 'vb365_api_request_duration_seconds',
  help: 'Time from sending a request to the server to the end of its answer.',
  unit: 'seconds',
  labels: ['server', 'operation'],
  known: { operation: apiOperations },
  buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  stored: false,
  example: 'histogram_quantile(0.9, sum by (le, operation) (rate(vb365_api_request_duration_seconds_bucket[5m])))',
});

export const polls = family({
  type: 'counter',
  name: 'vb365_polls_total',
  help: 'Turns of discovery that ended, by how.',
  unit: 'turns',
  labels: ['server', 'result'],
  known: { result: pollResults },
  stored: false,
  example: 'increase(vb365_polls_total{result!="complete"}[15m])',
});

export const pollErrors = family({
  type: 'counter',
  name: 'vb365_poll_errors_total',
  help: 'Errors met while reading from the server or delivering, by reason.',
  unit: 'errors',
  labels: ['server', 'reason'],
  known: { reason: reasons },
  stored: false,
  example: 'sum by (server, reason) (increase(vb365_poll_errors_total[15m])) > 0',
});

export const pollDuration = family({
  type: 'histogram',
  name: 'vb365_poll_duration_seconds',
  help: 'Time a turn of discovery took.',
  unit: 'seconds',
  labels: ['server'],
  buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
  stored: false,
  example: 'histogram_quantile(0.99, sum by (le, server) (rate(vb365_poll_duration_seconds_bucket[1h])))',
});

export const lastSuccessfulPoll = family({
  type: 'gauge',
  name: 'vb365_last_successful_poll_timestamp_seconds',
  help: 'When the last complete turn of discovery ended, by the clock of the exporter.',
  unit: 'seconds since 1970',
  labels: ['server'],
  stored: false,
  example: 'time() - vb365_last_successful_poll_timestamp_seconds > 300',
});

export const tokenExpiry = family({
  type: 'gauge',
  name: 'vb365_token_expiry_timestamp_seconds',
  help: 'When the access token for the server expires, by the clock of the exporter; absent while there is no token.',
  unit: 'seconds since 1970',
  labels: ['server'],
  stored: false,
  example: 'vb365_token_expiry_timestamp_seconds - time() < 0',
});

export const clockSkew = family({
  type: 'gauge',
  name: 'vb365_clock_skew_seconds',
  help: 'How far the clock of the server is ahead of the clock of the exporter; absent until the server has told.',
  unit: 'seconds',
  labels: ['server'],
  stored: false,
  example: 'abs(vb365_clock_skew_seconds) > 60',
});

export const tlsVerificationEnabled = family({
  type: 'gauge',
  name: 'vb365_tls_verification_enabled',
  help: 'Whether the server has to prove who it is, by an authority or a fingerprint (1), or not (0): insecure_skip_verify, or http.',
  unit: 'boolean',
  labels: ['server'],
  stored: false,
  example: 'vb365_tls_verification_enabled == 0',
});

export const certificateExpiry = family({
  type: 'gauge',
  name: 'vb365_certificate_expiry_timestamp_seconds',
  help: 'When the TLS certificate that the server showed last ends, trusted or not; absent until it has been seen, and over http.',
  unit: 'seconds since 1970',
  labels: ['server'],
  stored: false,
  example: 'vb365_certificate_expiry_timestamp_seconds - time() < 14 * 86400',
});

export const installationChanges = family({
  type: 'counter',
  name: 'vb365_installation_changes_total',
  help: 'How often the server was found to be another installation than the one remembered under its name; its history is not counted then.',
  unit: 'changes',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_installation_changes_total[1h]) > 0',
});
