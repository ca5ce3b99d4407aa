import type { ServerConfig } from '../config/parse.js';
import { isLoopback } from '../config/schema.js';
import { examineTls, type TlsReport } from '../source/examine.js';
import type { RestOptions } from '../source/options.js';
import type { Certificate } from '../source/trust.js';
import { type Check, type CheckResult, ok, skipped, warning, wrong } from './doctor-result.js';

/** The rule about certificates warns as long before. */
const soonMs = 30 * 86_400_000;

/** Whose certificate is shown, and whether it is trusted, with the fingerprint to paste. */
export const tlsCheck = (server: ServerConfig, options: RestOptions, signal: AbortSignal): Check => ({
  name: 'tls',
  needs: ['dns', 'tcp'],
  look: async () =>
    server.url.protocol === 'http:'
      ? unprotected(server)
      : judged(server, await examineTls(options, signal), options.clock.now()),
  advise: () =>
    'see that "url" has the port of the REST API (4443 unless changed), and that the proxy, if any, lets us through',
});

const unprotected = ({ url }: ServerConfig): CheckResult =>
  isLoopback(url.hostname)
    ? skipped('because "url" says http')
    : warning('"url" says http: whoever is between can read the password', 'use https');

function judged({ tls }: ServerConfig, { protocol, chain, distrusted }: TlsReport, nowMs: number): CheckResult {
  const [own] = chain;
  if (own === undefined) return wrong('it shows no certificate', 'see that "url" has the port of the REST API');
  const seen = `${protocol}; ${chain.map(described).join(' < ')}`;
  return { ...verdict({ tls, own, distrusted, seen }, nowMs), fingerprint: own.fingerprint };
}

type Shown = Readonly<{
  tls: ServerConfig['tls'];
  own: Certificate;
  distrusted: string | undefined;
  seen: string;
}>;

function verdict({ tls, own, distrusted, seen }: Shown, nowMs: number): CheckResult {
  if (distrusted !== undefined)
    return wrong(
      `${distrusted.split(';')[0] ?? distrusted} (${seen})`,
      'name its issuer with "tls.ca_file"; or compare the fingerprint with what the server itself shows, and set it below "tls"',
    );
  if (tls.insecureSkipVerify)
    return warning(
      `not verified, as "tls.insecure_skip_verify" says (${seen})`,
      'set the fingerprint below "tls" in place of that, once you have compared it with what the server itself shows',
    );
  if (own.validToMs - nowMs < soonMs)
    return warning(`trusted, but it ends on ${dayOf(own.validToMs)} (${seen})`, 'renew the certificate in time');
  return ok(`trusted (${seen})`);
}

/** The names are the certificate's own, one attribute a line. */
const described = ({ subject, validToMs }: Certificate): string =>
  `"${subject.replaceAll(/\s*\n\s*/g, ', ')}" until ${dayOf(validToMs)}`;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
