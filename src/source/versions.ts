import { type ApiVersion, apiVersions } from '../model/api-versions.js';
import { detectVersion, isServed, type SendProbe } from './detect.js';
import type { RestSettings } from './options.js';
import { singleFlight } from './single-flight.js';

/** The API version to use with a server. */
export interface Versions {
  /** @throws {ExporterError} as detection fails, or `store` when it cannot be remembered. */
  current(signal: AbortSignal): Promise<ApiVersion>;
  /** The version last used; undefined before the first use. */
  known(): ApiVersion | undefined;
  /** The server may have stopped serving the version: checks before the next use. */
  recheck(): void;
  /** Detects again when the installation differs from the one before. `''`: unknown. */
  sawInstallation(installationId: string): void;
}

const ignore = (): void => undefined;

type Settings = Pick<RestSettings, 'apiVersion' | 'memory' | 'log' | 'clock' | 'random'>;

type VersionState = Readonly<{ version: ApiVersion | undefined; sure: boolean; installationId: string | undefined }>;

/**
 * A version set in the configuration is used whether it is served or not. A detected version is kept as long as it is
 * served, also by the next process: a newer one may count differently, and is the operator's choice.
 */
export function createVersions({ apiVersion, memory, log, ...timing }: Settings, send: SendProbe): Versions {
  if (apiVersion !== 'auto')
    return { current: async () => apiVersion, known: () => apiVersion, recheck: ignore, sawInstallation: ignore };
  let state: VersionState | undefined;

  async function choose(): Promise<ApiVersion> {
    if (state === undefined) {
      const { apiVersion: kept, installationId } = await memory.recall();
      const version = apiVersions.find(each => each === kept);
      state = { version, sure: version !== undefined, installationId };
    }
    const { version: before } = state;
    if (before !== undefined && (state.sure || (await isServed(send, before)))) return keep(before);
    const version = await detectVersion(send);
    await memory.keep(version);
    if (before === undefined) log.info('Detected the API version', { api_version: version });
    else if (before !== version)
      log.warn('Server no longer supports the API version; switching', {
        before,
        api_version: version,
      });
    return keep(version);
  }

  function keep(version: ApiVersion): ApiVersion {
    state = { installationId: state?.installationId, version, sure: true };
    return version;
  }

  const chosen = singleFlight(choose, { ...timing, operation: 'probe' });
  return {
    current: async signal => (state?.sure === true && state.version !== undefined ? state.version : chosen(signal)),
    known: () => state?.version,
    recheck: () => {
      if (state !== undefined) state = { ...state, sure: false };
    },
    sawInstallation: installationId => {
      if (state === undefined || installationId === '') return;
      const isOther = state.installationId !== undefined && state.installationId !== installationId;
      state = { ...(isOther ? { version: undefined, sure: false } : state), installationId };
    },
  };
}
