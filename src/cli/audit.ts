import { open } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { ExporterError } from '../kernel/errors.js';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { Audit, type AuditFindings, ExpectedRecords, type Missing, type RecordName } from '../history/audit.js';
import { explanations } from '../history/explain.js';
import { errorCode } from '../kernel/network-error.js';
import { encodingOf } from '../kernel/text-file.js';
import { formatInstant, milliseconds, type Nanos } from '../model/time.js';
import { origins, timeLimits } from '../otlp/sinks.js';
import { readSessions } from '../store/postgresql/read.js';
import { readState } from '../store/read.js';
import { fileWords } from './output.js';
import { chosenServers, interrupted, type PastFlags, readPast, untilStopped } from './past.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

type AuditFlags = PastFlags &
  Readonly<{
    /** Files; `-`: standard input. */
    records: readonly string[];
    json: boolean;
    /** A file; true: the state of the configuration. */
    state?: string | true;
  }>;

/** What happened later may not be delivered yet. */
const deliveryMs = 600_000;

/** Compares the history of the servers with the records of a log store. The exit code is 1 when they differ. */
export async function audit(flags: AuditFlags, terminal: Terminal): Promise<ExitCode> {
  return untilStopped(terminal, async () => {
    const { config, servers } = chosenServers(flags, terminal);
    const state = flags.state === true ? (config.state.postgresql ?? config.state.path) : flags.state;
    // Before the history is read, which may take long.
    await reasonsFor([], state);
    const inputs = await Promise.all(flags.records.map(async path => openLines(path, terminal)));
    const originFor = await origins(config, terminal.version);
    const expected = new ExpectedRecords();
    await readPast(servers, flags, terminal, {
      end: (_server, now) => now - milliseconds(deliveryMs),
      listed: (server, session) => expected.listed(server, session.createdAt),
      read: async ({ server, window, parts }) => {
        const origin = originFor(server, config.personalData);
        expected.begin(server.name, window, origin);
        for await (const part of parts) expected.expect(server.name, part, origin);
      },
    });
    const compared = new Audit(expected, timeLimits(config));
    for (const lines of inputs) for await (const line of lines) if (line.trim() !== '') compared.check(line);
    const findings = compared.findings();
    const reasons = await reasonsFor(findings.missing, state);
    return printFindings({ ...findings, reasons }, flags, terminal);
  });
}

type NamedFindings = AuditFindings & Readonly<{ reasons: readonly string[] }>;

/** Why each record is missing, where a state is compared: that of a file, or in PostgreSQL. */
async function reasonsFor(
  missing: readonly Missing[],
  state: string | PostgresqlConfig | undefined,
): Promise<readonly string[]> {
  if (state === undefined) return [];
  if (typeof state === 'string') return readState(state, reader => explanations(missing, reader));
  const sessions = Map.groupBy(missing, ({ server }) => server);
  const ids = [...sessions].map(([server, of]) => [server, of.map(({ session }) => session)] as const);
  return explanations(missing, await readSessions(state, new Map(ids)));
}

/** A record that occurs twice is no difference: delivery is at least once. */
const isComplete = ({ missing, altered, unknown }: AuditFindings): boolean =>
  missing.length + altered.length + unknown.length === 0;

function printFindings(findings: NamedFindings, { json }: AuditFlags, { print }: Terminal): ExitCode {
  for (const line of json ? [jsonOf(findings)] : linesFor(findings)) print(line);
  return isComplete(findings) ? exitCodes.stopped : exitCodes.cannotRun;
}

const timeText = (at: Nanos | undefined): string => (at === undefined ? '' : formatInstant(at));

const jsonOf = ({ reasons, missing, ...findings }: NamedFindings): string =>
  JSON.stringify(
    {
      complete: isComplete({ missing, ...findings }),
      ...findings,
      missing: missing.map((each, index) => ({ ...each, reason: reasons[index] })),
    },
    (_key, value: unknown) => (typeof value === 'bigint' ? formatInstant(value) : value),
    1,
  );

const named = (what: string, { server, session, event, at }: RecordName, more = ''): string =>
  [what.padEnd(8), server, session, event === session ? 'result'.padEnd(36) : event, timeText(at), more]
    .filter(text => text !== '')
    .join('  ')
    .replaceAll(unprintable, '\u{fffd}');

/** What a record could move the cursor with, or begin a line. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function linesFor(findings: NamedFindings): readonly string[] {
  const { expected, found, missing, altered, repeated, unknown, absent, ignored, reasons } = findings;
  const notes = Object.entries(ignored).flatMap(([what, count]) =>
    count === 0 ? [] : [`${String(count)} ${ignoredWords[what] ?? what}`],
  );
  const counts = [
    `${String(missing.length)} missing`,
    `${String(altered.length)} altered`,
    `${String(repeated.length)} repeated`,
    `${String(unknown.length)} unknown`,
  ].join(', ');
  return [
    ...missing.map((each, index) => named('missing', each, reasons[index])),
    ...altered.map(each => named('altered', each, each.attributes.join(', '))),
    ...repeated.map(each => named('repeated', each, `${String(each.times)} times`)),
    ...unknown.map(each => named('unknown', each)),
    ...(absent.length === 0 ? [] : [`Not compared, because no record has it: ${absent.join(', ')}`]),
    ...(notes.length === 0 ? [] : [`Ignored: ${notes.join(', ')}`]),
    `${isComplete(findings) ? 'Complete' : 'Incomplete'}: ${String(found)} of ${String(expected)} records; ${counts}`,
  ];
}

const ignoredWords: Readonly<Record<string, string>> = {
  otherServer: 'records of other servers',
  otherTime: 'records of other times',
  otherProgram: 'records without "log.record.uid"',
  unreadable: 'lines that are not JSON',
};

/** @throws {ExporterError} `rejected` when the file cannot be opened, before anything else is read. */
async function openLines(path: string, { input, stop, outputClosed }: Terminal): Promise<AsyncIterable<string>> {
  const failed = (cause: unknown): ExporterError => {
    const code = errorCode(cause);
    const why = cause instanceof UnusableRecords ? cause.message : (fileWords[code] ?? code);
    return new ExporterError('rejected', `Could not read records "${path}": ${why}`, { cause });
  };
  const signal = AbortSignal.any([stop, outputClosed]);
  if (path === '-' && input !== undefined) return linesOf(input(), signal, failed);
  const file = await open(path).catch((thrown: unknown) => {
    throw failed(thrown);
  });
  return linesOf(file.createReadStream(), signal, failed);
}

class UnusableRecords extends Error {}

/** @throws {UnusableRecords} when it is the beginning of a file of gzip or zstd. */
function refuseCompressed([first, second, third]: Uint8Array): void {
  const isGzip = first === 0x1f && second === 0x8b;
  const isZstd = first === 0x28 && second === 0xb5 && third === 0x2f;
  if (isGzip || isZstd)
    throw new UnusableRecords(`they are compressed; use ${isGzip ? 'zcat' : 'zstdcat'} and "--records -"`);
}

/** In characters. A batch of a Collector is shorter; a file without line breaks does not fit into memory. */
const longestLine = 64 * 1024 * 1024;

/** Splits at line feeds only: JSON may hold other separators. A line can have many chunks; PowerShell writes UTF-16. */
async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  failed: (cause: unknown) => ExporterError,
): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  const pieces: string[] = [];
  let length = 0;
  // A pipe may be idle for ever.
  const stream: AsyncIterable<Uint8Array> = addAbortSignal(
    signal,
    input instanceof Readable ? input : Readable.from(input),
  );
  try {
    for await (const chunk of stream) {
      if (decoder === undefined) refuseCompressed(chunk);
      decoder ??= new TextDecoder(encodingOf(chunk));
      const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
      pieces.push(first);
      length += first.length;
      if (length > longestLine) throw new UnusableRecords('a line is longer than 64 MiB; each record needs its own');
      for (const next of others) {
        yield pieces.splice(0).join('');
        pieces.push(next);
        length = next.length;
      }
    }
  } catch (thrown) {
    throw signal.aborted ? interrupted() : failed(thrown);
  }
  yield pieces.join('');
}
