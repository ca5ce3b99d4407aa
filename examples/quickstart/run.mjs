// Runs a simulated VB365 server, the exporter, Prometheus, Alertmanager and a webhook that prints alerts.
// `npm run quickstart` builds and runs it until Ctrl-C; `npm run quickstart -- --until-alert` exits after the first alert.
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { at, cli, freePort, page, programNamed, root, run, say } from '../programs.mjs';

const here = dirname(fileURLToPath(import.meta.url));
let upAt = Date.now();

/** A configuration file of this folder with the actual addresses. */
function configured(folder, file, addresses) {
  let text = readFileSync(join(here, file), 'utf8').replace('../../dashboards', join(root, 'dashboards'));
  for (const [port, actual] of Object.entries(addresses))
    text = text.replace(`127.0.0.1:${port}`, `127.0.0.1:${actual}`);
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}

/** Prints alerts as Alertmanager posts them. */
function webhook(stop) {
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

await run(async ({ folder, start, stop }) => {
  const prometheus = programNamed(['prometheus'], 'prometheus');
  const alertmanager = programNamed(['alertmanager', 'prometheus-alertmanager'], 'alertmanager');
  const hook = webhook(stop).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const [server, exporter, prom, am] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const addresses = { 10365: exporter, 9093: am, 9095: hook.address().port };
  mkdirSync(join(folder, 'data'));

  const amArgs = [
    `--config.file=${configured(folder, 'alertmanager.yml', addresses)}`,
    `--storage.path=${join(folder, 'data/am')}`,
  ];
  const amListen = [`--web.listen-address=127.0.0.1:${am}`, '--cluster.listen-address='];
  await start('alertmanager', alertmanager, [...amArgs, ...amListen], page(`${at(am)}/-/ready`));

  const promArgs = [`--config.file=${configured(folder, 'prometheus.yml', addresses)}`];
  const promMore = [`--storage.tsdb.path=${join(folder, 'data/prometheus')}`, `--web.listen-address=127.0.0.1:${prom}`];
  await start('prometheus', prometheus, [...promArgs, ...promMore], page(`${at(prom)}/-/ready`));

  writeFileSync(join(folder, 'password'), 'simulator', { mode: 0o600 });
  const config = join(folder, 'vb365-exporter.yaml');
  const demo = { name: 'demo', url: at(server), username: 'simulator', password_file: join(folder, 'password') };
  const intervals = { poll_interval: '5s', open_poll_interval: '1s' };
  const state = { path: join(folder, 'data/state.db') };
  writeFileSync(config, JSON.stringify({ servers: [{ ...demo, ...intervals }], state }));
  await start('simulator', process.execPath, [cli, 'simulate', '--port', String(server)], page(at(server)));
  upAt = Date.now();
  const listen = ['--web.listen-address', `127.0.0.1:${exporter}`];
  await start('exporter', process.execPath, [cli, '--config.file', config, ...listen], page(`${at(exporter)}/-/ready`));

  say(`Exporter ${at(exporter)}, Prometheus ${at(prom)}/alerts, Alertmanager ${at(am)}`);
  say('Simulated restores are running, and some items fail. Alerts appear here as they arrive. Press Ctrl-C to stop.');
  await new Promise(over => (stop.signal.aborted ? over() : stop.signal.addEventListener('abort', over)));
  hook.close();
  hook.closeAllConnections();
});
