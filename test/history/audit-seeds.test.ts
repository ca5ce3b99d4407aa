import { expect, test } from '@jest/globals';
import { Audit, readStored } from '../../src/history/audit.js';
import type { HistoryPart } from '../../src/history/reader.js';
import type { StoredLog } from '../../src/history/records.js';
import { milliseconds } from '../../src/model/time.js';
import { dice } from '../../src/simulator/random.js';
import { expectedOf, keep, parts, readHistoryOnce, sentWith, total, unlimited } from '../support/audited.js';
import { type Kept, lineOf } from '../support/stored-logs.js';
import { namedIn, tampering } from '../support/tampering.js';

// All 200: AUDIT_SEEDS=1-200 npm test -- audit-seeds
// oxlint-disable-next-line no-restricted-properties -- a test
const [first = 1, last = first] = (process.env['AUDIT_SEEDS'] ?? '1').split('-').map(Number);
const copies = Math.ceil(100_000 / total);

/** The same sessions again: with other ids, names and sizes, and at another time. */
const copyOf = (part: HistoryPart, copy: number): HistoryPart => {
  const earlier = milliseconds(copy);
  const session = {
    ...part.session,
    id: `${part.session.id}-${String(copy)}`,
    createdAt: part.session.createdAt - earlier,
    ...(part.session.endedAt === undefined ? {} : { endedAt: part.session.endedAt - earlier }),
  };
  const events = part.events.map(({ event, ...taken }) => ({
    ...taken,
    session,
    event: {
      ...event,
      id: `${event.id}-${String(copy)}`,
      startedAt: event.startedAt - earlier,
      ...(event.endedAt === undefined ? {} : { endedAt: event.endedAt - earlier }),
      item: { ...event.item, name: `${event.item.name} ${String(copy)}`, sizeBytes: copy },
    },
  }));
  return { ...part, session, events };
};

test(
  `an audit of 100,000 records names every deletion, change, repetition and invention, and nothing else (seeds ${String(first)} to ${String(last)})`,
  async () => {
    await readHistoryOnce();
    const history = parts.flatMap(part => Array.from({ length: copies }, (_, copy) => copyOf(part, copy)));
    const write = lineOf['the Collector'] ?? String;
    const expected = expectedOf(keep, history);
    const records = sentWith(keep, history);
    const read = (record: Kept): readonly StoredLog[] => [...(readStored(write(record, 'hq')) ?? [])];
    const unchanged = new Map(records.map(record => [record, read(record)]));
    expect(records.length).toBeGreaterThanOrEqual(100_000);
    for (let seed = first; seed <= last; seed += 1) {
      const { stored, found } = tampering(records, dice(seed, 1), 100);
      const audit = new Audit(expected, unlimited);
      for (const record of stored) for (const log of unchanged.get(record) ?? read(record)) audit.checkRecord(log);
      const findings = audit.findings();
      expect({ seed, expected: findings.expected, ...namedIn(findings) }).toEqual({
        seed,
        expected: records.length,
        ...found,
      });
    }
  },
  120_000 + (last - first) * 60_000,
);
