import { describe, expect, test } from '@jest/globals';
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as fc from 'fast-check';
import { eventStatus, eventType } from '../../src/model/event.js';
import { type Session, sessionResult, workload } from '../../src/model/session.js';
import { spanIdOf, traceIdOf } from '../../src/model/trace-ids.js';
import { itemRecord, readable, sessionRecord } from '../../src/otlp/log-record.js';
import { recordAttributes } from '../../src/otlp/attributes.js';
import { origin as shared } from '../support/logs.js';
import { at, session, taken } from '../support/restore.js';

const origin = { ...shared, resource: resourceFromAttributes({}), scope: { name: 'vb365-exporter' } };
const observedAt = at('2017-05-30T10:57:31.25Z');
const item = (...of: Parameters<typeof taken>) => readable(itemRecord(taken(...of), origin, { observedAt }));
const ended = (of: Parameters<typeof session>[0] = {}) =>
  readable(sessionRecord(session({ open: false, endedAt: at('2017-05-30T10:58:00Z'), ...of }), origin, { observedAt }));

describe('the record of an event', () => {
  test('holds the event of the v3 example, exact to the tick', () => {
    expect(item()).toMatchObject({
      severityNumber: 9,
      severityText: 'INFO',
      eventName: 'veeam.restore.item',
      hrTime: [1_496_141_848, 86_960_700],
      hrTimeObserved: [1_496_141_851, 250_000_000],
      body: 'Save of "Image.jpg" succeeded (#1, 755d207e)',
      spanContext: { traceId: '61954db672784d2686f7888bda5a4ec4', spanId: 'ec1e1be0b5655434', traceFlags: 1 },
      attributes: {
        'log.record.uid': '755d207e-ebd6-49da-9943-3b9e5eb31dee',
        'veeam.event.kind': 'veeam.restore.item',
        'veeam.restore.event.type': 'Save',
        'veeam.restore.event.status': 'Success',
        'veeam.restore.event.order': 1,
        'veeam.restore.event.duration': 0.0446928,
        'veeam.restore.item.name': 'Image.jpg',
        'veeam.restore.item.type': 'Item',
        'veeam.restore.source': '/personal/orgUser/Documents/Image.jpg',
        'veeam.restore.target':
          'C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727',
        'veeam.restore.session.id': '61954db6-7278-4d26-86f7-888bda5a4ec4',
        'veeam.restore.session.name': 'Restore of contoso',
        'veeam.restore.session.type': 'Vesp',
        'veeam.restore.session.initiator': 'CONTOSO\\alice',
        'veeam.restore.session.client.host': '10.0.0.7',
        'veeam.restore.session.client.address': '10.0.0.7',
        'veeam.organization.name': 'contoso.onmicrosoft.com',
      },
      droppedAttributesCount: 0,
      resource: origin.resource,
      instrumentationScope: origin.scope,
    });
  });

  test.each([
    ['Success', 9, 'INFO'],
    ['Running', 9, 'INFO'],
    ['Skipped', 9, 'INFO'],
    ['Paused', 9, 'INFO'],
    ['Warning', 13, 'WARN'],
    ['Cancelled', 13, 'WARN'],
    ['Failed', 17, 'ERROR'],
  ])('with status %s has severity %i %s', (status, severityNumber, severityText) => {
    expect(item({ status: eventStatus(status) })).toMatchObject({ severityNumber, severityText });
  });

  test.each([
    ['Success', 'Restore', 'a b', 'Restore of "a b" succeeded (#7, 755d207e)'],
    ['Warning', 'Send', 'a', 'Send of "a" ended with a warning (#7, 755d207e)'],
    ['Failed', 'Export', 'a', 'Export of "a" failed (#7, 755d207e)'],
    ['Cancelled', 'Clone', 'a', 'Clone of "a" was cancelled (#7, 755d207e)'],
    ['Paused', 'Save', 'a', 'Save of "a" ended as Paused (#7, 755d207e)'],
    ['Success', 'View', '', 'View succeeded (#7, 755d207e)'],
    ['Success', 'None', '', 'Item is successfully restored. (#7, 755d207e)'],
  ])('%s %s of %j reads: %s', (status, type, name, body) => {
    const record = item({
      status: eventStatus(status),
      type: eventType(type),
      order: 7,
      item: { name, type: '', sizeBytes: 1 },
    });
    expect(record.body).toBe(body);
    expect(record.attributes['veeam.restore.item.size']).toBe(1);
  });

  test('without a title or name is still a sentence', () => {
    expect(item({ type: eventType('None'), title: '', item: { name: '', type: '', sizeBytes: undefined } }).body).toBe(
      'Session event succeeded (#1, 755d207e)',
    );
  });

  test('keeps order and id, however long the words of the API are', () => {
    const long = 'W'.repeat(5_000);
    const { body } = item({ type: eventType(long), status: eventStatus(long) });
    expect(body).toMatch(/^W{64} of "Image.jpg" ended as W{64} \(#1, 755d207e\)$/);
  });

  test.each([
    ['Access denied', 'Access denied'],
    ['', 'Item Image.jpg was saved successfully'],
  ])('of a failure with reason %j says %j', (reason, message) => {
    expect(item({ status: eventStatus('Failed'), reason }).attributes).toMatchObject({
      'error.type': 'restore_failed',
      'error.message': message,
    });
  });

  test('has the start as its timestamp while the end is unknown', () => {
    expect(item({ endedAt: undefined }).hrTime).toEqual([1_496_141_848, 42_267_900]);
  });

  test.each(['0001-01-01T00:00:00Z', '1969-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59Z', '2263-01-01T00:00:00Z'])(
    'has no timestamp for %s, which OTLP or a backend could not hold',
    endedAt => {
      expect(item({ endedAt: at(endedAt) }).hrTime).toEqual([0, 0]);
    },
  );

  test('whose ids are not GUIDs belongs to no trace and keeps the ids as they are', () => {
    const record = item({ id: 'x' }, { id: "'; drop" });
    expect(record).not.toHaveProperty('spanContext');
    expect(record.attributes).toMatchObject({ 'log.record.uid': 'x', 'veeam.restore.session.id': "'; drop" });
    expect(item({ id: 'x' })).not.toHaveProperty('spanContext');
  });

  test('holds only valid Unicode', () => {
    const record = item({ item: { name: 'a\ud800', type: '', sizeBytes: undefined } });
    expect(record.body).toContain('a\ufffd');
    expect(record.attributes['veeam.restore.item.name']).toBe('a\ufffd');
  });
});

describe('the record of a session', () => {
  test('holds when and how it ended', () => {
    expect(ended()).toMatchObject({
      severityNumber: 9,
      eventName: 'veeam.restore.session',
      hrTime: [1_496_141_880, 0],
      body: 'Restore session "Restore of contoso" of contoso.onmicrosoft.com succeeded (61954db6)',
      attributes: {
        'log.record.uid': '61954db6-7278-4d26-86f7-888bda5a4ec4',
        'veeam.event.kind': 'veeam.restore.session',
        'veeam.restore.session.result': 'Success',
        'veeam.restore.session.duration': 256,
      },
    });
  });

  test.each([
    ['Failed', 17, 'Restore session failed (61954db6)', 'restore_session_failed'],
    ['Warning', 13, 'Restore session ended with warnings (61954db6)', undefined],
    ['Lost', 9, 'Restore session ended as Lost (61954db6)', undefined],
  ])('%s has severity %i', (result, severityNumber, body, type) => {
    const record = ended({ result: sessionResult(result), name: '', organization: '', workload: workload('Vez') });
    expect(record).toMatchObject({ severityNumber, body });
    expect(record.attributes['error.type']).toBe(type);
  });

  test.each<[Partial<Session>, string]>([
    [{ failure: 'Access denied', details: '5 items processed' }, 'Access denied'],
    [{ failure: '' }, 'Events of the session failed; their records have the reasons'],
    [{ details: '5 items processed' }, 'No event failed, and the server gives no reason (5 items processed)'],
    [{}, 'No event failed, and the server gives no reason'],
  ])('that failed says why: %p', (over, message) => {
    const { attributes } = ended({ ...over, result: sessionResult('Failed') });
    expect(attributes['error.message']).toBe(message);
  });

  test('without an end has the start as its timestamp and no duration', () => {
    const record = ended({ endedAt: undefined });
    expect(record.hrTime).toEqual([1_496_141_624, 0]);
    expect(record.attributes).not.toHaveProperty('veeam.restore.session.duration');
  });

  test('that ended before it began has no duration', () => {
    expect(ended({ endedAt: 0n }).attributes).not.toHaveProperty('veeam.restore.session.duration');
  });
});

describe('ids', () => {
  test('of equal GUIDs are equal, of different ones different, and never zero', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 4 }), fc.uuid({ version: 4 }), (a, b) => {
        expect(spanIdOf(a)).toMatch(/^[0-9a-f]{16}$/);
        expect(spanIdOf(a)).toBe(spanIdOf(a.toUpperCase()));
        expect(spanIdOf(a) === spanIdOf(b)).toBe(a === b);
        expect(traceIdOf(a)).toBe(a.replaceAll('-', ''));
      }),
    );
  });

  test('a GUID whose halves are equal has the span 1', () => {
    expect(spanIdOf('01234567-89ab-cdef-0123-456789abcdef')).toBe('0000000000000001');
  });

  test.each(['', 'x', '00000000000000000000000000000000', '755d207e-ebd6-49da-9943-3b9e5eb31deg'])(
    '%j is not an id',
    text => {
      expect([traceIdOf(text), spanIdOf(text)]).toEqual([undefined, undefined]);
    },
  );

  test('the empty GUID is not a trace id', () => {
    expect(traceIdOf('00000000-0000-0000-0000-000000000000')).toBeUndefined();
  });
});

test.each([...recordAttributes.item, ...recordAttributes.session])('attribute $name has a name of ours', ({ name }) => {
  expect(name).toMatch(/^(veeam(\.[a-z]+)+|error\.(type|message)|log\.record\.uid)$/);
});
