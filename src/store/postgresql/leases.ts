import type { Clock } from '../../kernel/clock.js';
import { ExporterError } from '../../kernel/errors.js';
import { attempt } from './errors.js';
import type { ResultRow, RunSql, Transactions } from './pool.js';
import { lockId, schemaName, schemaVersion } from './schema.js';

/** Another replica that was seen lately. */
type OtherReplica = Readonly<{
  id: string;
  /** It is stopping, and takes no more servers. */
  draining: boolean;
  /** How many of the servers it holds. */
  servers: number;
}>;

/** What a renewal has found. */
export type LeaseView = Readonly<{
  /** Servers that this replica lost: others may hold them now. Nothing can be committed for them. */
  lost: readonly string[];
  /** Servers that nobody holds. */
  free: readonly string[];
  others: readonly OtherReplica[];
}>;

/**
 * Which servers this replica may count. A lease has a number, its fence, that grows each time a replica acquires it, and
 * every commit checks it: a replica that lost a lease commits nothing, whatever it believes. Only the clock of the database
 * decides when a lease ends; by its own, a replica only stops earlier.
 * @throws {ExporterError} `store`, each method but `held`, `numberOf` and `drop`.
 */
export interface Leases {
  /** Servers that are held, the longest held first; none once they can no longer be known to be. */
  held(): readonly string[];
  /** The number of the last lease of a server; `''` before it is acquired. */
  numberOf(server: string): string;
  /** Makes servers known, so that they can be acquired. */
  enroll(servers: readonly string[]): Promise<void>;
  /** Acquires those of the servers that nobody holds. */
  acquire(servers: readonly string[]): Promise<readonly string[]>;
  /** Renews all leases, and reports this replica as alive. @param servers those to look at. */
  renew(servers: readonly string[], draining: boolean): Promise<LeaseView>;
  /** Gives leases up for the next replica. Call it when nothing is committed for these servers any more. */
  release(servers: readonly string[]): Promise<void>;
  /** Takes leases for lost at once: no commit for these servers succeeds any more. */
  drop(servers: readonly string[]): void;
  /** Releases everything and removes this replica. */
  leave(): Promise<void>;
}

export type LeaseOptions = Readonly<{
  /** The name of this replica, unique for each start of the program. */
  replica: string;
  /** How long a lease lasts without renewal. */
  leaseMs: number;
  clock: Pick<Clock, 'monotonic'>;
  /** Called when a commit is refused, because the lease of its server is lost. */
  fenced: () => void;
}>;

/** How often leases are renewed within the time that they last. */
export const renewalsPerLease = 3;

/** A replica stops to use a lease this part of its time before the lease ends. */
const marginOf = (leaseMs: number): number => leaseMs / 5;

const [leaseTable, replicaTable, factTable] = [`${schemaName}.lease`, `${schemaName}.replica`, `${schemaName}.fact`];

/** After a migration by a newer program, an older one changes nothing any more. */
const schemaIsOurs = `(SELECT version FROM ${schemaName}.schema_version) = ${String(schemaVersion)}`;
const isFree = `(holder = '' OR expires_at < now())`;

export class LeaseTable implements Leases {
  readonly #options: LeaseOptions;
  readonly #transactions: Transactions;
  readonly #fences = new Map<string, Readonly<{ fence: string; untilMs: number }>>();

  constructor(transactions: Transactions, options: LeaseOptions) {
    this.#transactions = transactions;
    this.#options = options;
  }

  held(): readonly string[] {
    return [...this.#fences.keys()].filter(server => this.#fence(server) !== undefined);
  }

  numberOf(server: string): string {
    return this.#fences.get(server)?.fence ?? '';
  }

  async enroll(servers: readonly string[]): Promise<void> {
    const sql = `INSERT INTO ${leaseTable} (server) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING`;
    await this.#run('enroll servers in', sql, [servers]);
  }

  async acquire(servers: readonly string[]): Promise<readonly string[]> {
    const { replica, leaseMs } = this.#options;
    const untilMs = this.#untilMs();
    // A row that is locked is being committed to, renewed or acquired.
    const found = await this.#run(
      'acquire leases in',
      `UPDATE ${leaseTable} SET holder = $1, fence = fence + 1, expires_at = now() + ${ms('$2')} WHERE server IN (SELECT server FROM ${leaseTable} WHERE server = ANY($3::text[]) AND ${isFree} AND ${schemaIsOurs} FOR UPDATE SKIP LOCKED) RETURNING server, fence::text AS fence`,
      [replica, leaseMs, servers],
    );
    for (const { server, fence } of found) this.#fences.set(String(server), { fence: String(fence), untilMs });
    return found.map(({ server }) => String(server));
  }

  async renew(servers: readonly string[], draining: boolean): Promise<LeaseView> {
    const { replica, leaseMs } = this.#options;
    const untilMs = this.#untilMs();
    const mine = this.#mine();
    const [row] = await attempt('renew leases in', async () =>
      this.#transactions.one(renewal, [replica, draining, mine.servers, mine.fences, leaseMs, servers]),
    );
    const kept = new Set(listOf(row?.['kept']).map(String));
    for (const [index, server] of mine.servers.entries()) {
      const fence = mine.fences[index];
      if (fence === undefined || this.#fences.get(server)?.fence !== fence) continue;
      if (kept.has(server)) this.#fences.set(server, { fence, untilMs });
      else this.#fences.delete(server);
    }
    return {
      lost: mine.servers.filter(server => !kept.has(server)),
      free: listOf(row?.['free'])
        .map(String)
        .filter(server => !kept.has(server)),
      others: listOf(row?.['others']).map(readReplica),
    };
  }

  async release(servers: readonly string[]): Promise<void> {
    const mine = this.#mine(servers);
    this.drop(servers);
    await this.#run(
      'release leases in',
      `UPDATE ${leaseTable} AS l SET holder = '', expires_at = now() FROM (${lockMine('$2', '$3')}) AS mine WHERE l.server = mine.server`,
      [this.#options.replica, mine.servers, mine.fences],
    );
  }

  drop(servers: readonly string[]): void {
    for (const server of servers) this.#fences.delete(server);
  }

  async leave(): Promise<void> {
    await this.release(this.held());
    const sql = `DELETE FROM ${replicaTable} WHERE id = $1 OR seen_at < now() - interval '1 day'`;
    await this.#run('leave', sql, [this.#options.replica]);
  }

  /**
   * The first statement of a commit: locks the leases of its servers until the commit has ended, so that nobody acquires
   * them and commits of one server run one after the other, and marks the commit. No later statement needs a check.
   * @throws {ExporterError} `store` with the detail `fenced` when one of the leases is not held any more.
   */
  async fence(query: RunSql, servers: readonly string[], commit: string): Promise<void> {
    const mine = this.#mine(servers);
    const marked =
      mine.servers.length < servers.length
        ? []
        : await query(
            `UPDATE ${leaseTable} AS l SET last_commit = $4 FROM (${lockMine('$2', '$3')}) AS mine WHERE l.server = mine.server AND ${schemaIsOurs} RETURNING l.server`,
            [this.#options.replica, mine.servers, mine.fences, commit],
          );
    if (marked.length < servers.length) throw this.#fenced();
  }

  /**
   * Whether the commit that was marked last is this one. Waits until it has ended.
   * @throws {ExporterError} `store` with the detail `fenced` when the lease is not held any more.
   */
  async isLastCommit(query: RunSql, server: string, commit: string): Promise<boolean> {
    const { servers, fences } = this.#mine([server]);
    const sql = `SELECT l.last_commit FROM ${leaseTable} AS l, unnest($2::text[], $3::bigint[]) AS mine (server, fence) WHERE ${isMine} FOR UPDATE OF l`;
    const [row] = servers.length === 0 ? [] : await query(sql, [this.#options.replica, servers, fences]);
    if (row === undefined) throw this.#fenced();
    return row['last_commit'] === commit;
  }

  /**
   * Part of a commit that stores the installation of a server: no two replicas may count the same one.
   * @throws {ExporterError} `config` when a server that another replica holds is this installation.
   */
  async claim(query: RunSql, server: string): Promise<void> {
    await query('SELECT pg_advisory_xact_lock($1, 2)', [lockId]);
    const [other] = await query(
      `SELECT theirs.server FROM ${factTable} AS mine JOIN ${factTable} AS theirs USING (name, value) JOIN ${leaseTable} AS l ON l.server = theirs.server WHERE mine.server = $1 AND name = 'installationId' AND theirs.server <> $1 AND l.holder NOT IN ('', $2) AND l.expires_at >= now()`,
      [server, this.#options.replica],
    );
    if (other === undefined) return;
    const name = String(other['server']);
    throw new ExporterError('config', `Could not read from the server: server "${name}" is the same installation`);
  }

  #fenced(): ExporterError {
    this.#options.fenced();
    return new ExporterError(
      'store',
      'Could not write the state in PostgreSQL: this replica no longer holds the lease of the server',
      { details: { fenced: true } },
    );
  }

  /** Undefined when the lease is not held, or may have ended. */
  #fence(server: string): string | undefined {
    const lease = this.#fences.get(server);
    return lease !== undefined && this.#options.clock.monotonic() < lease.untilMs ? lease.fence : undefined;
  }

  async #run(verb: string, sql: string, values: readonly unknown[]): Promise<readonly ResultRow[]> {
    return attempt(verb, async () => this.#transactions.run(async query => query(sql, values)));
  }

  #mine(among = this.held()): Readonly<{ servers: readonly string[]; fences: readonly string[] }> {
    const pairs = among.flatMap(server => {
      const fence = this.#fence(server);
      return fence === undefined ? [] : [{ server, fence }];
    });
    return { servers: pairs.map(({ server }) => server), fences: pairs.map(({ fence }) => fence) };
  }

  /** Measured before the statement is sent, so it is before the lease ends. */
  #untilMs(): number {
    const { leaseMs, clock } = this.#options;
    return clock.monotonic() + leaseMs - marginOf(leaseMs);
  }
}

const ms = (parameter: string): string => `${parameter}::float8 * interval '1 millisecond'`;
const isMine = 'l.holder = $1 AND l.server = mine.server AND l.fence = mine.fence';

/** Locks leases in the same order everywhere: a renewal and a commit of several servers would else wait for each other. */
const lockMine = (servers: string, fences: string): string =>
  `SELECT l.server FROM ${leaseTable} AS l, unnest(${servers}::text[], ${fences}::bigint[]) AS mine (server, fence) WHERE ${isMine} ORDER BY l.server FOR UPDATE OF l`;

/** Everything in one statement, because every replica sends it every few seconds. It sees the leases as before. */
const renewal = `
  WITH alive AS (
    INSERT INTO ${replicaTable} (id, seen_at, draining) VALUES ($1, now(), $2)
    ON CONFLICT (id) DO UPDATE SET seen_at = now(), draining = excluded.draining
  ), renewed AS (
    UPDATE ${leaseTable} AS l SET expires_at = now() + ${ms('$5')}
    FROM (${lockMine('$3', '$4')}) AS mine WHERE l.server = mine.server AND ${schemaIsOurs}
    RETURNING l.server
  )
  SELECT
    (SELECT json_agg(server) FROM renewed)::text AS kept,
    (SELECT json_agg(server) FROM ${leaseTable} WHERE server = ANY($6::text[]) AND ${isFree})::text AS free,
    (SELECT json_agg(json_build_object('id', id, 'draining', draining, 'servers', (
      SELECT count(*) FROM ${leaseTable} WHERE holder = id AND expires_at >= now() AND server = ANY($6::text[])
    ))) FROM ${replicaTable} WHERE id <> $1 AND seen_at > now() - ${ms('$5')} * 2 / ${String(renewalsPerLease)})::text AS others`;

/** `null` for none. */
function listOf(json: unknown): readonly unknown[] {
  const list: unknown = typeof json === 'string' ? JSON.parse(json) : [];
  return Array.isArray(list) ? list : [];
}

function readReplica(value: unknown): OtherReplica {
  const { id, draining, servers }: Readonly<Record<string, unknown>> = typeof value === 'object' ? { ...value } : {};
  return { id: String(id), draining: draining === true, servers: Number(servers) };
}
