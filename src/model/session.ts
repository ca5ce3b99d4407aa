import { type Term, vocabulary } from './term.js';
import type { Nanos } from './time.js';

export const workloads = ['exchange', 'onedrive', 'sharepoint', 'teams'] as const;
export type Workload = (typeof workloads)[number];

export const sessionResults = ['Success', 'Warning', 'Failed'] as const;
export type SessionResult = (typeof sessionResults)[number];
export const sessionResult = vocabulary(sessionResults);

/** Session types of the API and the workload each one restores. Source: `RESTRestoreSession.type`, v2 to v8. */
const workloadOf: ReadonlyMap<string, Workload> = new Map([
  ['vex', 'exchange'],
  ['veod', 'onedrive'],
  ['vesp', 'sharepoint'],
  ['vet', 'teams'],
]);

/** The workload behind a session type such as `Vex`. `raw` stays what the server wrote. */
export function workload(raw: string): Term<Workload> {
  return { label: workloadOf.get(raw.toLowerCase()) ?? 'other', raw };
}

/**
 * One restore session: somebody opened a backup. Times are the server's. `''` stands for a text that the server left
 * out, sent as `null` or sent empty: it means the same three things alike.
 */
export type Session = Readonly<{
  /** UUID, lower case. */
  id: string;
  name: string;
  /** The organization's name, the only identity the API gives here. */
  organization: string;
  workload: Term<Workload>;
  createdAt: Nanos;
  /** When it stopped; undefined while it is open. */
  endedAt: Nanos | undefined;
  /** True until the server says `Stopped`. */
  open: boolean;
  /** Means nothing while the session is open: servers say `Success` from the first second on. */
  result: Term<SessionResult>;
  initiator: string;
  details: string;
  scope: string;
  clientAddress: string;
  reason: string;
  /** What tells one state of the session from another (v8); absent where the server does not say. */
  eTag?: string;
}>;

/** When a session that has stopped is told: at its end, or its creation while that is unknown. */
export const sessionTime = (session: Session): Nanos => session.endedAt ?? session.createdAt;
