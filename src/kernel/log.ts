import { pino } from 'pino';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['logfmt', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

type Write = (message: string, fields?: LogFields) => void;

/** The exporter's own log: what it does, never what it reads. A message is a sentence without a period; facts are fields. */
export interface Log extends Readonly<Record<LogLevel, Write>> {
  /** The same log with fields added to every line. */
  child(fields: LogFields): Log;
  /** Whether lines of this level are written. */
  writes(level: LogLevel): boolean;
}

type LogLine = Readonly<{ level: LogLevel; message: string; fields: LogFields }>;

export type LogOptions = Readonly<{
  level: LogLevel;
  format: LogFormat;
  /** Receives the lines. */
  write: (line: string) => void;
}>;

/** Writes one line per record before the call returns, so that the last lines before an exit are not lost. */
export function createLog({ level, format, write }: LogOptions): Log {
  const stream = { write: format === 'json' ? write : (line: string) => write(toLogfmt(line)) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  );
  return wrap(logger);
}

/** A log that also hands each line it writes to `receive`. */
export function tee(log: Log, receive: (line: LogLine) => void, bound: LogFields = {}): Log {
  const write = (level: LogLevel, message: string, fields: LogFields): void => {
    log[level](message, fields);
    if (log.writes(level)) receive({ level, message, fields: { ...bound, ...fields } });
  };
  return {
    ...eachLevel(write),
    child: fields => tee(log.child(fields), receive, { ...bound, ...fields }),
    writes: level => log.writes(level),
  };
}

type Logger = Pick<ReturnType<typeof pino>, LogLevel | 'child' | 'isLevelEnabled'>;

const wrap = (logger: Logger): Log => ({
  ...eachLevel((level, message, fields) => logger[level](fields, message)),
  child: fields => wrap(logger.child(fields)),
  writes: level => logger.isLevelEnabled(level),
});

function eachLevel(write: (level: LogLevel, message: string, fields: LogFields) => void) {
  const at =
    (level: LogLevel): Write =>
    (message, fields = {}) =>
      write(level, message, fields);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Converts a line of JSON to logfmt: `ts`, `level` and `msg` first, values quoted where needed. */
export function toLogfmt(line: string): string {
  const record: unknown = JSON.parse(line);
  if (typeof record !== 'object' || record === null) return line;
  const entries = Object.entries<unknown>({ ts: undefined, level: undefined, msg: undefined, ...record });
  const present = entries.filter(([, value]) => value !== undefined);
  return `${present.map(([key, value]) => `${key}=${quoted(String(value))}`).join(' ')}\n`;
}

const quoted = (value: string): string =>
  /^[^\s"=\\\p{C}]+$/u.test(value) ? value : JSON.stringify(value).replace(/[\p{C}\u2028\u2029]/gu, escaped);

/** Escapes what JSON leaves as it is, but a terminal interprets or takes as the end of the line. */
const escaped = (found: string): string =>
  found.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
