import type { ServerConfig } from '../config/parse.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Examined, Paging } from '../source/examine-api.js';
import type { RestOptions } from '../source/options.js';
import { type Check, type CheckResult, ok, skipped, warning, wrong } from './doctor-result.js';

/** What the checks of the API share: opened by the first that needs it. */
export type Visit = Readonly<{ server: ServerConfig; options: RestOptions; examined: Examined; signal: AbortSignal }>;

/** What the exporter asks of the REST API, one thing after the other, with one login. */
export const apiChecks = (visit: Visit): readonly Check[] => [
  { name: 'version', needs: ['dns', 'tcp', 'tls'], look: async () => version(visit), advise: versionAdvice },
  { name: 'login', needs: ['version'], look: async () => login(visit), advise: loginAdvice },
  { name: 'permissions', needs: ['login'], look: async () => permissions(visit), advise: readAdvice },
  { name: 'clock', needs: ['login'], look: () => clock(visit), advise: readAdvice },
  { name: 'paging', needs: ['permissions'], look: async () => paging(visit), advise: readAdvice },
  { name: 'feed', needs: ['login'], look: async () => feed(visit), advise: readAdvice },
];

async function version({ server, examined, signal }: Visit): Promise<CheckResult> {
  const spoken = await examined.version(signal);
  return ok(
    server.apiVersion === 'auto'
      ? `${spoken} is the newest that is served`
      : `${spoken}, as "api_version" says; the login will show whether it is served`,
  );
}

const versionAdvice = ({ details }: ExporterError): string =>
  details['status'] === undefined
    ? 'switch off "restore operator authentication only" in the REST API settings, or see what is between us and the server'
    : 'see that "url" leads to the REST API of VB365 (port 4443 unless changed), without a path and without a gateway that wants a login of its own';

async function login({ server: { login: as }, options, examined, signal }: Visit): Promise<CheckResult> {
  await examined.logIn(signal);
  const endsAtMs = examined.source.tokenExpiresAtMs() ?? options.clock.now();
  const minutes = Math.round((endsAtMs - options.clock.now()) / 60_000);
  const how = as.kind === 'password' ? 'with user name and password' : 'with an assertion';
  return ok(`logged in ${how}; the token lasts ${String(minutes)} min`);
}

const loginAdvice = ({ reason }: ExporterError): string =>
  reason === 'auth'
    ? 'try the same account in a console of VB365; with MFA on, flag it as a service account there; wait before another try: accounts lock'
    : 'see the log of the REST service on the server; with "api_version" set, see that it is served';

async function permissions({ examined, signal }: Visit): Promise<CheckResult> {
  const build = buildOf((await examined.instance(signal)).version);
  const { rows, sessionId, unreadable } = await examined.firstSessions(signal);
  if (unreadable > 0)
    return warning(
      `${String(unreadable)} of ${String(rows)} sessions cannot be read${build}`,
      'please report it: this is no shape that is known',
    );
  if (sessionId === undefined)
    return ok(
      `sessions may be listed, there are none${build}; if there should be, the account is no Veeam Backup Administrator`,
    );
  const page = await examined.source.events(sessionId, 0, signal);
  const rejected = page?.rows.filter(row => 'rejected' in row).length ?? 0;
  return rejected === 0
    ? ok(`sessions and events may be read${build}`)
    : warning(
        `${String(rejected)} events of a session cannot be read${build}`,
        'please report it: this is no shape that is known',
      );
}

const buildOf = (build: string): string => (build === '' ? '' : ` (VB365 ${build})`);

/** The rule about clocks warns from here on. */
const muchSeconds = 60;

function clock({ examined: { source } }: Visit): CheckResult {
  const seconds = source.clockSkewSeconds();
  if (seconds === undefined)
    return warning('the server tells no time', 'let the proxy in between pass the "Date" header on');
  if (seconds === 0) return ok('less than 2 s apart');
  const how = `the server is ${String(Math.abs(Math.round(seconds)))} s ${seconds > 0 ? 'ahead of' : 'behind'} this machine`;
  const advice = 'set both clocks by the same time servers (NTP)';
  return Math.abs(seconds) > muchSeconds ? wrong(how, advice) : warning(`${how}, which is allowed for`, advice);
}

const pagings: Readonly<Record<Paging, CheckResult>> = {
  joined: ok('pages join'),
  whole: ok('the list comes in one piece'),
  few: ok('too few sessions to tell; the first page is in order'),
  limited: warning(
    'pages join, but not of the size that is asked for',
    'nothing: it is allowed for, and costs more requests',
  ),
  loose: wrong(
    'a page does not go on where the one before ends, three times in a row',
    'see that nothing between us and the server caches answers or drops the query; else try again when less is going on',
  ),
};

const paging = async ({ examined, signal }: Visit): Promise<CheckResult> => pagings[await examined.pages(signal)];

async function feed({ examined: { source }, signal }: Visit): Promise<CheckResult> {
  const changes = await source.changes({ token: undefined, waitSeconds: 1 }, signal);
  if (changes.kind === 'none') return skipped('because there is none before v8: sessions are listed every interval');
  if (changes.kind === 'told') return ok('changes are told as they happen');
  const why = changes.kind === 'refused' ? changes.error.message : 'a new token is called outdated';
  return warning(
    why,
    'nothing: sessions are listed every interval instead; see that nothing in between blocks /v8/Events',
  );
}

const readAdvice = ({ reason }: ExporterError): string =>
  reason === 'auth'
    ? 'make the account a Veeam Backup Administrator, and switch off "restore operator authentication only" in the REST API settings'
    : 'see that nothing stands between us and the server, and the log of the REST service there';
