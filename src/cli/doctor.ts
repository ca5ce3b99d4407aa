import { diagnose } from './doctor-run.js';
import { asJson, asText, isWell } from './doctor-report.js';
import { systemClock, systemRandom } from '../kernel/clock.js';
import { parseListenAddress } from '../web/listen.js';
import { askHealth, healthy } from './healthcheck.js';
import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { readWebConfig } from './web-config-file.js';

export type DoctorFlags = Readonly<{
  'config.file'?: string;
  'web.listenAddress': string;
  'web.config.file'?: string;
  json: boolean;
}>;

/** Tries everything that the exporter needs, once, and prints what it found. */
export async function doctor(flags: DoctorFlags, terminal: Terminal): Promise<ExitCode> {
  const config = readConfig(flags['config.file'], terminal.env);
  const { tls } = readWebConfig(flags['web.config.file']);
  const listenAt = parseListenAddress(flags['web.listenAddress']);
  for (const warning of config.warnings) terminal.complain(warning);
  const charts = await diagnose(
    {
      config,
      listenAt,
      isOurs: async () => (await askHealth(listenAt, tls)) === healthy,
      version: terminal.version,
      clock: systemClock,
      random: systemRandom,
    },
    terminal.stop,
  );
  for (const line of flags.json ? [asJson(charts)] : asText(charts)) terminal.print(line);
  return isWell(charts) ? exitCodes.stopped : exitCodes.cannotRun;
}
