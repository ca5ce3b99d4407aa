import type { ServerConfig } from '../config/parse.js';
import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Examined, Paging } from '../source/examine.js';
import { type Check, type CheckOutcome, failed, ok, skipped, warning } from './doctor-checks.js';
import { fileAdvice } from './referenced-files.js';

type ApiSession = Readonly<{ server: ServerConfig; clock: Clock; examined: Examined; signal: AbortSignal }>;

/** The requests that the exporter makes to the REST API, with one login. */
export const apiChecks = (session: ApiSession): readonly Check[] => [
  { name: 'version', needs: ['dns', 'tcp', 'tls'], run: async () => version(session), advise: versionAdvice },
  { name: 'login', needs: ['version'], run: async () => login(session), advise: loginAdvice },
  { name: 'permissions', needs: ['login'], run: async () => permissions(session), advise: readAdvice },
  { name: 'clock', needs: ['login'], run: () => clockSkew(session), advise: readAdvice },
  {
    name: 'paging',
    needs: ['permissions'],
    run: async () => pagingOutcomes[await session.examined.pages(session.signal)],
    advise: readAdvice,
  },
  { name: 'feed', needs: ['login'], run: async () => feed(session), advise: readAdvice },
  { name: 'owners', needs: ['permissions'], run: async () => owners(session), advise: readAdvice },
];

async function version({ server, examined, signal }: ApiSession): Promise<CheckOutcome> {
  const current = await examined.version(signal);
  return ok(
    server.apiVersion === 'auto'
      ? `${current} is the newest version that the server supports`
      : `${current}, from "api_version"; the login shows whether the server supports it`,
  );
}

const versionAdvice = ({ details }: ExporterError): string =>
  details['status'] === undefined
    ? 'disable "restore operator authentication only" in the REST API settings, and check for a proxy or gateway in front of the server'
    : 'check that "url" is the REST API of VB365 (default port 4443), without a path and without a gateway that requires its own login';

async function login({ server, clock, examined, signal }: ApiSession): Promise<CheckOutcome> {
  await examined.logIn(signal);
  const nowMs = clock.now();
  const minutes = Math.round(((examined.source.tokenExpiresAtMs() ?? nowMs) - nowMs) / 60_000);
  const how = server.login.kind === 'password' ? 'with user name and password' : 'with an assertion';
  return ok(`logged in ${how}; the token is valid for ${String(minutes)} min`);
}

const loginAdvice = (error: ExporterError): string =>
  fileAdvice(error) ?? (error.reason === 'auth' ? refusedAdvice : loginFailedAdvice);

const refusedAdvice =
  'try the account in a VB365 console; with MFA enabled, mark it there as a service account; wait before you try again, because accounts lock';
const loginFailedAdvice =
  'check the log of the REST service on the server; if "api_version" is set, check that the server supports it';

const reportBug = 'report a bug: the exporter does not know this format';

async function permissions({ examined, signal }: ApiSession): Promise<CheckOutcome> {
  const { version: number } = await examined.instance(signal);
  const build = number === '' ? '' : ` (VB365 ${number})`;
  const { rows, sessionId, unreadable } = await examined.firstSessions(signal);
  if (unreadable > 0)
    return warning(`${String(unreadable)} of ${String(rows)} sessions could not be decoded${build}`, reportBug);
  if (sessionId === undefined)
    return ok(
      `can list sessions, but there are none${build}; if there should be, the account is not a Veeam Backup Administrator`,
    );
  const page = await examined.source.events(sessionId, 0, signal);
  const rejected = page?.rows.filter(row => 'rejected' in row).length ?? 0;
  return rejected === 0
    ? ok(`can read sessions and events${build}`)
    : warning(`${String(rejected)} events of a session could not be decoded${build}`, reportBug);
}

/** Same as the alert on clock skew. */
const maxSkewSeconds = 60;

function clockSkew({ examined: { source } }: ApiSession): CheckOutcome {
  const seconds = source.clockSkewSeconds();
  if (seconds === undefined)
    return warning('the server reports no time', 'let the proxy in front of the server pass the "Date" header');
  if (seconds === 0) return ok('less than 2 s difference');
  const message = `the server is ${String(Math.abs(Math.round(seconds)))} s ${seconds > 0 ? 'ahead of' : 'behind'} this machine`;
  const advice = 'synchronize both clocks with the same time servers (NTP)';
  return Math.abs(seconds) > maxSkewSeconds
    ? failed(message, advice)
    : warning(`${message}; the exporter compensates`, advice);
}

const pagingOutcomes: Readonly<Record<Paging, CheckOutcome>> = {
  joined: ok('pages are contiguous'),
  whole: ok('the server returns the whole list in one page'),
  few: ok('too few sessions to check; the first page is valid'),
  limited: warning(
    'pages are contiguous, but smaller than requested',
    'nothing: the exporter copes, but needs more requests',
  ),
  loose: failed(
    'a page does not continue where the previous one ends, three times in a row',
    'check that no proxy caches responses or removes the query; otherwise try again at a quieter time',
  ),
};

async function feed({ examined: { source }, signal }: ApiSession): Promise<CheckOutcome> {
  const changes = await source.changes({ token: undefined, waitSeconds: 1 }, signal);
  if (changes.kind === 'none')
    return skipped('because there is no change feed before v8: the exporter lists sessions at every interval');
  if (changes.kind === 'changes') return ok('the server reports changes');
  const why = changes.kind === 'refused' ? changes.error.message : 'the server rejects a new change token as outdated';
  return warning(
    why,
    'nothing: the exporter lists sessions at every interval instead; check that no proxy blocks /v8/Events',
  );
}

async function owners({ server, examined, signal }: ApiSession): Promise<CheckOutcome> {
  if (!server.resolveOwners) return skipped('because "resolve_owners" is false: records have only the ids of owners');
  const mayRead = await examined.owners(signal);
  if (mayRead === undefined) return skipped('because the server names no owners before v8');
  return mayRead
    ? ok('can read the owners of restored data')
    : warning(
        'the account may not read protected users or organizations: records may have only the ids of owners',
        'make the account a Veeam Backup Administrator, or set "resolve_owners" to false',
      );
}

const readAdvice = ({ reason }: ExporterError): string =>
  reason === 'auth'
    ? 'make the account a Veeam Backup Administrator, and disable "restore operator authentication only" in the REST API settings'
    : 'check for a proxy or gateway in front of the server, and the log of the REST service there';
