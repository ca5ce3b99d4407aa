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
import { namedIn, tampering } from '../support/tampering.js';

beforeAll(readHistoryOnce);

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

  test.each(Object.entries(lineOf))(
    'names every deletion, change, repetition and invention, and nothing else, as %s writes it (34 seeds)',
    (_name, write) => {
      const records = sentWith(keep);
      for (let seed = 1; seed <= 34; seed += 1) {
        const { stored, found } = tampering(records, dice(seed, 1), records.length);
        const lines = stored.map(record => write(record, 'hq'));
        expect(namedIn(audited(lines, keep))).toEqual(found);
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
