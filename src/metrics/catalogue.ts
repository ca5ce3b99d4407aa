import * as delivery from './delivery-families.js';
import type { Family } from './family.js';
import * as lease from './lease-families.js';
import * as restore from './restore-families.js';
import * as server from './server-families.js';

/** Every metric family of the exporter, by name. */
export const families: readonly Family[] = [
  ...Object.values<Family>(restore),
  ...Object.values<Family>(server),
  ...Object.values<Family>(delivery),
  ...Object.values<Family>(lease),
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

export const storedFamilies = families.filter(({ stored }) => stored === true);
