import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Session } from '../../src/model/session.js';
import { decodeSession } from '../../src/source/decode-session.js';
import { decodePage } from '../../src/source/page.js';
import { fixture } from '../support/fixture.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
/** 2022-02-03T00:00:00Z */
const readAt = 1_643_846_400_000_000_000n;
const wire = (over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  id,
  creationTime: '2022-02-02T15:00:00Z',
  state: 'Working',
  ...over,
});

function decoded(json: unknown): Session {
  const entry = decodeSession(json, readAt);
  if ('rejected' in entry) throw new Error(entry.rejected);
  return entry.session;
}

const page = (path: string, limit: number): readonly Session[] =>
  decodePage(fixture(path), { operation: 'sessions', offset: 0, limit }).rows.map(row => decoded(row));

describe('a session', () => {
  test('of v3 has a workload in lower case, offsets, and no end while it works', () => {
    expect(page('v3/source-sessions.json', 30)).toEqual([
      {
        id: '0c7a1c3e-52b8-4d0c-9a53-6f1f0e4b7a11',
        name: 'Exchange restore (Job: Office 365 Suite to Blob - 8/24/2020 6:02:06 PM)',
        organization: 'abc.onmicrosoft.com',
        workload: { label: 'exchange', raw: 'vex' },
        createdAt: 1_552_679_471_662_454_500n,
        endedAt: undefined,
        open: true,
        result: { label: 'Success', raw: 'Success' },
        initiator: 'EAST\\admin',
        details: '',
        scope: '',
        clientHost: '',
        reason: '',
      },
      expect.objectContaining({
        id,
        workload: { label: 'sharepoint', raw: 'Vesp' },
        endedAt: 1_496_142_130_000_000_000n,
        open: false,
        details: '1 items processed (1 success)',
      }),
    ]);
  });

  test('of v8 has a scope, a client and a reason, and null where there is none', () => {
    expect(page('v8/source-sessions.json', 10_000)).toEqual([
      expect.objectContaining({
        workload: { label: 'teams', raw: 'Vet' },
        details: '',
        scope: 'Finance',
        clientHost: '10.0.0.7',
        reason: 'Ticket 4711',
        result: { label: 'Warning', raw: 'Warning' },
      }),
      expect.objectContaining({ name: '', scope: '', clientHost: '', endedAt: undefined, open: true }),
    ]);
  });

  test.each([
    ['Stopped', false],
    ['stopped', false],
    ['Stopping', true],
    ['Starting', true],
    [null, true],
  ])('in the state %s is open: %s', (state, open) => {
    expect(decoded(wire({ state })).open).toBe(open);
  });

  test('has no end in the year 1', () => {
    expect(decoded(wire({ endTime: '0001-01-01T00:00:00' })).endedAt).toBeUndefined();
  });

  test.each([undefined, null, '', 'canary', 5, '0001-01-01T00:00:00', '1900-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
    'with the time of creation %j is created at its end, or when it was read',
    creationTime => {
      const end = '2022-02-02T15:00:00Z';
      const endedAt = readAt - 9n * 3_600_000_000_000n;
      const anomalies = ['no_time'];
      expect(decoded(wire({ creationTime }))).toMatchObject({ createdAt: readAt, endedAt: undefined, anomalies });
      expect(decoded(wire({ creationTime, endTime: end }))).toMatchObject({ createdAt: endedAt, endedAt, anomalies });
    },
  );

  test.each([
    ['1980-01-01T00:00:00Z', '1980-01-01T00:00:00Z'],
    ['2000-01-01T00:00:00Z', null],
    ['2015-12-31T23:59:59Z', undefined],
  ])('from %s to %j has no time: the product is younger', (creationTime, endTime) => {
    const wanted = { createdAt: readAt, undated: true, endedAt: undefined, anomalies: ['no_time'] };
    expect(decoded(wire({ state: 'Stopped', creationTime, endTime }))).toMatchObject(wanted);
  });

  test('of a server whose clock is before the first release has the times of that clock', () => {
    const entry = decodeSession(wire({ creationTime: '2000-01-01T00:00:00Z' }), 946_684_900_000_000_000n);
    expect(entry).toMatchObject({ session: { createdAt: 946_684_800_000_000_000n } });
  });

  test.each([
    ['canary', ['no_time']],
    ['1601-01-01T00:00:00Z', ['no_time']],
    ['1970-01-01T00:00:00Z', ['no_time']],
    ['9999-12-31T23:59:59.9999999', ['no_time']],
    ['2022-02-02T14:59:59Z', ['negative_duration']],
  ])('has no end at %j', (endTime, anomalies) => {
    expect(decoded(wire({ endTime }))).toMatchObject({ endedAt: undefined, anomalies });
  });

  test.each([
    [[], 'it is not an object'],
    [wire({ id: '' }), 'it has no readable "id"'],
    [wire({ id: '..' }), 'it has no readable "id"'],
  ])('%j is rejected: %s', (json, rejected) => {
    expect(decodeSession(json, readAt)).toEqual({ rejected });
  });

  test('of any JSON is a session or is rejected', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.jsonValue().map(name => wire({ name })),
        ),
        json => {
          decodeSession(json, readAt);
        },
      ),
    );
  });
});
