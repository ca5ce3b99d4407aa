import { expect, test } from '@jest/globals';
import { createBacklog } from '../../src/pipeline/backlog.js';
import { createSessionCache } from '../../src/pipeline/session-cache.js';
import { dueSessions } from '../../src/pipeline/sink-worker.js';
import { fakeServer, session } from '../support/server-run.js';

test('the backlog does not count sessions that ended before the sink began: they will never be sent', () => {
  const source = fakeServer();
  source.at = 200n;
  const sessionCache = createSessionCache(source);
  sessionCache.put(session({ id: 'history', open: false, endedAt: 99n }), 200n);
  sessionCache.put(session({ id: 'news', open: false, endedAt: 100n }), 200n);
  sessionCache.put(session({ id: 'open' }), 200n);
  const row = { sink: 'logs', createdAt: 0n, done: false, cursor: ';;' } as const;
  const ids = ['history', 'news', 'open', 'not seen yet'];
  const backlog = createBacklog(ids.map(id => ({ ...row, session: id })));
  expect(backlog.size(200n)).toBe(4);
  expect(dueSessions({ backlog, source, sessionCache, since: () => 100n })).toBe(3);
});
