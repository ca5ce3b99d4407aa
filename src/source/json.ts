import { failure } from './request-errors.js';
import type { Operation } from './options.js';

/**
 * Parses the body of an answer.
 * @throws {ExporterError} `decode`, without a cause: the parser's message quotes the body.
 */
export function decodeJson(operation: Operation, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw failure(
      operation,
      'decode',
      `the answer is no JSON${body.trimStart().startsWith('<') ? ' but a web page; is this the port of the REST API?' : ''}`,
    );
  }
}

/** Whether an error's body is what VB365 writes (an object, or nothing), and not some page of a proxy in between. */
export function isOwnError(body: string): boolean {
  const json = parsed(body);
  return body.trim() === '' || (typeof json === 'object' && json !== null);
}

/** What a text is as JSON; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
