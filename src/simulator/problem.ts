import type { Response } from 'express';
import type { SimulatedVersion } from './quirks.js';

/** Error codes of v8 that the simulator gives. Source: OpenAPI of v8, RESTExceptionInfo. */
type ErrorCode =
  'ResourceAccessDenied' | 'ResourceNotFound' | 'ParameterValidationFailure' | 'OutdatedChangeToken' | 'HttpError';

/** An error response. */
export type ApiProblem = Readonly<{ status: number; code: ErrorCode; message: string }>;

/** The body of an error: `{message}`, and from v8 the code. */
function writeProblem({ code, message }: ApiProblem, version: SimulatedVersion): Readonly<Record<string, string>> {
  return version === 8 ? { message, errorCode: code } : { message };
}

/** The body of a refused login: as in OAuth up to v5, like every other error from v6. */
export function writeRefusal(
  error: string,
  message: string,
  version: SimulatedVersion,
): Readonly<Record<string, string>> {
  if (version <= 5) return { error, error_description: message };
  return writeProblem({ status: 400, code: 'ResourceAccessDenied', message }, version);
}

export const notFound = (status: number): ApiProblem => ({
  status,
  code: 'ResourceNotFound',
  message: 'Resource cannot be found for current key',
});

export const invalidParameter = (name: string): ApiProblem => ({
  status: 400,
  code: 'ParameterValidationFailure',
  message: `The value of parameter "${name}" is not valid.`,
});

/** Sends an error response. */
export function refuse(response: Response, problem: ApiProblem, version: SimulatedVersion): void {
  response.status(problem.status).json(writeProblem(problem, version));
}
