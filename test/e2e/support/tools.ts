import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The real programs that the tests talk to: the names each may have, and the script in `.ci/tools` that gets it. */
const programs = {
  prometheus: { names: ['prometheus'], script: 'prometheus' },
  promtool: { names: ['promtool'], script: 'prometheus' },
  alertmanager: { names: ['alertmanager', 'prometheus-alertmanager'], script: 'alertmanager' },
  amtool: { names: ['amtool'], script: 'alertmanager' },
  otelcol: { names: ['otelcol'], script: 'otelcol' },
  chromium: { names: ['chromium'], script: 'chromium' },
  jaeger: { names: ['jaeger'], script: 'jaeger' },
  vmalert: { names: ['vmalert'], script: 'vmalert' },
  sigma: { names: ['sigma'], script: 'sigma' },
  victoriaLogs: { names: ['victoria-logs'], script: 'victoria-logs' },
  helm: { names: ['helm'], script: 'helm' },
  helm3: { names: ['helm3'], script: 'helm' },
  helmUnittest: { names: ['helm-unittest'], script: 'helm-unittest' },
  helmDocs: { names: ['helm-docs'], script: 'helm-docs' },
  kubeScore: { names: ['kube-score'], script: 'kube-score' },
  kustomize: { names: ['kustomize'], script: 'kustomize' },
  etcd: { names: ['etcd'], script: 'etcd' },
  dockerCompose: { names: ['docker-compose'], script: 'docker-compose' },
  systemdAnalyze: { names: ['systemd-analyze'], script: 'systemd-analyze' },
  actionlint: { names: ['actionlint'], script: 'actionlint' },
  buildah: { names: ['buildah'], script: 'containers' },
  podman: { names: ['podman'], script: 'containers' },
  podmanCompose: { names: ['podman-compose'], script: 'containers' },
  composeSpec: { names: ['compose-spec'], script: 'compose-spec' },
  kubeApiserver: { names: ['kube-apiserver'], script: 'kube-apiserver' },
  nfpm: { names: ['nfpm'], script: 'nfpm' },
  go: { names: ['go'], script: 'go' },
  lintian: { names: ['lintian'], script: 'package-checks' },
  rpmlint: { names: ['rpmlint'], script: 'package-checks' },
  rpm: { names: ['rpm'], script: 'package-checks' },
  initdb: { names: ['initdb'], script: 'postgresql' },
  postgres: { names: ['postgres'], script: 'postgresql' },
  pgbouncer: { names: ['pgbouncer'], script: 'postgresql' },
  nspawn: { names: ['systemd-nspawn'], script: 'machine' },
} as const;

export type ToolName = keyof typeof programs;

/** Where `.ci/tools` puts what it gets. */
export const toolsFolder = ({ VB365_TOOLS = '.cache/tools' } = process.env): string => resolve(VB365_TOOLS);

/**
 * The path of a program: one on PATH wins over one that `.ci/tools` has put into `$VB365_TOOLS` or `.cache/tools`.
 * @throws {Error} that says how to get it, when it is in neither. A test without it fails; it is never skipped.
 */
export function toolPath(tool: ToolName, { PATH = '', VB365_TOOLS = '.cache/tools' } = process.env): string {
  const { names, script } = programs[tool];
  const folders = [...PATH.split(delimiter), join(toolsFolder({ VB365_TOOLS }), 'bin')];
  const found = folders.flatMap(folder => names.map(name => join(folder, name))).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    `The end-to-end tests need "${names[0]}", which this machine lacks; get it with: bash .ci/tools/${script}`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
