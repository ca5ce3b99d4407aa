import { beforeAll, describe, expect, test } from '@jest/globals';
import { originOf } from '../../src/otlp/log-record.js';
import { redacting } from '../../src/otlp/redaction.js';
import { dice } from '../../src/simulator/random.js';
import {
  allOf,
  altering,
  audited,
  hash,
  keep,
  originWith,
  readHistoryOnce,
  sentWith,
  total,
  uidOf,
  unlimited,
} from '../support/audited.js';
import { lineOf } from '../support/stored-logs.js';

beforeAll(readHistoryOnce);

const uids = (found: readonly Readonly<{ event: string }>[]): readonly string[] =>
  found.map(({ event }) => event).toSorted();

describe('an audit', () => {
  test.each(Object.entries(lineOf))('of everything that was sent is complete, as %s writes it', (_name, write) => {
    const records = sentWith(keep);
    const found = audited(records.map(record => write(record, 'hq')).toReversed(), keep);
    expect(found).toMatchObject({
      expected: total,
      found: total,
      missing: [],
      altered: [],
      repeated: [],
      unknown: [],
      absent: [],
    });
    expect(found.ignored).toEqual({ otherServer: 0, otherTime: 0, otherProgram: 0, unreadable: 0 });
  });

  test.each([1, 2, 3, 4])(
    'names every deletion, change, repetition and invention, and nothing else (50 seeds, %i)',
    quarter => {
      const records = sentWith(keep);
      const write = Object.values(lineOf)[quarter - 1] ?? String;
      for (let seed = quarter * 50; seed < quarter * 50 + 50; seed += 1) {
        const random = dice(seed, 1);
        const some = Math.ceil(random() * 20);
        const chosen = records.toSorted(() => random() - 0.5);
        const [deleted, changed, repeated] = [
          chosen.slice(0, some),
          chosen.slice(some, 2 * some),
          chosen.slice(2 * some, 3 * some),
        ];
        const changes = changed.map(record => {
          const names = Object.keys(record.attributes).filter(
            name => !/uid$|owner|session\.id$|event\.time/.test(name),
          );
          const name = names[Math.floor(random() * names.length)] ?? '';
          const value = record.attributes[name];
          const other = typeof value === 'number' ? value + 1 : random() < 0.5 ? `${String(value)}x` : '';
          return { name, record: altering(record, { [name]: other }) };
        });
        const invented = deleted
          .slice(0, 3)
          .map((record, index) => altering(record, { 'log.record.uid': `invented-${String(index)}` }));
        const rest = chosen.slice(2 * some);
        const stored = [...rest, ...repeated, ...changes.map(({ record }) => record), ...invented].toSorted(
          () => random() - 0.5,
        );
        const found = audited(
          stored.map(record => write(record, 'hq')),
          keep,
        );
        expect(uids(found.missing)).toEqual(deleted.map(uidOf).toSorted());
        expect(uids(found.repeated)).toEqual(repeated.map(uidOf).toSorted());
        expect(uids(found.unknown)).toEqual(invented.map(uidOf).toSorted());
        expect(found.altered.map(({ event, attributes }) => `${event} ${attributes.join()}`).toSorted()).toEqual(
          changes.map(({ name, record }) => `${uidOf(record)} ${name}`).toSorted(),
        );
      }
    },
  );

  test.each(['person', 'item', 'path', 'client'] as const)('is right when %s is kept, hashed or dropped', each => {
    for (const treatment of ['keep', 'hash', 'drop'] as const) {
      const origin = originWith({ ...allOf('keep'), [each]: treatment });
      const write = lineOf['VictoriaLogs'] ?? String;
      const records = sentWith(origin);
      const lines = records.map(record => write(record, 'hq'));
      expect(audited(lines, origin)).toMatchObject({ found: total, missing: [], altered: [] });
      const [first] = records;
      if (first === undefined) throw new Error('no record');
      const changed = write(altering(first, { 'veeam.restore.event.type': 'Nothing' }), 'hq');
      const { altered } = audited([changed, ...lines.slice(1)], origin);
      expect(altered.map(({ event, attributes }) => [event, attributes])).toEqual([
        [uidOf(first), ['veeam.restore.event.type']],
      ]);
    }
  });

  test('compares hashes as hashes: another key is another record', () => {
    const lines = sentWith(originWith(allOf('hash'))).map(record => lineOf['VictoriaLogs']?.(record, 'hq') ?? '');
    const other = originOf({ ...keep, redact: redacting(allOf('hash'), text => hash(`${text}2`)) });
    expect(audited(lines, other).altered).toHaveLength(total);
  });

  test('compares time, text and severity', () => {
    const records = sentWith(keep);
    const write = lineOf['VictoriaLogs'] ?? String;
    const [a, b, c, d, ...rest] = records;
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('too few');
    const sentLater = {
      ...d,
      ns: d.ns + 10n ** 12n,
      attributes: { ...d.attributes, 'veeam.event.time': new Date(Number(d.ns / 1_000_000n)).toISOString() },
    };
    const changed = [
      { ...a, ns: a.ns + 1_000_000n },
      { ...b, body: 'nothing happened' },
      { ...c, severity: 'DEBUG' },
      sentLater,
    ];
    const { altered } = audited(
      [...changed, ...rest].map(record => write(record, 'hq')),
      keep,
      { ...unlimited, maxAge: 900_000_000_000n },
    );
    expect(altered.map(({ event, attributes }) => [event, attributes.join()])).toEqual([
      [uidOf(a), 'timestamp'],
      [uidOf(b), 'body'],
      [uidOf(c), 'severity'],
    ]);
  });

  test('an attribute that no record has is named once: the store, or an older version, does not keep it', () => {
    const write = lineOf['VictoriaLogs'] ?? String;
    const lines = sentWith(keep).map(record => write(altering(record, { 'veeam.restore.item.size': '' }), 'hq'));
    expect(audited(lines, keep)).toMatchObject({ altered: [], absent: ['veeam.restore.item.size'] });
  });

  test('ignores and counts what is not about its servers, their history or its window', () => {
    const write = lineOf['VictoriaLogs'] ?? String;
    const records = sentWith(keep);
    const [first] = records;
    if (first === undefined) throw new Error('no record');
    const old = { ...altering(first, { 'log.record.uid': 'old' }), ns: first.ns - 10n ** 18n };
    const lines = [
      ...records.map(record => write(record, 'hq')),
      write(altering(first, { 'log.record.uid': 'x' }), 'other'),
      write(old, 'hq'),
      '{"_msg":"x"}',
      'no JSON',
      '[]',
      'null',
      '{"resourceLogs":{}}',
    ];
    expect(audited(lines, keep)).toMatchObject({
      found: total,
      unknown: [],
      ignored: { otherServer: 1, otherTime: 1, otherProgram: 1, unreadable: 3 },
    });
  });
});
