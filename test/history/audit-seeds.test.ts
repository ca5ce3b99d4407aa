import { expect, test } from '@jest/globals';
import type { HistoryPart } from '../../src/history/reader.js';
import { milliseconds } from '../../src/model/time.js';
import { dice } from '../../src/simulator/random.js';
import { audited, keep, parts, readHistoryOnce, sentWith, total } from '../support/audited.js';
import { type Kept, lineOf } from '../support/stored-logs.js';
import { namedIn, tampering } from '../support/tampering.js';

// All 200: AUDIT_SEEDS=200 npm test -- audit-seeds
// oxlint-disable-next-line no-restricted-properties -- a test
const seeds = Number(process.env['AUDIT_SEEDS'] ?? 1);
const copies = Math.ceil(100_000 / total);

/** The same sessions again: with other ids, names and sizes, and at another time. */
const copyOf = (part: HistoryPart, copy: number): HistoryPart => {
  const session = { ...part.session, id: `${part.session.id}-${String(copy)}` };
  const events = part.events.map(({ event, ...taken }) => ({
    ...taken,
    session,
    event: {
      ...event,
      id: `${event.id}-${String(copy)}`,
      startedAt: event.startedAt - milliseconds(copy),
      ...(event.endedAt === undefined ? {} : { endedAt: event.endedAt - milliseconds(copy) }),
      item: { ...event.item, name: `${event.item.name} ${String(copy)}`, sizeBytes: copy },
    },
  }));
  return { ...part, session, events };
};

test(
  `an audit of 100,000 records names every deletion, change, repetition and invention, and nothing else (${String(seeds)} seeds)`,
  async () => {
    await readHistoryOnce();
    const history = parts.flatMap(part => Array.from({ length: copies }, (_, copy) => copyOf(part, copy)));
    const write = lineOf['the Collector'] ?? String;
    const records: readonly Kept[] = sentWith(keep, history);
    expect(records.length).toBeGreaterThanOrEqual(100_000);
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { stored, found } = tampering(records, dice(seed, 1), 100);
      const lines = stored.values().map(record => write(record, 'hq'));
      const findings = audited(lines, keep, undefined, history);
      expect({ seed, expected: findings.expected, ...namedIn(findings) }).toEqual({
        seed,
        expected: records.length,
        ...found,
      });
    }
  },
  Math.max(120_000, seeds * 60_000),
);
