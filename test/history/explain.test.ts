import { expect, test } from '@jest/globals';
import { explanations } from '../../src/history/explain.js';
import { formatCursor, startCursor } from '../../src/pipeline/cursor.js';

const cursor = formatCursor({
  ...startCursor,
  taken: [[0, 9]],
  tally: { Success: 9 },
  exceptions: { given_up: [[3, 3]] },
});
const row = { sink: 'logs', session: 's', createdAt: 0n, done: false, cursor } as const;
const stored = {
  state: (server: string) => ({ since: server === 'hq' ? { logs: 1_000n } : {}, facts: {} }),
  rows: (_server: string, sessions: readonly string[]) => (sessions.includes('s') ? [row] : []),
  deadLetters: () => [
    { sink: 'logs', session: 's', event: 'e', reason: 'refused' },
    { sink: 'logs', session: 's', event: '', reason: 'too_large' },
    { sink: 'traces', session: 's', event: 'f', reason: 'refused' },
  ],
};
const missing = { server: 'hq', session: 's', event: 'f', order: 4, at: 2_000n };

test.each([
  ['another server', { server: 'other' }, /^the exporter has sent no logs of this server$/],
  ['history', { at: 999n }, /^before the exporter began with the server, at 1970-/],
  ['a dead letter', { event: 'e' }, /^the receiver refused it \(refused\)$/],
  ['a dead letter of a session', { event: 's', order: undefined }, /^the receiver refused it \(too_large\)$/],
  ['a session without cursor', { session: 't' }, /^not delivered: the exporter has not read its session yet$/],
  ['an event that was given up', { order: 3 }, /^the exporter gave it up after "abandon_after"$/],
  ['an event that was taken', {}, /^the receiver acknowledged it/],
  ['an event that was not taken', { order: 10 }, /^not delivered yet$/],
])('%s explains why a record is missing', (_what, over, reason) => {
  expect(explanations([{ ...missing, ...over }], stored)[0]).toMatch(reason);
});
