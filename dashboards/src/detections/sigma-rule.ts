import { createHash } from 'node:crypto';
import type { Alert } from '../rule.js';

export const levels: Readonly<Record<Alert['severity'], string>> = { critical: 'high', warning: 'medium', info: 'low' };

/** The id of a rule depends on its name only, so that it is the same in every run. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}

/** `VB365MisuseFirstExport` as `vb365_misuse_first_export`. */
export const snakeCase = (name: string): string =>
  name.replace('VB365', 'vb365').replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

export const tagsOf = (attack: readonly string[]): readonly string[] =>
  attack.map(technique => `attack.${technique.toLowerCase()}`);
