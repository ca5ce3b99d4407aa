import type { Reason } from '../kernel/errors.js';

// Closed lists of label values: each list is one label of the metrics.

/** What a request to a VB365 server is for: the label `operation`. */
export const apiOperations = ['token', 'probe', 'sessions', 'session', 'events', 'feed', 'owners'] as const;
export type ApiOperation = (typeof apiOperations)[number];

/** Operations whose duration is observed: those that read data. A feed request is a long poll; logins and probes are rare. */
export const timedOperations = ['sessions', 'session', 'events'] as const satisfies readonly ApiOperation[];

export const isTimedOperation = (operation: ApiOperation): operation is (typeof timedOperations)[number] =>
  timedOperations.some(timed => timed === operation);

/** The class of the status of a response, or `error` when there was no complete response: the label `code`. */
export const apiCodes = ['2xx', '3xx', '4xx', '5xx', 'error'] as const;
export type ApiCode = (typeof apiCodes)[number];

/** How the look-up of an owner ended: found, no such owner (any more), refused, or no usable answer in time. */
export const ownerLookupOutcomes = ['found', 'not_found', 'refused', 'failed'] as const;
export type OwnerLookupOutcome = (typeof ownerLookupOutcomes)[number];

/** How a poll ended: all sessions were read, some of them, or none. */
export const pollResults = ['complete', 'partial', 'failed'] as const;

/** How a delivery ended for an item: accepted at the first attempt, accepted by a retry, refused for good. */
export const deliveryOutcomes = ['delivered', 'retried', 'rejected'] as const;
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];

/** Why the receiver did not take a delivery. */
export const receiverErrorReasons = [
  'auth',
  'network',
  'rejected',
  'server',
  'throttled',
  'timeout',
] as const satisfies readonly Reason[];

/** Why a delivery failed: the receiver, the exporter itself (`bug`), or the state file (`store`). */
export const deliveryErrorReasons = [...receiverErrorReasons, 'bug', 'store'] as const satisfies readonly Reason[];
export type DeliveryErrorReason = (typeof deliveryErrorReasons)[number];

/** Enumerations of the API that a newer server may extend. */
export const vocabularyFields = ['event_type', 'status', 'workload', 'result'] as const;
export type VocabularyField = (typeof vocabularyFields)[number];

/** Why a web page was refused: wrong user or password, no login at all, or too many that are being checked. */
export const loginRefusals = ['busy', 'missing', 'wrong'] as const;
export type LoginRefusal = (typeof loginRefusals)[number];

/** Labels with a limited number of values. */
export const cappedLabels = ['organization'] as const;

/** How the lease of a server moves, as a replica sees it. */
export const leaseMoves = ['acquired', 'released', 'lost'] as const;
export type LeaseMove = (typeof leaseMoves)[number];
