import type { RestoreEvent } from '../../src/model/event.js';
import type { Session } from '../../src/model/session.js';
import { milliseconds, type Nanos } from '../../src/model/time.js';
import type { LoginSource } from '../../src/server/installation.js';
import { event, page, session } from './server-run.js';

/** Stopped sessions that come in evenly. */
export type Plan = Readonly<{
  startMs: number;
  spacingMs: number;
  sessions: number;
  perSession: number;
  textSize: number;
}>;

/** How many events there are at a time. */
export const heldAt = (ms: number, { startMs, spacingMs, sessions, perSession }: Plan): number =>
  ms < startMs ? 0 : Math.min(sessions, Math.floor((ms - startMs) / spacingMs) + 1) * perSession;

/**
 * A server of any size that keeps nothing: it makes everything up as it is asked, so that code that keeps it shows on
 * the heap. Ids of events are numbers, from the oldest on.
 */
export function madeUpServer(nowMs: () => number, plan: Plan): LoginSource {
  const createdAt = (n: number): Nanos => milliseconds(plan.startMs + n * plan.spacingMs);
  const sessionAt = (n: number): Session => {
    const endedAt = createdAt(n) + BigInt(plan.perSession);
    return session({ id: `s${String(n)}`, createdAt: createdAt(n), endedAt, open: false });
  };
  return {
    now: () => milliseconds(nowMs()),
    tokenExpiresAtMs: () => undefined,
    instance: async () => ({ apiVersion: 'v6', version: '6.0', installationId: 'i' }),
    sessions: async from => {
      const there = heldAt(nowMs(), plan) / plan.perSession;
      const all = Array.from({ length: there }, (_, n) => n).filter(n => from === undefined || createdAt(n) >= from);
      return { sessions: all.map(sessionAt), rejects: [] };
    },
    session: async id => sessionAt(numberOf(id)),
    events: async (id, offset) => {
      const n = numberOf(id);
      const rows = Array.from({ length: Math.max(0, plan.perSession - offset) }, (_, index) => {
        const order = offset + index;
        return { order, event: madeUpEvent(order, { number: n * plan.perSession + order, at: createdAt(n), plan }) };
      });
      return page(rows, { offset, readAt: milliseconds(nowMs()) });
    },
    changes: async () => ({ kind: 'none' }),
  };
}

const numberOf = (id: string): number => Number(id.slice(1));

type Of = Readonly<{ number: number; at: Nanos; plan: Plan }>;

function madeUpEvent(order: number, { number, at, plan }: Of): RestoreEvent {
  const endedAt = at + BigInt(order);
  // Not a repeated string, which V8 keeps as a few bytes.
  const message = Buffer.alloc(plan.textSize, `${String(number)} `).toString('latin1');
  return event(order, { id: String(number), startedAt: endedAt, endedAt, message });
}
