import type { Clock } from '../kernel/clock.js';
import { ExporterError, type Reason, toExporterError } from '../kernel/errors.js';
import type { InstanceInfo, Source } from '../pipeline/ports.js';

/** After such a failure another server may answer the next request. */
const suspicious: ReadonlySet<Reason> = new Set(['auth', 'network', 'server', 'throttled', 'timeout']);
/** How long a server that never fails is trusted. */
const trustedMs = 900_000;

/** A source that also reports when its login ends: a new login may reach another installation. */
export type LoginSource = Source & Readonly<{ tokenExpiresAtMs(): number | undefined }>;

/** A source that rejects every request once its server has become another installation. */
export interface GuardedSource {
  readonly source: Source;
  /** Aborts when the server reports another installation id, or its first one. */
  readonly changed: AbortSignal;
  /** What the server last said of itself. */
  instance(): InstanceInfo | undefined;
}

/**
 * What a server says of itself; undefined if it refuses to.
 * @throws {ExporterError} as `Source.instance`, except `rejected`.
 */
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
 * Asks a server for its installation id before and after a request that follows a failure or a new login, and every
 * quarter of an hour.
 * @param known what the server said of itself just now.
 */
export function guardInstallation(
  source: LoginSource,
  known: InstanceInfo | undefined,
  clock: Pick<Clock, 'monotonic'>,
): GuardedSource {
  const changed = new AbortController();
  let instance = known;
  let askedMs: number | undefined = clock.monotonic();
  let asking: Promise<void> | undefined;
  const ask = async (signal: AbortSignal): Promise<void> => {
    const answer = await askInstance(source, signal);
    if (isAnother(known, answer)) changed.abort();
    instance = answer ?? instance;
    askedMs = clock.monotonic();
  };
  const verify = async (signal: AbortSignal): Promise<void> => {
    if (askedMs === undefined || clock.monotonic() - askedMs >= trustedMs) {
      asking ??= ask(signal).finally(() => (asking = undefined));
      await asking;
    }
    if (changed.signal.aborted)
      throw new ExporterError('rejected', 'Could not read from the server: it is another installation now');
  };
  const guarded = async <T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> => {
    await verify(signal);
    const login = source.tokenExpiresAtMs();
    try {
      const answer = await read();
      if (source.tokenExpiresAtMs() !== login) askedMs = undefined;
      await verify(signal);
      return answer;
    } catch (thrown) {
      if (suspicious.has(toExporterError(thrown).reason)) askedMs = undefined;
      throw thrown;
    }
  };
  return {
    changed: changed.signal,
    instance: () => instance,
    source: {
      ...source,
      sessions: async (from, signal) => guarded(signal, async () => source.sessions(from, signal)),
      session: async (id, signal) => guarded(signal, async () => source.session(id, signal)),
      changes: async (place, signal) => guarded(signal, async () => source.changes(place, signal)),
      events: async (id, offset, signal) => guarded(signal, async () => source.events(id, offset, signal)),
    },
  };
}

/** A server that stops reporting an id is still the same; one that starts to must be identified again. */
const isAnother = (known: InstanceInfo | undefined, answer: InstanceInfo | undefined): boolean =>
  answer !== undefined && answer.installationId !== '' && answer.installationId !== known?.installationId;
