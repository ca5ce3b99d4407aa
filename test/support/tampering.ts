import type { Random } from '../../src/kernel/clock.js';
import type { AuditFindings } from '../../src/history/audit.js';
import { altering, uidOf } from './audited.js';
import type { Kept } from './stored-logs.js';

type Tampered = Readonly<{
  /** What the store holds now, in another order. */
  stored: readonly Kept[];
  /** What an audit has to find: uids, and of changes also the attribute. */
  found: Readonly<Record<'missing' | 'altered' | 'repeated' | 'unknown', readonly string[]>>;
}>;

export function shuffled<T>(values: readonly T[], random: Random): T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [result[last], result[other]];
    if (a !== undefined && b !== undefined) [result[other], result[last]] = [a, b];
  }
  return result;
}

/** Changes one attribute, of those that say what happened. */
function changed(record: Kept, random: Random): Readonly<{ name: string; record: Kept }> {
  const names = Object.keys(record.attributes).filter(name => !/uid$|owner|session\.id$|event\.time/.test(name));
  const name = names[Math.floor(random() * names.length)] ?? '';
  const value = record.attributes[name];
  const other = typeof value === 'number' ? value + 1 : random() < 0.5 ? `${String(value)}x` : '';
  return { name, record: altering(record, { [name]: other }) };
}

/** Deletes, changes, repeats or invents 1 to `most` records by chance, and mixes all of them. */
export function tampering(records: readonly Kept[], random: Random, most: number): Tampered {
  const mixed = shuffled(records, random);
  const chosen = mixed.slice(0, 1 + Math.floor(random() * most));
  const stored = mixed.slice(chosen.length);
  const found = { missing: [], altered: [], repeated: [], unknown: [] } as Record<keyof Tampered['found'], string[]>;
  for (const [index, record] of chosen.entries()) {
    const what = random();
    if (what < 0.25) found.missing.push(uidOf(record));
    else if (what < 0.5) {
      const change = changed(record, random);
      found.altered.push(`${uidOf(record)} ${change.name}`);
      stored.push(change.record);
    } else if (what < 0.75) {
      found.repeated.push(uidOf(record));
      stored.push(record, record);
    } else {
      const uid = `invented-${String(index)}`;
      found.unknown.push(uid);
      stored.push(record, altering(record, { 'log.record.uid': uid }));
    }
  }
  for (const uids of Object.values(found)) uids.sort();
  return { stored: shuffled(stored, random), found };
}

const uids = (of: readonly Readonly<{ event: string }>[]): readonly string[] => of.map(({ event }) => event).sort();

/** The findings of an audit in the form of `found`. */
export const namedIn = ({ missing, altered, repeated, unknown }: AuditFindings): Tampered['found'] => ({
  missing: uids(missing),
  altered: altered.map(({ event, attributes }) => `${event} ${attributes.join()}`).sort(),
  repeated: uids(repeated),
  unknown: uids(unknown),
});
