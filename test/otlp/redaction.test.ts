import { describe, expect, test } from '@jest/globals';
import { eventStatus, eventType } from '../../src/model/event.js';
import type { Ownership } from '../../src/model/ownership.js';
import { sessionResult } from '../../src/model/session.js';
import { keyedHash } from '../../src/kernel/keyed-hash.js';
import {
  normalAccount,
  type PersonalClass,
  personalClasses,
  type PersonalData,
  treatmentOf,
} from '../../src/model/personal-data.js';
import { maxTextLength, merged } from '../../src/otlp/attribute.js';
import { redacting } from '../../src/otlp/redaction.js';
import { itemRecord, type Origin, originOf, readable, sessionRecord } from '../../src/otlp/log-record.js';
import { itemSpan, sessionSpan } from '../../src/otlp/restore-span.js';
import { origin } from '../support/logs.js';
import { keepAll } from '../support/otlp-target.js';
import { event, session, taken } from '../support/restore.js';

const hash = keyedHash(Buffer.from('0123456789abcdef'));
const redactingOrigin = (choice: Partial<PersonalData>): Origin =>
  originOf({ ...origin, redact: redacting({ ...keepAll, ...choice }, hash) });

/** Every text of the API that may be personal, each with a canary of its class; the texts are of all classes. */
const canaries = {
  initiator: 'canary-person',
  scope: 'canary-person-or-item-scope',
  clientHost: 'canary-client',
  itemName: 'canary-item',
  ownerId: 'canary-owner-id',
  ownerName: 'canary-owner-name',
  ownerEmail: 'canary-owner@example.com',
  source: 'canary-path-source',
  target: 'canary-path-target',
  texts: 'canary-text',
} as const;
const of = session({
  initiator: canaries.initiator,
  scope: canaries.scope,
  clientHost: canaries.clientHost,
  name: `${canaries.texts} 1`,
  reason: `${canaries.texts} 2`,
  details: `${canaries.texts} 3`,
  failure: `${canaries.texts} 4`,
  result: sessionResult('Failed'),
});
const ownership: Ownership = {
  owner: {
    kind: 'user',
    id: canaries.ownerId,
    name: canaries.ownerName,
    email: canaries.ownerEmail,
    accounts: [canaries.ownerEmail],
    derived: false,
  },
  relation: 'other',
};
const owner = [canaries.ownerId, canaries.ownerName, canaries.ownerEmail];
const events = (['Save', 'None'] as const).map(type =>
  event({
    type: eventType(type),
    status: eventStatus('Failed'),
    title: `${canaries.texts} 4`,
    message: `${canaries.texts} 5`,
    reason: `${canaries.texts} 6`,
    item: { name: canaries.itemName, type: 'Item', sizeBytes: 1 },
    source: canaries.source,
    target: canaries.target,
  }),
);

/** Records and spans with a choice, as text. */
function sentWith(choice: Partial<PersonalData>): string {
  const from = redactingOrigin(choice);
  const records = [
    ...events.map(one => itemRecord({ session: of, event: one, ownership }, from, { observedAt: 0n })),
    sessionRecord(of, from, { observedAt: 0n }),
  ];
  const clock = { now: 0n, maxAhead: undefined };
  const spans = [
    ...events.map(one => itemSpan({ session: of, event: one, ownership }, from, clock)),
    sessionSpan(of, from, clock),
  ];
  return JSON.stringify([
    records.map(({ body, attributes }) => [body, attributes]),
    spans.map(span => [span?.name, span?.attributes, span?.status]),
  ]);
}

const goneWith: Readonly<Record<PersonalClass, readonly string[]>> = {
  person: [...owner, canaries.initiator, canaries.scope, canaries.source, canaries.target, canaries.texts],
  item: [canaries.ownerName, canaries.itemName, canaries.scope, canaries.source, canaries.target, canaries.texts],
  path: [canaries.source, canaries.target, canaries.texts],
  client: [canaries.clientHost],
};

describe('Nothing sensitive where it does not belong: in records and spans', () => {
  test('what is kept is there, so that its absence means something', () => {
    for (const canary of Object.values(canaries)) expect(sentWith({})).toContain(canary);
  });

  test.each(personalClasses)('with %s dropped nothing of that class is left, and the rest is', one => {
    const left = sentWith({ [one]: 'drop' });
    for (const canary of Object.values(canaries))
      expect([canary, left.includes(canary)]).toEqual([canary, !goneWith[one].includes(canary)]);
  });

  test.each(personalClasses)('with %s hashed nothing of that class is readable, but equal texts are equal', one => {
    const left = sentWith({ [one]: 'hash' });
    for (const canary of goneWith[one]) expect(left).not.toContain(canary);
    const single = goneWith[one].filter(canary => canary !== canaries.texts);
    for (const canary of single) expect(left).toContain(hash(canary));
  });

  test('with all dropped a record still says what happened, when, and in which organization', () => {
    const all = { person: 'drop', item: 'drop', path: 'drop', client: 'drop' } as const;
    const { body, attributes } = readable(itemRecord(taken(), redactingOrigin(all), { observedAt: 0n }));
    expect(body).toBe('Save succeeded (#1, 755d207e)');
    expect(attributes).toEqual({
      'log.record.uid': '755d207e-ebd6-49da-9943-3b9e5eb31dee',
      'veeam.event.kind': 'veeam.restore.item',
      'veeam.restore.event.type': 'Save',
      'veeam.restore.event.status': 'Success',
      'veeam.restore.event.order': 1,
      'veeam.restore.event.duration': 0.0446928,
      'veeam.restore.item.type': 'Item',
      'veeam.restore.session.id': '61954db6-7278-4d26-86f7-888bda5a4ec4',
      'veeam.restore.session.type': 'Vesp',
      'veeam.organization.name': 'contoso.onmicrosoft.com',
    });
    expect(sessionRecord(session({ open: false }), redactingOrigin(all), { observedAt: 0n }).body).toBe(
      'Restore session of contoso.onmicrosoft.com succeeded (61954db6)',
    );
  });
});

test.each([
  [{}, ['person', 'item'], 'keep'],
  [{ item: 'hash' }, ['person', 'item'], 'hash'],
  [{ item: 'hash', person: 'drop' }, ['person', 'item'], 'drop'],
  [{ client: 'drop' }, ['person', 'item'], 'keep'],
  [{ client: 'drop' }, [], 'keep'],
] as const)('of the choice %j the strictest counts for %j: %s', (choice, classes, wanted) => {
  expect(treatmentOf({ ...keepAll, ...choice }, classes)).toBe(wanted);
});

describe('a hash', () => {
  test('of a person is the same in every attribute, however the account is written', () => {
    const from = redactingOrigin({ person: 'hash', path: 'hash', item: 'hash' });
    const hashesOf = (initiator: string) =>
      merged(
        itemRecord(
          {
            session: session({ initiator, scope: 'CANARY-OWNER@example.com' }),
            event: event({ target: 'Canary-Owner@Example.com' }),
            ownership,
          },
          from,
          { observedAt: 0n },
        ).attributes,
      );
    const attributes = hashesOf('Canary-owner@EXAMPLE.com');
    for (const name of ['session.initiator', 'session.scope', 'owner.email', 'target'])
      expect([name, attributes[`veeam.restore.${name}`]]).toEqual([name, hash(canaries.ownerEmail)]);
    const spellings = ['USDEMO\\Esteve.Nobime', 'USDEMO\\esteve.nobime'].map(
      initiator => hashesOf(initiator)['veeam.restore.session.initiator'],
    );
    expect(new Set(spellings).size).toBe(1);
  });

  test.each(['Arya Stark\\Inbox', '/sites/A@B', 'Re: A@B', 'Image.jpg'])('of %s keeps the case of letters', text => {
    expect(normalAccount(text)).toBe(text);
  });

  test('depends on the key and the text only', () => {
    expect(hash('alice')).toMatch(/^hmac:[0-9a-f]{32}$/);
    expect(hash('alice')).toBe(keyedHash(Buffer.from('0123456789abcdef'))('alice'));
    expect(hash('alice')).not.toBe(hash('bob'));
    expect(hash('alice')).not.toBe(keyedHash(Buffer.from('0123456789abcdeg'))('alice'));
  });
});

test('no text exceeds the limit of a backend, and a cut text is valid Unicode', () => {
  const long = `${'x'.repeat(maxTextLength - 1)}\u{1F600}`;
  const { body, attributes } = readable(
    itemRecord(taken({ item: { name: long, type: '', sizeBytes: 1 }, source: long }), origin, { observedAt: 0n }),
  );
  expect(String(body).length).toBeLessThanOrEqual(maxTextLength);
  expect(body).toMatch(/ succeeded \(#1, 755d207e\)$/);
  expect(attributes['veeam.restore.source']).toBe(`${'x'.repeat(maxTextLength - 1)}\ufffd`);
});
