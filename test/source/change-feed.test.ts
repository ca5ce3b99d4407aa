import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { bench, never } from '../support/source-rig.js';

const { begin } = bench();
const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const other = '71954db6-7278-4d26-86f7-888bda5a4ec4';
const place = { token: 'to ken', waitSeconds: 25 };

describe('the change feed', () => {
  test('reports restore sessions only, the last change of each', async () => {
    const results = [
      { eventType: 'JobUpdate', id: 'x', eTag: 1, jobType: 'Backup' },
      { eventType: 'RestoreSessionUpdate', id: id.toUpperCase(), eTag: 7 },
      { eventType: 'RestoreSessionUpdate', id, eTag: 8 },
      { eventType: 'RestoreSessionUpdate', id: other, eTag: 9 },
      { eventType: 'RestoreSessionDelete', id: other },
      { eventType: 'RestoreSessionUpdate' },
      null,
    ];
    const one = await begin(() => ({ json: { nextChangeToken: 't2', limit: 2_500, results } }), { apiVersion: 'v8' });
    expect(await one.source.changes(place, never)).toEqual({
      kind: 'changes',
      token: 't2',
      updated: new Map([[id, '8']]),
      deleted: new Set([other]),
      entries: 7,
      unreadable: 2,
      more: false,
    });
    expect(one.reads()[0]?.url).toBe('/v8/Events?from=to%20ken&limit=2500&timeoutSeconds=25');
    expect(one.observed.at(-1)).toBe('feed 2xx');
  });

  test('is asked for its end with "latest"', async () => {
    const one = await begin(() => ({ json: { nextChangeToken: 't', limit: 1, results: null } }), { apiVersion: 'v8' });
    await one.source.changes({ token: undefined, waitSeconds: 1 }, never);
    expect(one.reads()[0]?.url).toContain('from=latest&');
  });

  test('has more when a page is full', async () => {
    const json = { nextChangeToken: 't', limit: 1, results: [{ eventType: 'JobDelete' }] };
    const one = await begin(() => ({ json }), { apiVersion: 'v8' });
    expect(await one.source.changes(place, never)).toMatchObject({ more: true, entries: 1 });
  });

  test('is not asked of a version that has none', async () => {
    const one = await begin(() => ({ status: 500 }), { apiVersion: 'v7' });
    expect(await one.source.changes(place, never)).toEqual({ kind: 'none' });
    expect(one.server.asked).toEqual([]);
  });

  test.each([400, 410, 500])('is outdated when the error code says so, whatever the status: %d', async status => {
    const json = { message: 'too old', errorCode: 'OutdatedChangeToken' };
    const one = await begin(() => ({ status, json }), { apiVersion: 'v8' });
    expect(await one.source.changes(place, never)).toEqual({ kind: 'outdated' });
  });

  test.each([
    [400, 'rejected'],
    [403, 'auth'],
    [404, 'rejected'],
  ])('is refused with %d', async (status, reason) => {
    const one = await begin(() => ({ status, body: '<html>' }), { apiVersion: 'v8' });
    expect(await one.source.changes(place, never)).toMatchObject({ kind: 'refused', error: { reason } });
  });

  test.each([
    [{ status: 500 }, 'server'],
    [{ status: 503, headers: { 'retry-after': '7' } }, 'throttled'],
    [{ json: { results: [] } }, 'decode'],
    [{ json: { nextChangeToken: '', limit: 1, results: [] } }, 'decode'],
  ])('that answers %j fails: %s', async (reply, reason) => {
    const one = await begin(() => reply, { apiVersion: 'v8' });
    await expect(one.source.changes(place, never)).rejects.toMatchObject({ reason });
  });

  test('may take as long as it was given, beyond the deadline of a request, and takes no place at the gate', async () => {
    const gate = { acquire: async () => Promise.reject(new Error('no place')) };
    const reply = { json: { nextChangeToken: 't', limit: 1, results: [] } };
    const slow = async () => {
      await sleep(300);
      return reply;
    };
    const open = { acquire: async () => () => undefined };
    let entered = 0;
    const counting = {
      acquire: async (signal: AbortSignal) => {
        entered += 1;
        return entered === 1 ? open.acquire() : gate.acquire().finally(() => signal.throwIfAborted());
      },
    };
    const one = await begin(slow, { apiVersion: 'v8', requestTimeoutMs: 200, semaphore: counting });
    expect(await one.source.changes({ token: 't', waitSeconds: 5 }, never)).toMatchObject({ kind: 'changes' });
    expect(entered).toBe(1);
  });
});
