import type { ExporterError, Reason } from '../kernel/errors.js';

const reasonsOfOneSession: ReadonlySet<Reason> = new Set(['decode', 'rejected', 'server', 'timeout']);

/** Whether only this session could not be read. Failed logins and connections concern the whole server. */
export const concernsOneSession = ({ reason }: ExporterError): boolean => reasonsOfOneSession.has(reason);
