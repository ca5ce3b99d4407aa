import { singleFlight } from './single-flight.js';
import { type Ask, detectVersion, isServed } from './detect.js';
import { type ApiVersion, apiVersions, type RestSettings } from './options.js';

/** Which API version is spoken to a server. */
export interface Versions {
  /** @throws {ExporterError} as detecting fails, or `store` when it cannot be remembered. */
  current(signal: AbortSignal): Promise<ApiVersion>;
  /** The version as last used; undefined before there is one. */
  known(): ApiVersion | undefined;
  /** Tells that the server may have stopped serving the version; it is looked at before the next use. */
  doubt(): void;
  /** Tells which installation answers; another one than before has its version detected anew. `''`: unknown. */
  met(installationId: string): void;
}

type Settings = Pick<RestSettings, 'apiVersion' | 'memory' | 'log' | 'clock' | 'random'>;

/** A version that is set in the configuration is spoken, served or not. */
export function versions(settings: Settings, ask: Ask): Versions {
  const { apiVersion } = settings;
  if (apiVersion === 'auto') return detectedVersions(settings, ask);
  return { current: async () => apiVersion, known: () => apiVersion, doubt: () => undefined, met: () => undefined };
}

type State = Readonly<{ version: ApiVersion | undefined; sure: boolean; installationId: string | undefined }>;

/**
 * The version that was detected once is spoken as long as it is served, by this process and the next: a newer one may
 * count differently, and is for people to choose.
 */
function detectedVersions({ memory, log, ...timing }: Settings, ask: Ask): Versions {
  let state: State | undefined;

  async function recalled(): Promise<State> {
    const { apiVersion, installationId } = await memory.recall();
    const version = apiVersions.find(each => each === apiVersion);
    return { version, sure: version !== undefined, installationId };
  }

  async function settle(): Promise<ApiVersion> {
    state ??= await recalled();
    const { version: before } = state;
    if (before !== undefined && (state.sure || (await isServed(ask, before)))) return keep(before);
    const version = await detectVersion(ask);
    await memory.keep(version);
    if (before === undefined) log.info('Detected the API version', { api_version: version });
    else if (before !== version)
      log.warn('The API version is not served any more; another is spoken from now on', {
        before,
        api_version: version,
      });
    return keep(version);
  }

  function keep(version: ApiVersion): ApiVersion {
    state = { installationId: state?.installationId, version, sure: true };
    return version;
  }

  const settled = singleFlight(settle, { ...timing, operation: 'probe' });
  return {
    current: async signal => (state?.sure === true && state.version !== undefined ? state.version : settled(signal)),
    known: () => state?.version,
    doubt: () => {
      if (state !== undefined) state = { ...state, sure: false };
    },
    met: installationId => {
      if (state === undefined || installationId === '') return;
      const isOther = state.installationId !== undefined && state.installationId !== installationId;
      state = { ...(isOther ? { version: undefined, sure: false } : state), installationId };
    },
  };
}
