import { openWeb } from '../../src/config/web-config.js';
import { type App, type AppOptions, startApp } from '../../src/app.js';
import type { Config } from '../../src/config/parse.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';

export type Program = App & {
  /** Lines of the program's own log. */
  readonly said: readonly string[];
  get(path: string): Promise<{ status: number; text: string }>;
  /** The value of a series, by its text before the value. */
  value(series: string): Promise<number | undefined>;
};

/** The whole program in this process, on a free port unless one is given. */
export async function program(
  config: Config,
  port = 0,
  clock: Clock = systemClock,
  over: Partial<Pick<AppOptions, 'reread' | 'random'>> = {},
): Promise<Program> {
  const said: string[] = [];
  const log = createLog({ level: 'debug', format: 'logfmt', write: line => void said.push(line) });
  const listenAt = { host: '127.0.0.1', port };
  const common = {
    configFile: undefined,
    reread: () => config,
    lifecycle: true,
    metricsPath: '/metrics',
    webConfig: () => openWeb,
    version: '0.0.0',
    clock,
    random: () => 0,
    ...over,
  };
  const app = await startApp({ config, listenAt, log, ...common });
  const get: Program['get'] = async path => {
    const url = `http://127.0.0.1:${String(app.listening.port)}${path}`;
    // oxlint-disable-next-line no-restricted-globals -- its own client
    const response = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
    return { status: response.status, text: await response.text() };
  };
  const value: Program['value'] = async series => {
    const { text } = await get('/metrics');
    const line = text.split('\n').find(one => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { ...app, said, get, value };
}
