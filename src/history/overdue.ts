import { eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Row, timeText } from './report.js';

export const overdueColumns = ['server', 'organization', 'workload', 'last_success', 'last_session'] as const;

type Pair = {
  server: string;
  organization: string;
  workload: string;
  lastSession: Nanos;
  lastSuccess: Nanos | undefined;
};

/** Types of events that bring data back; to view an item proves little. */
const restoring: ReadonlySet<string> = new Set(['Restore', 'Save', 'Export', 'Send']);

/** Which organizations and workloads have had no successful restore for some time. */
export class Overdue {
  readonly #pairs = new Map<string, Pair>();
  /** By server: when a restore must have succeeded, at the latest. */
  readonly #since = new Map<string, Nanos>();
  readonly #backedUp: Row[] = [];

  begin(server: string, since: Nanos): void {
    this.#since.set(server, since);
  }

  /** A session of the server, in the window or not. */
  listed(server: string, session: Session): void {
    const pair = this.#pairOf(server, session);
    if (sessionTime(session) > pair.lastSession) pair.lastSession = sessionTime(session);
  }

  /** The organizations of the server, when all of its sessions are known. */
  backedUp(server: string, organizations: readonly Readonly<{ name: string; officeName: string }>[]): void {
    const pairs = [...this.#pairs.values()].filter(pair => pair.server === server);
    const restored = new Set(pairs.map(({ organization }) => organization.toLowerCase()));
    for (const { name, officeName } of organizations)
      if (!restored.has(name.toLowerCase()) && !restored.has(officeName.toLowerCase()))
        this.#backedUp.push({ server, organization: name });
  }

  add(server: string, { session, event }: TakenEvent): void {
    if (event.status.label !== 'Success' || !restoring.has(event.type.label)) return;
    const pair = this.#pairOf(server, session);
    const at = eventTime(event);
    if (pair.lastSuccess === undefined || at > pair.lastSuccess) pair.lastSuccess = at;
  }

  /** Those that were never restored come last. */
  rows(): readonly Row[] {
    const restored = [...this.#pairs.entries()]
      .filter(([, { server, lastSuccess = -1n }]) => lastSuccess < (this.#since.get(server) ?? 0n))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { lastSession, lastSuccess, ...names }]) => ({
        ...names,
        last_success: lastSuccess === undefined ? undefined : timeText(lastSuccess),
        last_session: timeText(lastSession),
      }));
    return [...restored, ...this.#backedUp];
  }

  #pairOf(server: string, { organization, workload }: Session): Pair {
    const key = JSON.stringify([server, organization, workload.label]);
    const pair = this.#pairs.get(key) ?? {
      server,
      organization,
      workload: workload.label,
      lastSession: 0n,
      lastSuccess: undefined,
    };
    this.#pairs.set(key, pair);
    return pair;
  }
}
