import type { RestSettings } from './options.js';
import type { Get } from './reader.js';
import type { Versions } from './versions.js';

/** What a reading of anything needs: how to ask, and in which version. */
export type ApiClient = Readonly<{ settings: RestSettings; read: Get; versions: Versions }>;
