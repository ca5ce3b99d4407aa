import type { AnomalyKind } from './event.js';
import { type Term, vocabulary } from './term.js';
import type { Nanos } from './time.js';

export const workloads = ['exchange', 'onedrive', 'sharepoint', 'teams'] as const;
type Workload = (typeof workloads)[number];

export const sessionResults = ['Success', 'Warning', 'Failed'] as const;
export type SessionResult = (typeof sessionResults)[number];
export const sessionResult = vocabulary(sessionResults);

/** The workload of each session type. Source: `RESTRestoreSession.type`, v2 to v8. */
const workloadOf: ReadonlyMap<string, Workload> = new Map([
  ['vex', 'exchange'],
  ['veod', 'onedrive'],
  ['vesp', 'sharepoint'],
  ['vet', 'teams'],
]);

/** The workload of a session type such as `Vex`, which `raw` keeps. */
export const workload = (raw: string): Term<Workload> => ({ label: workloadOf.get(raw.toLowerCase()) ?? 'other', raw });

/** One restore session: somebody opened a backup. Times are the server's. `''`: the server sent no text. */
export type Session = Readonly<{
  /** UUID, lower case. */
  id: string;
  name: string;
  /** The organization's name, the only identity in the API. */
  organization: string;
  workload: Term<Workload>;
  /** Its end, or when it was read, if the server sent no usable time of creation. */
  createdAt: Nanos;
  /** The server sent no usable time of creation; absent otherwise. */
  undated?: true;
  /** When it stopped; undefined while it is open. */
  endedAt: Nanos | undefined;
  /** True until the server says `Stopped`. */
  open: boolean;
  /** Meaningless while the session is open: servers say `Success` from the first second on. */
  result: Term<SessionResult>;
  initiator: string;
  details: string;
  scope: string;
  clientHost: string;
  reason: string;
  /** Why it failed, as its first failed event says; `''` if that is not known. Absent if no event failed. */
  failure?: string;
  /** Changes with the state of the session (v8); absent where the server sends none. */
  eTag?: string;
  /** Anomalies of its times and texts; absent when there are none. */
  anomalies?: readonly AnomalyKind[];
}>;

/** When a stopped session happened: its end, or its creation while the end is unknown. */
export const sessionTime = (session: Session): Nanos => session.endedAt ?? session.createdAt;

/** Characters of all texts of a session. */
export const textLength = (session: Session): number =>
  Object.values(session).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
