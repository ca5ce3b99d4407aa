// Runs two simulated VB365 servers, PostgreSQL, two replicas of the exporter and Prometheus, with the configuration files of this
// folder, and prints which replica reads which server. `npm run ha` builds and runs it until Ctrl-C.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { at, cli, freePort, page, programNamed, root, run, say } from '../programs.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** PostgreSQL refuses to run as root. */
const asPostgres = command =>
  process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command] : command;

/** Starts PostgreSQL as the image does: one user and one database, both vb365. */
async function startPostgresql({ folder, start, programs: { initdb, postgres }, port }) {
  const home = join(folder, 'postgresql');
  mkdirSync(home);
  chmodSync(folder, 0o711);
  chmodSync(home, 0o777);
  const data = join(home, 'data');
  const password = readFileSync(join(here, 'postgresql/password'), 'utf8').trim();
  writeFileSync(join(home, 'password'), password);
  const login = ['-U', 'vb365', '-A', 'scram-sha-256', '--pwfile', join(home, 'password')];
  const [path, ...args] = asPostgres([initdb, '-D', data, ...login]);
  const made = spawnSync(path, args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}`);
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${home}`];
  const [server, ...options] = asPostgres([postgres, '-D', data, ...settings.flatMap(one => ['-c', one])]);
  await start('postgresql', server, options, async () => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'vb365', password, database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('CREATE DATABASE vb365').finally(() => client.end());
    return true;
  });
}

/** The servers that a replica reads, as its metrics say; empty when it does not answer. */
async function serversOf(url) {
  const text = await fetch(`${url}/metrics`).then(
    answer => answer.text(),
    () => '',
  );
  return [...text.matchAll(/^vb365_lease_acquired_timestamp_seconds\{server="([^"]+)"\}/gm)].map(([, name]) => name);
}

await run(async ({ folder, start, stop }) => {
  const programs = {
    initdb: programNamed(['initdb'], 'postgresql'),
    postgres: programNamed(['postgres'], 'postgresql'),
    prometheus: programNamed(['prometheus'], 'prometheus'),
  };
  const [database, hq, branch, one, two, prom] = await Promise.all(Array.from({ length: 6 }, freePort));

  /** A file of this folder, with what containers are called and where they find their files replaced. */
  const configured = (file, name) => {
    const text = readFileSync(join(here, file), 'utf8')
      .replace('simulator-hq:4443', `127.0.0.1:${hq}`)
      .replace('simulator-branch:4443', `127.0.0.1:${branch}`)
      .replace('@postgresql/', `@127.0.0.1:${database}/`)
      .replace('exporter-1:10365', `127.0.0.1:${one}`)
      .replace('exporter-2:10365', `127.0.0.1:${two}`)
      .replace('rules/*.yml', join(root, 'dashboards/prometheus/*.yml'))
      .replaceAll('/etc/vb365-exporter/', `${folder}/`);
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };

  await startPostgresql({ folder, start, programs, port: database });
  for (const [name, port, seed] of [
    ['simulator-hq', hq, 1],
    ['simulator-branch', branch, 2],
  ])
    await start(name, process.execPath, [cli, 'simulate', '--port', `${port}`, '--seed', `${seed}`], page(at(port)));

  const promArgs = [`--config.file=${configured('prometheus/prometheus.yml', 'prometheus.yml')}`];
  const promMore = [`--storage.tsdb.path=${join(folder, 'prometheus')}`, `--web.listen-address=127.0.0.1:${prom}`];
  await start('prometheus', programs.prometheus, [...promArgs, ...promMore], page(`${at(prom)}/-/ready`));

  configured('exporter/password', 'password');
  configured('exporter/postgresql-url', 'postgresql-url');
  const config = configured('exporter/vb365-exporter.yaml', 'vb365-exporter.yaml');
  const replicas = [
    { name: 'exporter-1', port: one },
    { name: 'exporter-2', port: two },
  ];
  for (const { name, port } of replicas) {
    const args = [cli, 'serve', '--config.file', config, '--web.listen-address', `127.0.0.1:${port}`];
    const { pid } = await start(name, process.execPath, args, page(`${at(port)}/-/ready`));
    say(`${name} ${at(port)}, process ${pid}`);
  }
  say(`Prometheus ${at(prom)}`);
  say(
    'End a replica with "kill -9 <process>": the other one reads its servers after at most 20 s. Press Ctrl-C to stop.',
  );

  let last = '';
  while (!stop.signal.aborted) {
    const held = await Promise.all(
      replicas.map(async ({ name, port }) => `${name} reads ${(await serversOf(at(port))).join(' and ') || 'nothing'}`),
    );
    const now = held.join('; ');
    if (now !== last) say(now);
    last = now;
    await sleep(500, undefined, { signal: stop.signal }).catch(() => undefined);
  }
});
