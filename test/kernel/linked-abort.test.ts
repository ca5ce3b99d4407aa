import { expect, test } from '@jest/globals';
import { linkAbort } from '../../src/kernel/linked-abort.js';

test('a linked controller aborts with any of the other signals', () => {
  const others = [new AbortController(), new AbortController()];
  const own = new AbortController();
  linkAbort(
    own,
    others.map(({ signal }) => signal),
  );
  expect(own.signal.aborted).toBe(false);
  others[1]?.abort();
  expect(own.signal.aborted).toBe(true);
});

test('a linked controller aborts at once with a signal that has aborted before', () => {
  const own = new AbortController();
  linkAbort(own, [AbortSignal.abort()]);
  expect(own.signal.aborted).toBe(true);
});

test('a controller that is no longer linked stays as it is', () => {
  const [own, other] = [new AbortController(), new AbortController()];
  const unlink = linkAbort(own, [other.signal]);
  unlink();
  other.abort();
  expect(own.signal.aborted).toBe(false);
});
