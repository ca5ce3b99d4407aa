import { expect, test } from '@jest/globals';
import { createPageCache } from '../../src/pipeline/page-cache.js';
import type { EventPage } from '../../src/pipeline/ports.js';
import { settle } from '../support/fake-clock.js';
import { event, page, pageOf } from '../support/server-run.js';

const { signal } = new AbortController();

type Request = PromiseWithResolvers<EventPage | undefined> & Readonly<{ what: string }>;

/** Pages, for so many readers, over a source that answers when the test says so. */
function slowPages(readers = 3) {
  const requests: Request[] = [];
  const aborted: string[] = [];
  const events = async (session: string, offset: number, until: AbortSignal): Promise<EventPage | undefined> => {
    until.addEventListener('abort', () => aborted.push(session));
    const request = { what: `${session} ${String(offset)}`, ...Promise.withResolvers<EventPage | undefined>() };
    requests.push(request);
    return request.promise;
  };
  const pageCache = createPageCache({ events }, readers);
  return { pages: pageCache, requests, aborted, asked: () => requests.map(({ what }) => what) };
}

test('a page is requested once for all readers, at the same time or later', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const both = Promise.all([pageCache.read('s1', 0, signal), pageCache.read('s1', 0, signal)]);
  requests[0]?.resolve(page([]));
  const [first, second] = await both;
  expect(first).toBe(second);
  expect(await pageCache.read('s1', 0, signal)).toBe(first);
  expect(asked()).toEqual(['s1 0']);
});

test('pages are distinguished by session and offset', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const all = Promise.all([
    pageCache.read('s1', 0, signal),
    pageCache.read('s1', 30, signal),
    pageCache.read('s2', 0, signal),
  ]);
  for (const [index, { resolve }] of requests.entries()) resolve(page([], { offset: index }));
  expect((await all).map(one => one?.offset)).toEqual([0, 1, 2]);
  expect(asked()).toEqual(['s1 0', 's1 30', 's2 0']);
});

test('the absence of a session is cached as well', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const gone = pageCache.read('s1', 0, signal);
  requests[0]?.resolve(undefined);
  expect([await gone, await pageCache.read('s1', 0, signal)]).toEqual([undefined, undefined]);
  expect(asked()).toHaveLength(1);
});

test('a failed page fails for all who waited, and is requested again', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const both = Promise.allSettled([pageCache.read('s1', 0, signal), pageCache.read('s1', 0, signal)]);
  requests[0]?.reject(new Error('nobody answers'));
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = pageCache.read('s1', 0, signal);
  requests[1]?.resolve(page([]));
  expect(await again).toEqual(page([]));
  expect(asked()).toEqual(['s1 0', 's1 0']);
});

test('only the last hundred pages are kept', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  for (let offset = 0; offset < 101; offset += 1) {
    const read = pageCache.read('s1', offset, signal);
    requests.at(-1)?.resolve(page([]));
    await read;
  }
  await pageCache.read('s1', 1, signal);
  expect(asked()).toHaveLength(101);
  void pageCache.read('s1', 0, signal);
  expect(asked().at(-1)).toBe('s1 0');
});

test('a page that all have read is dropped', async () => {
  const { pages: pageCache, requests, asked } = slowPages(2);
  const first = pageCache.read('s1', 0, signal);
  requests[0]?.resolve(page([]));
  expect(await pageCache.read('s1', 0, signal)).toBe(await first);
  void pageCache.read('s1', 0, signal);
  expect(asked()).toEqual(['s1 0', 's1 0']);
});

test('fewer large pages are kept: 10,000 rows, or the last page', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const rows = Array.from({ length: 6_000 }, (_, order) => ({ order, rejected: 'no_id', id: '' }) as const);
  for (const offset of [0, 6_000, 12_000]) {
    const read = pageCache.read('s1', offset, signal);
    requests.at(-1)?.resolve({ ...page([]), rows });
    await read;
  }
  await pageCache.read('s1', 12_000, signal);
  expect(asked()).toHaveLength(3);
  void pageCache.read('s1', 6_000, signal);
  expect(asked().at(-1)).toBe('s1 6000');
  expect(asked()).toHaveLength(4);
});

test('fewer pages of long texts are kept: 16 million characters', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  for (const offset of [0, 1, 2]) {
    const read = pageCache.read('s1', offset, signal);
    requests.at(-1)?.resolve(pageOf(event(offset, { message: 'm'.repeat(4_000_000), title: 't'.repeat(4_000_000) })));
    await read;
  }
  await pageCache.read('s1', 1, signal);
  await pageCache.read('s1', 2, signal);
  expect(asked()).toHaveLength(3);
  void pageCache.read('s1', 0, signal);
  expect(asked()).toHaveLength(4);
});

test('after invalidate every page is requested again, and a late failure of an old one does not drop the new one', async () => {
  const { pages: pageCache, requests, asked } = slowPages();
  const old = Promise.allSettled([pageCache.read('s1', 0, signal)]);
  pageCache.invalidate();
  const fresh = pageCache.read('s1', 0, signal);
  requests[1]?.resolve(page([], { readAt: 2n }));
  await fresh;
  requests[0]?.reject(new Error('nobody answers'));
  await old;
  await settle();
  expect((await pageCache.read('s1', 0, signal))?.readAt).toBe(2n);
  expect(asked()).toHaveLength(2);
});

test('a request ends when every reader of the page has aborted, and the next reader sends another one', async () => {
  const { pages: pageCache, requests, aborted, asked } = slowPages();
  const [first, second] = [new AbortController(), new AbortController()];
  const reads = [pageCache.read('s1', 0, first.signal), pageCache.read('s1', 0, second.signal)];
  first.abort();
  expect(aborted).toEqual([]);
  second.abort();
  expect(aborted).toEqual(['s1']);
  requests[0]?.resolve(undefined);
  await Promise.all(reads);
  void pageCache.read('s1', 0, signal);
  expect(asked()).toEqual(['s1 0', 's1 0']);
});
