import type { Clock } from '../kernel/clock.js';
import { ExporterError, type Reason, toExporterError } from '../kernel/errors.js';
import type { InstanceInfo, Source } from '../pipeline/ports.js';

/** After such a failure, who answers next may be somebody else. */
const doubtful: ReadonlySet<Reason> = new Set(['auth', 'network', 'server', 'throttled', 'timeout']);
/** A server that never fails is asked again after so long. */
const trustedMs = 900_000;

/** Watches that a server stays the installation that it is. */
export interface Identity {
  /** The source; what it reads is from that installation, or an error. */
  readonly source: Source;
  /** Aborts when the server tells another id, or one where it told none. */
  readonly changed: AbortSignal;
  /** What it last told of itself. */
  instance(): InstanceInfo | undefined;
}

export type IdentityDeps = Readonly<{
  clock: Pick<Clock, 'monotonic'>;
  /** When the present login ends: a new login may be one at another installation. */
  loginEndsAtMs: () => number | undefined;
}>;

/** What a server tells of itself; undefined when it refuses to. */
export async function askInstance(
  source: Pick<Source, 'instance'>,
  signal: AbortSignal,
): Promise<InstanceInfo | undefined> {
  try {
    return await source.instance(signal);
  } catch (thrown) {
    if (toExporterError(thrown).reason === 'rejected') return undefined;
    throw thrown;
  }
}

/**
 * Lets nothing be read from a server that may have become another installation: after a failure, after a new login and
 * every quarter of an hour it is asked first.
 * @param met what it told just now.
 */
export function guardInstallation(source: Source, met: InstanceInfo | undefined, deps: IdentityDeps): Identity {
  const over = new AbortController();
  let told = met;
  let askedMs: number | undefined = deps.clock.monotonic();
  let asking: Promise<void> | undefined;
  const ask = async (signal: AbortSignal): Promise<void> => {
    const now = await askInstance(source, signal);
    if (isAnother(met, now)) over.abort();
    told = now ?? told;
    askedMs = deps.clock.monotonic();
  };
  const sure = async (signal: AbortSignal): Promise<void> => {
    if (askedMs === undefined || deps.clock.monotonic() - askedMs >= trustedMs) {
      asking ??= ask(signal).finally(() => (asking = undefined));
      await asking;
    }
    if (over.signal.aborted)
      throw new ExporterError('rejected', 'The server tells another installation id than before');
  };
  const reading = async <T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> => {
    await sure(signal);
    const login = deps.loginEndsAtMs();
    try {
      const answer = await read();
      if (deps.loginEndsAtMs() !== login) askedMs = undefined;
      await sure(signal);
      return answer;
    } catch (thrown) {
      if (doubtful.has(toExporterError(thrown).reason)) askedMs = undefined;
      throw thrown;
    }
  };
  return {
    changed: over.signal,
    instance: () => told,
    source: {
      ...source,
      sessions: async (from, signal) => reading(signal, async () => source.sessions(from, signal)),
      session: async (id, signal) => reading(signal, async () => source.session(id, signal)),
      changes: async (place, signal) => reading(signal, async () => source.changes(place, signal)),
      events: async (id, offset, signal) => reading(signal, async () => source.events(id, offset, signal)),
    },
  };
}

/** One that does not tell is the one that it was; one that begins to tell has to be remembered as what it tells. */
const isAnother = (met: InstanceInfo | undefined, now: InstanceInfo | undefined): boolean =>
  now !== undefined && now.installationId !== '' && now.installationId !== met?.installationId;
