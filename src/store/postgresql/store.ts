import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import { ExporterError } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import { createSemaphore } from '../../kernel/semaphore.js';
import type { StateChange, Store } from '../../pipeline/ports.js';
import { attempt } from './errors.js';
import { type LeaseOptions, type Leases, LeaseTable, renewalsPerLease } from './leases.js';
import { maxConnections, type Pool, Transactions, UnknownOutcome } from './pool.js';
import { migrate, schemaVersion } from './schema.js';
import { PostgresqlTables } from './tables.js';

export type PostgresqlOptions = Omit<LeaseOptions, 'clock' | 'fenced'> &
  Readonly<{
    clock: Pick<Clock, 'monotonic' | 'sleep'>;
    /** Logs that the tables are new or were migrated. */
    notice?: Log['info'];
    /** Called for each operation that fails. */
    failed?: (operation: keyof Store) => void;
    fenced?: () => void;
  }>;

/** A store that several replicas share. It takes commits for the servers whose leases this replica holds. */
export type PostgresqlStore = Store & Readonly<{ leases: Leases }>;

/** Reads at once. The other connections are for a commit, a renewal and a move of servers, which must not wait for reads. */
const maxReads = maxConnections - 3;
const never = new AbortController().signal;

/** Between attempts to find out whether a commit has succeeded. */
const askAgainMs = 500;

/**
 * The store in PostgreSQL: creates or migrates the tables. Takes over `pool`, and ends it with the store.
 * @throws {ExporterError} `store` when the database cannot be used, or a newer program has migrated it.
 */
export async function postgresqlStore(pool: Pool, options: PostgresqlOptions): Promise<PostgresqlStore> {
  const { leaseMs, clock, notice = ignore, failed = ignore, fenced = ignore } = options;
  const transactions = new Transactions(pool, Math.min(longestStatementMs, leaseMs / renewalsPerLease));
  const leases = new LeaseTable(transactions, { ...options, fenced });
  const counted = async <T>(operation: keyof Store, verb: string, action: () => Promise<T>): Promise<T> =>
    attempt(verb, action).catch((thrown: unknown) => {
      failed(operation);
      throw thrown;
    });
  const tables = new PostgresqlTables(transactions.one);
  const reads = createSemaphore(maxReads);
  const read = async <T>(operation: keyof Store, action: () => Promise<T>): Promise<T> =>
    counted(operation, 'read', async () => {
      const release = await reads.acquire(never);
      return action().finally(release);
    });
  const commits = new Commits(transactions, leases, clock);
  const from = await attempt('open', async () => migrate(transactions)).catch(async (thrown: unknown) => {
    await pool.end();
    throw thrown;
  });
  if (from === 0) notice('Created the tables in PostgreSQL: nothing is known from before');
  else if (from < schemaVersion) notice('Migrated the tables in PostgreSQL', { from, to: schemaVersion });
  let ended: Promise<void> | undefined;
  return {
    leases,
    state: async server => read('state', async () => tables.state(server)),
    rows: async (server, sessions) => read('rows', async () => tables.rows(server, sessions)),
    pending: async (server, sink) => read('pending', async () => tables.pending(server, sink)),
    holders: async installationId => read('holders', async () => tables.holders(installationId)),
    series: async servers => read('series', async () => tables.series(servers)),
    commit: async change => counted('commit', 'write', async () => commits.run(change)),
    close: async () => {
      commits.close();
      return (ended ??= counted('close', 'close', async () => pool.end()));
    },
  };
}

const ignore = (): void => undefined;

/** With a lease that lasts long, a statement may take this long. */
const longestStatementMs = 5_000;

/** Commits one change after the other, and answers only when it knows whether a change is stored. */
class Commits {
  readonly #transactions: Transactions;
  readonly #leases: LeaseTable;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #closed = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(transactions: Transactions, leases: LeaseTable, clock: Pick<Clock, 'sleep'>) {
    this.#transactions = transactions;
    this.#leases = leases;
    this.#clock = clock;
  }

  /** One at a time: the mark of a commit tells whether it was stored only while no other one follows. */
  async run(change: StateChange): Promise<void> {
    const { server: _, ...parts } = change;
    if (Object.values(parts).every(part => Object.keys(part).length === 0)) return;
    const mine = this.#last.then(async () => this.#commit(change));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  close(): void {
    this.#closed.abort();
  }

  async #commit(change: StateChange): Promise<void> {
    const commit = randomUUID();
    const servers = [...new Set([change.server, ...(change.deltas ?? []).map(({ labels }) => labels[0] ?? '')])];
    try {
      await this.#transactions.run(async query => {
        await this.#leases.fence(query, servers, commit);
        await new PostgresqlTables(query).apply(change);
        if (change.facts?.installationId !== undefined) await this.#leases.claim(query, change.server);
      });
    } catch (thrown) {
      if (thrown instanceof UnknownOutcome && (await this.#isStored(change.server, commit))) return;
      throw thrown;
    }
  }

  /**
   * A change that was stored must not be stored again, and one that was not must be. So this waits for the database, until
   * the lease ends: then the server is given up, and read again from what is stored.
   */
  async #isStored(server: string, commit: string): Promise<boolean> {
    for (;;) {
      try {
        return await this.#transactions.run(async query => this.#leases.isLastCommit(query, server, commit));
      } catch (thrown) {
        if (this.#closed.signal.aborted || (thrown instanceof ExporterError && thrown.details['fenced'] === true))
          throw thrown;
        if (!this.#leases.held().includes(server)) throw thrown;
      }
      await this.#clock.sleep(askAgainMs, this.#closed.signal);
    }
  }
}
