import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, entryOf } from '../pipeline/backlog.js';
import type { PageCache } from '../pipeline/page-cache.js';
import type { CursorRow, SeriesDelta, ServerState, SinkName, Store } from '../pipeline/ports.js';
import type { SessionCache } from '../pipeline/session-cache.js';
import { type DiscoveryStep, type NextReads, nextReads, observe, sessionsOfInterest } from './observe.js';
import { type DiscoveryRules, type DiscoveryState, initialState, type Observation } from './state.js';

export type CommitDeps = Readonly<{
  server: string;
  store: Pick<Store, 'rows' | 'commit'>;
  sessionCache: SessionCache;
  pageCache: PageCache;
  backlogs: Readonly<Partial<Record<SinkName, Backlog>>>;
  /** Deltas have been stored. */
  stored: (deltas: readonly SeriesDelta[]) => void;
}>;

/** Holds the state of discovery, and replaces it once what an observation changes has been stored. */
export class CommittedState {
  readonly #deps: CommitDeps;
  readonly #rules: DiscoveryRules;
  #state: DiscoveryState;
  #next: NextReads;

  constructor(deps: CommitDeps, rules: DiscoveryRules, stored: ServerState) {
    this.#deps = deps;
    this.#rules = rules;
    this.#state = initialState(stored);
    this.#next = nextReads(this.#state, rules);
  }

  get current(): DiscoveryState {
    return this.#state;
  }

  get next(): NextReads {
    return this.#next;
  }

  /** The stored rows of sessions that were found. */
  async rowsOf(found: Readonly<{ sessions: readonly Session[]; startedAt: Nanos }>): Promise<readonly CursorRow[]> {
    return this.#deps.store.rows(this.#deps.server, sessionsOfInterest(this.#state, found, this.#rules));
  }

  /**
   * Stores what an observation changes, adopts the new state, and makes due what the sinks have to read.
   * @throws {ExporterError} `store`; the state stays as it was.
   */
  async apply(observation: Observation): Promise<void> {
    const { server, store, stored } = this.#deps;
    const step = observe(this.#state, observation, this.#rules);
    if (step.commit !== undefined) await store.commit({ server, ...step.commit });
    this.#state = step.state;
    this.#next = step.next;
    stored(step.commit?.deltas ?? []);
    const [sessions, at] = 'sessions' in observation ? [observation.sessions, observation.startedAt] : [[], 0n];
    this.#handOut(step, sessions, at);
  }

  /** Makes due what the sinks have to read, and caches the sessions that they need for it. */
  #handOut({ wake, commit }: DiscoveryStep, sessions: readonly Session[], at: Nanos): void {
    if (wake === undefined) return;
    const { backlogs, sessionCache, pageCache } = this.#deps;
    for (const backlog of Object.values(backlogs)) {
      if (wake.open) backlog.wake();
      for (const id of wake.sessions) backlog.requeue(id, at);
    }
    for (const row of commit?.rows ?? []) backlogs[row.sink]?.put(entryOf(row));
    const isPending = ({ id }: Session): boolean =>
      Object.values(backlogs).some(backlog => backlog.get(id) !== undefined);
    for (const session of sessions.filter(isPending)) sessionCache.put(session, at);
    pageCache.invalidate();
  }
}
