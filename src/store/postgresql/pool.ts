/** One row of an answer, by column. Integers of 64 bits and numbers of any size are selected as text. */
export type ResultRow = Readonly<Record<string, unknown>>;

/** Runs a statement. Without values it may be several statements, and the answer is of no interest. */
export type RunSql = (sql: string, values?: readonly unknown[]) => Promise<readonly ResultRow[]>;

/** A connection that nobody else uses until it is released; `destroy` closes it. */
export interface PooledConnection {
  query: RunSql;
  release(destroy: boolean): void;
}

/** A commit at a time, leases, and reads. */
export const maxConnections = 5;

/** Connections to a database; `pg` pools them. */
export interface Pool {
  connect(): Promise<PooledConnection>;
  end(): Promise<void>;
}

/** A COMMIT whose answer did not arrive: the transaction was committed, or was not. */
export class UnknownOutcome extends Error {}

/** Runs transactions. Nothing depends on the session, so a connection pooler in transaction mode may lie in between. */
export class Transactions {
  readonly #pool: Pool;
  readonly #begin: string;

  /** @param timeoutMs of each statement, and of a pause of this program between two of them. */
  constructor(pool: Pool, timeoutMs: number) {
    this.#pool = pool;
    const timeout = String(Math.round(timeoutMs));
    const settings = {
      statement_timeout: timeout,
      idle_in_transaction_session_timeout: timeout,
      // A database may have it off; a counter that a crash of the database rolls back looks like a reset.
      synchronous_commit: 'on',
    };
    const set = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', true)`);
    this.#begin = `BEGIN; SELECT ${set.join(', ')}`;
  }

  /**
   * Runs `action` in one transaction: all of it is stored, or nothing when it throws.
   * @throws {UnknownOutcome} when the answer to the COMMIT did not arrive.
   */
  async run<T>(action: (query: RunSql) => Promise<T>): Promise<T> {
    return this.#connected(async connection => this.#runIn(connection, action));
  }

  /**
   * Runs one statement, which is a transaction by itself. Only the connection limits its time, and a crash of the database
   * may undo it.
   */
  readonly one: RunSql = async (sql, values = []) => this.#connected(async ({ query }) => query(sql, values));

  async #connected<T>(action: (connection: PooledConnection) => Promise<T>): Promise<T> {
    const connection = await this.#pool.connect();
    let isBroken = true;
    try {
      const result = await action(connection);
      isBroken = false;
      return result;
    } finally {
      // A connection after an error may be in any state.
      connection.release(isBroken);
    }
  }

  async #runIn<T>({ query }: PooledConnection, action: (query: RunSql) => Promise<T>): Promise<T> {
    await query(this.#begin);
    const result = await action(query);
    try {
      await query('COMMIT');
    } catch (cause) {
      throw new UnknownOutcome('the answer to COMMIT is missing', { cause });
    }
    return result;
  }
}
