import type { ExporterError, Reason } from '../kernel/errors.js';

const ofOneSession: ReadonlySet<Reason> = new Set(['decode', 'rejected', 'server', 'timeout']);

/**
 * Whether a failure to read a session may be that session's own fault, so that the others are worth a try; a login, a
 * connection or a request to wait concerns the whole server.
 */
export const concernsOneSession = ({ reason }: ExporterError): boolean => ofOneSession.has(reason);

/** Whether a sink has refused a batch record by record: it takes no others either, or has not been given any. */
export const isSuspectBatch = ({ reason, details }: ExporterError): boolean =>
  reason === 'rejected' && 'suspects' in details;
