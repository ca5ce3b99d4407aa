import { ExporterError } from '../../kernel/errors.js';
import { certificateFaults, errorCode, networkWords } from '../../kernel/network-error.js';
import { UnknownOutcome } from './pool.js';

/** By SQLSTATE, or its class. Source: appendix A of the manual of PostgreSQL. */
const reasons: Readonly<Record<string, string>> = {
  '08': 'the connection was lost',
  '25006': 'it is read-only; a standby takes no writes, connect to the primary',
  '28': 'the login was refused; check user, password and pg_hba.conf',
  '3D': 'there is no such database; create it',
  '3F': 'its tables are missing',
  '40': 'it conflicted with another transaction',
  '42501': 'permission denied; let the user create the schema "vb365_exporter", or make it its owner',
  '53100': 'its disk is full; free space on it',
  '53200': 'it is out of memory',
  '53300': 'it has too many connections',
  '55P03': 'another program holds a lock for too long',
  '57014': 'it took too long',
  '57P': 'it is shutting down or starting',
  '58': 'its disk could not read or write',
};

/** A failure of PostgreSQL as one line, without values: its own messages may repeat what was sent. */
export function postgresqlError(verb: string, thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  const cause = thrown instanceof UnknownOutcome ? thrown.cause : thrown;
  return new ExporterError('store', `Could not ${verb} the state in PostgreSQL: ${reasonOf(cause)}`);
}

function reasonOf(cause: unknown): string {
  const code = errorCode(cause);
  const words = networkWords[code] ?? certificateFaults[code];
  const known = [code, code.slice(0, 3), code.slice(0, 2)].find(part => part in reasons);
  if (words !== undefined) return words;
  if (known !== undefined) return reasons[known] ?? '';
  // Stored numbers or keys that no longer parse.
  if (cause instanceof SyntaxError) return 'a stored series is damaged; restore a backup of the database';
  if (code !== '') return `error ${code}`;
  return connectionFault(cause instanceof Error ? cause.message : '');
}

/** Errors of `pg` have no code. Its texts hold nothing of the configuration. */
const faults: readonly (readonly [text: string, words: string])[] = [
  ['does not support SSL', 'it does not support TLS; enable it there, or set sslmode=disable'],
  ['password must be', 'it asks for a password, and none is set'],
  ['timeout', 'it did not answer in time'],
  ['terminated', 'the connection was lost'],
  ['connection error', 'the connection was lost'],
  ['closed', 'the connection was lost'],
];

const connectionFault = (message: string): string =>
  faults.find(([text]) => message.includes(text))?.[1] ?? 'the connection failed';

/** Runs an action and converts what it throws. @throws {ExporterError} `store`. */
export async function attempt<T>(verb: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw postgresqlError(verb, thrown);
  }
}
