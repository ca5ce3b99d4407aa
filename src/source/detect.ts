import { type ApiVersion, apiVersions, since } from './options.js';
import { statusFailure } from './request-errors.js';
import { isWire } from './wire.js';
import { ExporterError } from '../kernel/errors.js';
import type { Answer, Call } from './transport.js';

/** Sends a request without a token. */
export type Ask = (call: Call) => Promise<Answer>;

/** What was asked of one version, and of one that no server has. */
type Finding = Readonly<{ answer: Answer; control: Answer }>;
type Verdict = 'served' | 'absent' | 'unclear';

/** A version that is never served: what answers for it answers for everything. */
const noVersion = 'v99';

/** `GET /vN/ServiceInstance` is there from v6 on: 401 without a token. Source: vb365-rest.md 1.5. */
const instanceProbe = (version: string): Call => ({ operation: 'probe', path: `${version}/ServiceInstance` });

/** `POST /vN/token` is there in every version: 400 for a form that names no way to log in, so that no account is touched. */
const tokenProbe = (version: string): Call => ({ operation: 'probe', path: `${version}/token`, form: {} });

/**
 * The newest version that is served, found without a login. All requests of a round are sent at once.
 * @throws {ExporterError} `rejected` when none is served, or something in front of the server hides it; else as a
 *   request fails, also when a newer version could not be told from one that is not served.
 */
export async function detectVersion(ask: Ask): Promise<ApiVersion> {
  const newer = await newestOf(ask, {
    versions: apiVersions.filter(version => since(version, 'v6')),
    probe: instanceProbe,
  });
  if (newer.version !== undefined) return newer.version;
  const older = await newestOf(ask, { versions: apiVersions, probe: tokenProbe });
  if (older.version === undefined) throw nothingServed(newer.control);
  if (since(older.version, 'v6')) throw operatorsOnly();
  return older.version;
}

/** Whether a version is served. @throws {ExporterError} as `detectVersion` does. */
export async function isServed(ask: Ask, version: ApiVersion): Promise<boolean> {
  const probe = since(version, 'v6') ? instanceProbe : tokenProbe;
  return (await newestOf(ask, { versions: [version], probe })).version !== undefined;
}

type Round = Readonly<{ versions: readonly ApiVersion[]; probe: (version: string) => Call }>;

async function newestOf(ask: Ask, { versions, probe }: Round) {
  const [control, ...answers] = await Promise.all([
    ask(probe(noVersion)),
    ...versions.map(async each => ask(probe(each))),
  ]);
  if (isThere(control)) throw hidden(control);
  const found = versions.map((version, index) => ({ version, answer: answers[index] ?? control })).toReversed();
  for (const { version, answer } of found) {
    const verdict = judge({ answer, control });
    if (verdict === 'served') return { version, control };
    if (verdict === 'unclear') throw statusFailure('probe', answer);
  }
  return { version: undefined, control };
}

/** A server of old times may answer 500 for what it does not have; any other trouble tells nothing of the version. */
function judge({ answer, control }: Finding): Verdict {
  if (isThere(answer)) return 'served';
  if (answer.status < 500 && answer.status !== 408 && answer.status !== 429) return 'absent';
  return answer.status === 500 && control.status === 500 ? 'absent' : 'unclear';
}

/** 400 comes for the token only; 200 for the service instance would be one that needs no login. */
function isThere({ status, body }: Answer): boolean {
  return (
    status === 401 ||
    status === 403 ||
    (status === 400 && isObject(body, true)) ||
    (status === 200 && isObject(body, false))
  );
}

function isObject(body: string, orEmpty: boolean): boolean {
  if (body.trim() === '') return orEmpty;
  try {
    return isWire(JSON.parse(body));
  } catch {
    return false;
  }
}

const pin = 'or set "api_version"';

/** An error about what was found, of which a status is a part when one tells the most. */
const undetected = (why: string, status?: number): ExporterError =>
  new ExporterError('rejected', `Could not detect the API version: ${why}`, {
    details: { operation: 'probe', ...(status === undefined ? {} : { status }) },
  });

const hidden = ({ status }: Answer): ExporterError =>
  undetected(
    `everything is answered with HTTP ${String(status)}, also what no VB365 has: something in front of it wants a login; let it through, ${pin}`,
    status,
  );

const operatorsOnly = (): ExporterError =>
  undetected(
    `only logins are served: the REST API may let only restore operators in; switch that off in its settings, ${pin}`,
  );

function nothingServed({ status, body }: Answer): ExporterError {
  const what = body.trimStart().startsWith('<') ? ' and a web page' : '';
  return undetected(
    `no version from v2 to v8 is there (HTTP ${String(status)}${what}); is this the port of the REST API (4443 unless changed), without a path in front of it?`,
    status,
  );
}
