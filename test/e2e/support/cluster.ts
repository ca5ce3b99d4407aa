import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import { grafanaDashboardDefinition } from './grafana-dashboard-crd.js';
import { eventually, freePort, startProgram, whenReady } from './running.js';
import { toolPath, toolsFolder } from './tools.js';

/** A real Kubernetes API server. No kubelet: it takes or refuses objects, and runs none. */
export interface Cluster {
  /** Its address and rights, for Helm. */
  readonly kubeconfig: string;
  /** Sends an object to `path`; answers the status, the body, and the warnings that came with it. */
  post(path: string, object: object): Promise<Answer>;
  get(path: string): Promise<Answer>;
  stop(): Promise<void>;
}

export type Answer = Readonly<{ status: number; body: Readonly<Record<string, unknown>>; warnings: readonly string[] }>;

const token = 'token-of-the-tests';

/** Starts etcd and the API server, with their files in `folder`, and the custom resources of the Prometheus Operator. */
export async function startCluster(folder: string): Promise<Cluster> {
  const etcd = await startEtcd(folder);
  const server = await startApiServer(folder, etcd.url);
  const { url } = server;
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(url)));
  const cluster: Cluster = {
    kubeconfig,
    post: async (path, object) => ask(url, path, object),
    get: async path => ask(url, path),
    stop: async () => {
      await server.stop(30_000);
      await etcd.stop();
    },
  };
  try {
    await eventually('the API server is ready', async () =>
      (await cluster.get('/readyz')).status === 200 ? true : undefined,
    );
    await addCustomResources(cluster);
  } catch (thrown) {
    await cluster.stop();
    throw new Error(`${String(thrown)}\n${server.output()}`, { cause: thrown });
  }
  return cluster;
}

async function startEtcd(folder: string) {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const peer = `http://127.0.0.1:${String(await freePort())}`;
  const args = [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
  const running = startProgram({ path: toolPath('etcd'), args });
  await whenReady(running, `${url}/health`);
  return { ...running, url };
}

async function startApiServer(folder: string, etcd: string) {
  const port = String(await freePort());
  const key = join(folder, 'account.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, `${token},admin,admin,"system:masters"\n`);
  mkdirSync(join(folder, 'certificates'));
  const args = [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(folder, 'certificates')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.test',
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
  ];
  return { ...startProgram({ path: toolPath('kubeApiserver'), args }), url: `https://127.0.0.1:${port}` };
}

const kubeconfigOf = (server: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'tests', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'admin', user: { token } }],
  contexts: [{ name: 'tests', context: { cluster: 'tests', user: 'admin' } }],
  'current-context': 'tests',
});

async function ask(server: string, path: string, object?: object): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const method = object === undefined ? 'GET' : 'POST';
  request(`${server}${path}`, { method, headers, rejectUnauthorized: false }, response => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.once('end', () => {
      const warnings = [response.headers['warning'] ?? []].flat();
      resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : { text }, warnings });
    });
  })
    .once('error', reject)
    .end(object === undefined ? undefined : JSON.stringify(object));
  return promise;
}

/** Those of the Prometheus Operator as it ships them, and that of a GrafanaDashboard. */
async function addCustomResources(cluster: Cluster): Promise<void> {
  const folder = join(toolsFolder(), 'prometheus-operator-crd');
  const shipped = readdirSync(folder)
    .filter(file => /monitors|rules|scrapeconfigs/.test(file))
    .map(file => parse(readFileSync(join(folder, file), 'utf8')) as object);
  for (const definition of [...shipped, grafanaDashboardDefinition]) {
    const { status, body } = await cluster.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    if (status !== 201) throw new Error(JSON.stringify(body));
  }
  const groups = ['monitoring.coreos.com/v1', 'monitoring.coreos.com/v1alpha1', 'grafana.integreatly.org/v1beta1'];
  for (const group of groups)
    await eventually(`${group} is served`, async () => {
      const { body } = await cluster.get(`/apis/${group}`);
      return Array.isArray(body['resources']) ? true : undefined;
    });
}
