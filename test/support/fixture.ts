import { readFileSync } from 'node:fs';

/** The JSON of a fixture, such as `v3/source-events.json`. */
export const fixture = (path: string): unknown => JSON.parse(readFileSync(`test/fixtures/${path}`, 'utf8'));
