// Runs a simulated VB365 server, the exporter, Prometheus, Alertmanager and a webhook that prints alerts.
// `npm run quickstart` builds and runs it until Ctrl-C; `npm run quickstart -- --until-alert` exits after the first alert.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const say = line => process.stdout.write(`${line}\n`);

/** The path of a program: on PATH, or where .ci/tools installed it. */
function programNamed(names, script) {
  const folders = [
    ...process.env.PATH.split(delimiter),
    resolve(root, process.env.VB365_TOOLS ?? '.cache/tools', 'bin'),
  ];
  for (const path of folders.flatMap(folder => names.map(name => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Try the next path.
    }
  }
  throw new Error(`"${names[0]}" was not found on PATH; install it, or on Debian run: bash .ci/tools/${script}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a program, logs its output to a file, and waits until `url` answers. */
async function start(name, path, args, url) {
  const log = join(folder, `${name}.log`);
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  child.once('close', () => writeFileSync(log, output));
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended:\n${output}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return;
    await sleep(100);
  }
  throw new Error(`${name} does not answer at ${url}:\n${output}`);
}

/** A configuration file of this folder with the actual addresses. */
function configured(file, addresses) {
  let text = readFileSync(join(here, file), 'utf8').replace('../../dashboards', join(root, 'dashboards'));
  for (const [port, actual] of Object.entries(addresses))
    text = text.replace(`127.0.0.1:${port}`, `127.0.0.1:${actual}`);
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}

/** Prints alerts as Alertmanager posts them. */
function webhook() {
  return createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end();
    for (const { status, labels, annotations } of JSON.parse(body).alerts) {
      const seconds = ((Date.now() - upAt) / 1000).toFixed(1);
      say(`\n${seconds} s after the start, ${status}: ${labels.alertname} (${labels.severity})`);
      say(`  server ${labels.server}, organization ${labels.organization}, workload ${labels.workload}`);
      say(`  ${annotations.summary} ${annotations.description}`);
      say(`  ${annotations.runbook_url}`);
    }
    if (process.argv.includes('--until-alert')) stop.abort();
  });
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
const children = [];
const folder = mkdtempSync(join(tmpdir(), 'vb365-quickstart-'));
let upAt = Date.now();

async function play() {
  const prometheus = programNamed(['prometheus'], 'prometheus');
  const alertmanager = programNamed(['alertmanager', 'prometheus-alertmanager'], 'alertmanager');
  const cli = join(root, 'dist/src/main.js');
  const hook = webhook().listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const [server, exporter, prom, am] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const at = port => `http://127.0.0.1:${port}`;
  const addresses = { 10365: exporter, 9093: am, 9095: hook.address().port };
  mkdirSync(join(folder, 'data'));

  const amArgs = [
    `--config.file=${configured('alertmanager.yml', addresses)}`,
    `--storage.path=${join(folder, 'data/am')}`,
  ];
  const amListen = [`--web.listen-address=127.0.0.1:${am}`, '--cluster.listen-address='];
  await start('alertmanager', alertmanager, [...amArgs, ...amListen], `${at(am)}/-/ready`);

  const promArgs = [`--config.file=${configured('prometheus.yml', addresses)}`];
  const promMore = [`--storage.tsdb.path=${join(folder, 'data/prometheus')}`, `--web.listen-address=127.0.0.1:${prom}`];
  await start('prometheus', prometheus, [...promArgs, ...promMore], `${at(prom)}/-/ready`);

  writeFileSync(join(folder, 'password'), 'simulator', { mode: 0o600 });
  const config = join(folder, 'vb365-exporter.yaml');
  const demo = { name: 'demo', url: at(server), username: 'simulator', password_file: join(folder, 'password') };
  const intervals = { poll_interval: '5s', open_poll_interval: '1s' };
  const state = { path: join(folder, 'data/state.db') };
  writeFileSync(config, JSON.stringify({ servers: [{ ...demo, ...intervals }], state }));
  await start('simulator', process.execPath, [cli, 'simulate', '--port', String(server)], at(server));
  upAt = Date.now();
  const listen = ['--web.listen-address', `127.0.0.1:${exporter}`];
  await start('exporter', process.execPath, [cli, '--config.file', config, ...listen], `${at(exporter)}/-/ready`);

  say(`Exporter ${at(exporter)}, Prometheus ${at(prom)}/alerts, Alertmanager ${at(am)}`);
  say('Simulated restores are running, and some items fail. Alerts appear here as they arrive. Press Ctrl-C to stop.');
  await new Promise(over => (stop.signal.aborted ? over() : stop.signal.addEventListener('abort', over)));
  hook.close();
  hook.closeAllConnections();
}

try {
  await play();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  const alive = children.filter(child => child.exitCode === null);
  for (const child of alive) child.kill('SIGTERM');
  await Promise.all(alive.map(child => once(child, 'close')));
  rmSync(folder, { recursive: true, force: true });
}
