import { expect, test } from '@jest/globals';
import { linkAbort } from '../../src/kernel/linked-abort.js';

test('aborts with any of the others, and on its own call', () => {
  const others = [new AbortController(), new AbortController()];
  const signals = others.map(({ signal }) => signal);
  const [first, second] = [linkAbort(signals), linkAbort(signals)];
  second.now();
  expect([first.signal.aborted, second.signal.aborted]).toEqual([false, true]);
  others[1]?.abort();
  expect(first.signal.aborted).toBe(true);
});

test('aborts at once with one that has aborted before', () => {
  expect(linkAbort([AbortSignal.abort()]).signal.aborted).toBe(true);
});

test('ignores the others once it is released', () => {
  const other = new AbortController();
  const stop = linkAbort([other.signal]);
  stop.release();
  other.abort();
  expect(stop.signal.aborted).toBe(false);
});
