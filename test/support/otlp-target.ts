import type { OtlpTarget } from '../../src/config/otlp.js';
import type { PersonalData } from '../../src/model/personal-data.js';

/** Keeps all personal data. */
export const keepAll: PersonalData = { person: 'keep', item: 'keep', path: 'keep', client: 'keep' };

export const noTls = { caFile: undefined, certFile: undefined, keyFile: undefined } as const;

export const target = (url: URL, over: Partial<OtlpTarget> = {}): OtlpTarget => ({
  url,
  protocol: 'http/json',
  headers: {},
  compression: 'none',
  timeoutMs: 5_000,
  proxy: undefined,
  tls: noTls,
  ...over,
});
