import { ExporterError } from '../kernel/errors.js';
import { type ApiVersion, apiVersions, isAtLeast } from '../model/api-versions.js';
import { isJsonObject, parseJson } from './json.js';
import { statusFailure } from './request-errors.js';
import type { Answer, Call } from './transport.js';

/** Sends a request without a token. */
export type SendProbe = (call: Call) => Promise<Answer>;

/** Never served: whatever answers for it answers for every path. */
const noVersion = 'v99';

/** `GET /vN/ServiceInstance` exists from v6 on: 401 without a token. Source: vb365-rest.md 1.5. */
const instanceProbe = (version: string): Call => ({ operation: 'probe', path: `${version}/ServiceInstance` });

/** `POST /vN/token` exists in every version: 400 for a form without a grant type, so no account is touched. */
const tokenProbe = (version: string): Call => ({ operation: 'probe', path: `${version}/token`, form: {} });

/**
 * Finds the newest version that is served, without a login. Sends all requests of a round at once.
 * @throws {ExporterError} `rejected` when none is served, or when something in front of the server hides it; else as a
 *   request fails, also when the answer for a newer version is unclear.
 */
export async function detectVersion(send: SendProbe): Promise<ApiVersion> {
  const withInstance = apiVersions.filter(version => isAtLeast(version, 'v6'));
  const newer = await newestOf(send, withInstance, instanceProbe);
  if (newer.version !== undefined) return newer.version;
  const older = await newestOf(send, apiVersions, tokenProbe);
  if (older.version === undefined) throw nothingServed(newer.control);
  if (isAtLeast(older.version, 'v6')) throw undetected(operatorsOnly);
  return older.version;
}

/** Whether a version is served. @throws {ExporterError} as `detectVersion` does. */
export async function isServed(send: SendProbe, version: ApiVersion): Promise<boolean> {
  const probe = isAtLeast(version, 'v6') ? instanceProbe : tokenProbe;
  return (await newestOf(send, [version], probe)).version !== undefined;
}

/** `control` is the answer for a version that no server has. */
async function newestOf(send: SendProbe, versions: readonly ApiVersion[], probe: (version: string) => Call) {
  const [control, ...answers] = await Promise.all([
    send(probe(noVersion)),
    ...versions.map(async each => send(probe(each))),
  ]);
  if (exists(control)) throw hidden(control.status);
  const found = versions.map((version, index) => ({ version, answer: answers[index] ?? control })).toReversed();
  for (const { version, answer } of found) {
    if (exists(answer)) return { version, control };
    if (isUnclear(answer, control)) throw statusFailure('probe', answer);
  }
  return { version: undefined, control };
}

/** An old server may answer 500 for unknown paths; any other server error leaves the version unclear. */
const isUnclear = ({ status }: Answer, control: Answer): boolean =>
  status === 408 || status === 429 || (status >= 500 && !(status === 500 && control.status === 500));

/** The token answers 400; the service instance would answer 200 if it needed no login. */
function exists({ status, body }: Answer): boolean {
  if (status === 400 || status === 200) return isJsonObject(parseJson(body)) || (status === 400 && body.trim() === '');
  return status === 401 || status === 403;
}

const pin = 'or set "api_version"';

/** `status` becomes a detail of the error where it explains the failure. */
const undetected = (why: string, status?: number): ExporterError =>
  new ExporterError('rejected', `Could not detect the API version: ${why}`, {
    details: { operation: 'probe', ...(status === undefined ? {} : { status }) },
  });

const hidden = (status: number): ExporterError =>
  undetected(
    `every path is answered with HTTP ${String(status)}, even one that VB365 does not have: a proxy in front of it requires a login; allow the exporter through, ${pin}`,
    status,
  );

const operatorsOnly = `only the login is available: the REST API may admit only restore operators; disable that in its settings, ${pin}`;

function nothingServed({ status, body }: Answer): ExporterError {
  const what = body.trimStart().startsWith('<') ? ' and a web page' : '';
  return undetected(
    `found none from v2 to v8 (HTTP ${String(status)}${what}); check that the URL has the port of the REST API (default 4443) and no path`,
    status,
  );
}
