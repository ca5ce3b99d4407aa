import type { Store } from '../pipeline/ports.js';

/** What a request asks a VB365 server for. Closed: each is an `operation` label. */
export const apiOperations = ['token', 'probe', 'sessions', 'session', 'events', 'feed'] as const;
export type ApiOperation = (typeof apiOperations)[number];

/**
 * Operations whose duration is observed: those that read data. A feed request is a long poll, and logins and probes are
 * too rare for a rate.
 */
export const timedOperations = ['sessions', 'session', 'events'] as const satisfies readonly ApiOperation[];

export const isTimedOperation = (operation: ApiOperation): operation is (typeof timedOperations)[number] =>
  timedOperations.some(timed => timed === operation);

/** How a request ended: the class of its status, or `error` when there was none. */
export const apiCodes = ['2xx', '3xx', '4xx', '5xx', 'error'] as const;
export type ApiCode = (typeof apiCodes)[number];

/** How a turn of discovery ended: everything read, some of it, or nothing. */
export const pollResults = ['complete', 'partial', 'failed'] as const;
export type PollResult = (typeof pollResults)[number];

/** What became of items: taken at the first try, taken by the try after a failed one, refused for good by the other side. */
export const deliveryOutcomes = ['delivered', 'retried', 'rejected'] as const;
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];

/** Fields of the API that are enumerations, and may get values we do not know. */
export const vocabularyFields = ['event_type', 'status', 'workload', 'result'] as const;
export type VocabularyField = (typeof vocabularyFields)[number];

/** Labels whose values are limited in number. */
export const cappedLabels = ['organization'] as const;

/** What is asked of the store, by the names of its port. */
export const stateOperations = [
  'state',
  'rows',
  'pending',
  'holders',
  'series',
  'commit',
  'close',
] as const satisfies readonly (keyof Store)[];
