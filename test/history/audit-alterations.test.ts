import { beforeAll, describe, expect, test } from '@jest/globals';
import { Audit } from '../../src/history/audit.js';
import { formatInstant } from '../../src/model/time.js';
import { itemRecord } from '../../src/otlp/log-record.js';
import {
  alteredOf,
  altering,
  audited,
  expectedOf,
  keep,
  parts,
  readHistoryOnce,
  sentWith,
  uidOf,
  unlimited,
  window,
} from '../support/audited.js';
import { type Kept, kept, lineOf } from '../support/stored-logs.js';

beforeAll(readHistoryOnce);

const ownerNames = ['kind', 'id', 'relation'].map(part => `veeam.restore.owner.${part}`);
const comparedOrder = ['kind', 'id', 'name', 'email', 'relation', 'derived'].map(part => `veeam.restore.owner.${part}`);

const raise = (): never => {
  throw new Error('no record');
};

/** A line without the member that holds a part of the record that is no attribute. */
function withoutPart(line: string, name: string): string {
  const members: Readonly<Record<string, RegExp>> = {
    timestamp: /^(_time|timestamp|@timestamp|timeUnixNano)$/,
    body: /^(_msg|line|body|body\.text)$/,
    severity: /^severity_?text$/i,
    'service.instance.id': /service.instance.id$|^resource$/,
  };
  return JSON.stringify(
    JSON.parse(line, (key, value: unknown) => (members[name]?.test(key) === true ? undefined : value)),
  );
}

function fnv1a(text: string): number {
  let hashed = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hashed = Math.imul(hashed ^ text.charCodeAt(at), 0x01000193);
  return hashed >>> 0;
}

/** Another text with the same FNV-1a: the last two characters can be chosen freely, because the step can be undone. */
function collidingWith(text: string): string {
  const wanted = fnv1a(text);
  const inverse = 0x359c449b;
  const before = Math.imul(wanted, inverse) >>> 0;
  for (let tries = 0; ; tries += 1) {
    const start = `forged ${String(tries)} `;
    const last = (fnv1a(start) ^ before) >>> 0;
    if (last > 0 && last < 0xd800) return start + String.fromCharCode(last);
  }
}

describe('an audit of altered records', () => {
  test('names a time that was moved, for which no limit gives a reason', () => {
    const write = lineOf['the Collector'] ?? String;
    const [first, ...rest] = sentWith(keep);
    if (first === undefined) throw new Error('no record');
    const own = { 'veeam.event.time': formatInstant(first.ns) };
    const moved = { ...altering(first, own), ns: first.ns + 10n ** 12n };
    const lines = [moved, ...rest].map(record => write(record, 'hq'));
    for (const limits of [unlimited, { ...unlimited, maxAge: 10n ** 12n * 2n }, { ...unlimited, maxAhead: 0n }])
      expect(alteredOf(audited(lines, keep, limits))).toEqual([[uidOf(first), 'timestamp']]);
    for (const limits of [
      { ...unlimited, maxAge: 10n ** 11n },
      { ...unlimited, maxBehind: 10n ** 11n },
    ])
      expect(alteredOf(audited(lines, keep, limits))).toEqual([]);
  });

  test.each(Object.entries(lineOf))('names what is missing in one record only, as %s writes it', (_name, write) => {
    const records = sentWith(keep);
    for (const name of ['body', 'severity', 'service.instance.id', 'timestamp', ...ownerNames]) {
      const chosen = records.find(({ attributes }) => !name.startsWith('veeam') || attributes[name] !== undefined);
      if (chosen === undefined) throw new Error(`no record has ${name}`);
      const lines = records.map(record => {
        const line = write(record === chosen ? altering(record, { [name]: '' }) : record, 'hq');
        return record === chosen ? withoutPart(line, name) : line;
      });
      expect(alteredOf(audited(lines, keep))).toEqual([[uidOf(chosen), name]]);
    }
  });

  test('names every change of an owner, whatever the record says about how the owner was named', () => {
    const write = lineOf['VictoriaLogs'] ?? String;
    const records = sentWith(keep);
    const chosen = records.find(
      ({ attributes }) =>
        attributes['veeam.restore.owner.email'] !== undefined && attributes['veeam.restore.owner.relation'] === 'other',
    );
    if (chosen === undefined) throw new Error('no owner');
    const found = (changes: Kept['attributes']): readonly string[] =>
      audited(
        records.map(record => write(record === chosen ? altering(record, changes) : record, 'hq')),
        keep,
      ).altered.flatMap(({ attributes }) => attributes);
    for (const name of ['email', 'name', 'id', 'relation', 'kind'].map(part => `veeam.restore.owner.${part}`))
      expect(found({ [name]: 'x', 'veeam.restore.owner.derived': true })).toEqual(
        [name, 'veeam.restore.owner.derived'].toSorted((a, b) => comparedOrder.indexOf(a) - comparedOrder.indexOf(b)),
      );
    // What a look-up that failed leaves.
    expect(
      found({
        'veeam.restore.owner.email': '',
        'veeam.restore.owner.name': '',
        'veeam.restore.owner.relation': 'unknown',
      }),
    ).toEqual([]);
  });

  test('names a text whose unkeyed 32-bit hash is the same', () => {
    const write = lineOf['VictoriaLogs'] ?? String;
    const records = sentWith(keep);
    const [first, ...rest] = records;
    if (first === undefined) throw new Error('no record');
    const changed = { ...first, body: collidingWith(first.body) };
    expect(fnv1a(changed.body)).toBe(fnv1a(first.body));
    const lines = [changed, ...rest].map(record => write(record, 'hq'));
    expect(alteredOf(audited(lines, keep))).toEqual([[uidOf(first), 'body']]);
  });

  test('compares whole numbers exactly', () => {
    const write = lineOf['VictoriaLogs'] ?? String;
    const origin = keep;
    const big = parts.map(part => ({
      ...part,
      events: part.events.map(taken => ({
        ...taken,
        event: { ...taken.event, item: { ...taken.event.item, sizeBytes: 1_234_567_890_123 } },
      })),
    }));
    const audit = new Audit(expectedOf(origin, big), unlimited);
    const [taken] = big.flatMap(({ events }) => events);
    if (taken === undefined) throw new Error('no event');
    const record = kept(itemRecord(taken, origin, { observedAt: 0n }));
    audit.check(write(altering(record, { 'veeam.restore.item.size': 1_234_567_890_124 }), 'hq'));
    expect(alteredOf(audit.findings())).toEqual([[uidOf(record), 'veeam.restore.item.size']]);
  });

  test('compares a record with the history of its server', () => {
    const write = lineOf['the Collector'] ?? String;
    const records = sentWith(keep);
    const expected = expectedOf(keep, parts);
    expected.begin('branch', window, keep);
    for (const part of parts) expected.listed('branch', part.session.createdAt);
    const audit = new Audit(expected, unlimited);
    for (const [index, record] of records.entries()) audit.check(write(record, index === 0 ? 'branch' : 'hq'));
    const { missing, unknown } = audit.findings();
    expect(missing).toMatchObject([{ server: 'hq', event: uidOf(records[0] ?? raise()) }]);
    expect(unknown).toMatchObject([{ server: 'branch', event: uidOf(records[0] ?? raise()) }]);
  });
});
