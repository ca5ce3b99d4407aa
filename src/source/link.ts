import type { RestSettings } from './options.js';
import type { Read } from './reader.js';
import type { Versions } from './versions.js';

/** What a reading of anything needs: how to ask, and in which version. */
export type Link = Readonly<{ settings: RestSettings; read: Read; versions: Versions }>;
