import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresqlConfig } from '../../src/config/postgresql.js';
import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import { openPool } from '../../src/store/postgresql/connect.js';
import { postgresqlStore } from '../../src/store/postgresql/store.js';
import { counter } from '../store/conformance.js';
import { setStage } from '../chaos/stage.js';
import { createAuthority } from '../support/authority.js';
import { startExporter } from '../support/exporter-process.js';
import { inFolder } from '../support/folder.js';
import { leasedStore } from '../support/postgresql-store.js';
import { password, type Postgresql, startPostgresql, stateIn, urlOf } from './support/postgresql.js';
import { eventually, getText } from './support/running.js';
import { switchboard } from './support/switchboard.js';

let database: Postgresql;

beforeAll(async () => {
  database = await startPostgresql();
});
afterAll(async () => database.remove());

const one = (server: string) => ({ server, deltas: [{ ...counter(1), labels: [server] }] });

/** What opening a store says, without the causes. */
const refusal = async (state: PostgresqlConfig): Promise<string> => {
  const pool = await openPool(state);
  const thrown = await postgresqlStore(pool, { replica: 'one', leaseMs: 15_000, clock: systemClock }).then(
    async store => (await store.close(), 'opened'),
    (error: unknown) => error,
  );
  expect(JSON.stringify(thrown)).not.toContain(password);
  return thrown instanceof Error
    ? thrown.message.replace('Could not open the state in PostgreSQL: ', '')
    : String(thrown);
};

describe('a database that cannot be used is refused with advice', () => {
  test.each([
    [
      'a wrong password',
      { password: new Secret(`${password}x`) },
      'the login was refused; check user, password and pg_hba.conf',
    ],
    ['no password', { password: undefined }, 'it asks for a password, and none is set'],
    ['no such database', { database: 'nowhere' }, 'there is no such database; create it'],
    ['nobody listens', { port: 1 }, 'connection refused'],
    ['no TLS there', { sslmode: undefined }, 'it does not support TLS; enable it there, or set sslmode=disable'],
    [
      'no right to create the tables',
      { database: 'template1' },
      'permission denied; let the user create the schema "vb365_exporter", or make it its owner',
    ],
  ] as const)('%s', async (_, over, why) => {
    expect(await refusal(stateIn(database.port, await database.createDatabase(), over))).toBe(why);
  });

  test('a standby that takes no writes, and a database that becomes read-only', async () => {
    const name = await database.createDatabase();
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect(await refusal(stateIn(database.port, name))).toContain('it is read-only');
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    const store = await leasedStore(await openPool(stateIn(database.port, name)));
    await store.commit(one('hq'));
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await database.cut();
    await expect(eventually('refused', async () => store.commit(one('hq')).then(() => undefined), 500)).rejects.toThrow(
      'read-only',
    );
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    await database.cut();
    await eventually('it commits again', async () => store.commit(one('hq')).then(() => true));
    await store.close();
  });
});

test('a program that fails once it listens ends, and does not stay up without servers', async () => {
  const name = await database.createDatabase();
  await (await leasedStore(await openPool(stateIn(database.port, name)))).close();
  await database.sql('REVOKE INSERT ON vb365_exporter.lease FROM vb365', name);
  await inFolder(async folder => {
    const config = join(folder, 'vb365-exporter.yaml');
    writeFileSync(join(folder, 'password'), password);
    writeFileSync(
      config,
      JSON.stringify({
        servers: [{ name: 'hq', url: 'http://127.0.0.1:1', username: 'a', password_file: 'password' }],
        state: { postgresql: { url: urlOf(database.port, name) } },
      }),
    );
    const exporter = startExporter(config);
    expect(await exporter.ended).toBe(1);
    expect(exporter.said.at(-1)).toContain('Could not enroll servers in the state in PostgreSQL: permission denied');
  });
});

test('a replica that is cut off serves counters and times, and nothing that may have changed since', async () => {
  const way = await switchboard(database.port);
  const url = urlOf(way.port, await database.createDatabase());
  await inFolder(async folder => {
    const stage = await setStage(folder, 1, { names: ['hq'], state: { postgresql: { url, lease_time: '3s' } } });
    const exporter = startExporter(stage.configFile);
    const port = await exporter.listening;
    const served = async (): Promise<readonly string[]> => {
      const { text } = await getText(`http://127.0.0.1:${String(port)}/metrics`);
      return [...new Set(Array.from(text.matchAll(/^(vb365_\w+)\{server="hq"/gm), ([, name = '']) => name))];
    };
    const gone = [
      'vb365_server_up',
      'vb365_server_info',
      'vb365_clock_skew_seconds',
      'vb365_sink_backlog_sessions',
      'vb365_lease_acquired_timestamp_seconds',
    ];
    const kept = [
      'vb365_polls_total',
      'vb365_restore_events_abandoned_total',
      'vb365_poll_interval_seconds',
      'vb365_last_successful_poll_timestamp_seconds',
      'vb365_cursor_timestamp_seconds',
    ];
    const readsIt = async (): Promise<true | undefined> => {
      const names = new Set(await served());
      return names.isSupersetOf(new Set([...gone, ...kept])) ? true : undefined;
    };
    try {
      await eventually('it reads the server', readsIt);
      way.to(1);
      const left = await eventually('it knows nothing of it', async () => {
        const names = await served();
        return gone.some(name => names.includes(name)) ? undefined : names;
      });
      expect(left).toEqual(expect.arrayContaining(kept));
      way.to(database.port);
      await eventually('it reads it again', readsIt);
    } finally {
      exporter.kill('SIGKILL');
      await exporter.ended;
      await stage.close();
      await way.close();
    }
  });
});

test('TLS: the certificate is verified by default, a client certificate is sent', async () => {
  const authority = await createAuthority();
  const [server, client, other] = [
    await authority.issue([{ type: 'dns', value: 'localhost' }]),
    await authority.issue([{ type: 'dns', value: 'client' }]),
    await createAuthority(),
  ];
  const files = { 'server.crt': server.cert, 'server.key': server.key, 'root.crt': authority.cert };
  const secured = await startPostgresql(['ssl=on', 'ssl_ca_file=root.crt'], files);
  await inFolder(async folder => {
    const write = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const name = await secured.createDatabase();
    const tls = { caFile: write('ca.pem', authority.cert), certFile: undefined, keyFile: undefined };
    const state = { ...stateIn(secured.port, name, { host: 'localhost', sslmode: undefined }), tls };
    expect(await refusal(state)).toBe('opened');
    const pair = { certFile: write('client.pem', client.cert), keyFile: write('client.key', client.key) };
    expect(await refusal({ ...state, tls: { ...tls, ...pair } })).toBe('opened');
    expect(await refusal({ ...state, tls: { ...tls, caFile: write('other.pem', other.cert) } })).toContain(
      'certificate',
    );
    expect(await refusal({ ...state, tls: { ...tls, caFile: undefined } })).toContain('certificate');
    const address = { ...state, fallback: { ...state.fallback, host: '127.0.0.1' } };
    expect(await refusal(address)).toBe('its TLS certificate is for another host name');
  });
  await secured.remove();
});
