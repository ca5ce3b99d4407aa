import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { containersConf, done, image, podman, storage, where } from './image.js';
import { toolPath, type ToolName } from './tools.js';

/** The compose stack of the examples, as far as it can be run here. */
export interface Stack {
  /** Where a service can be reached from here, `http://address:port`. */
  url(service: string, port: number): Promise<string>;
  /** The name of the container of a service. */
  container(service: string): string;
  stop(): Promise<void>;
}

export const composeFile = 'examples/compose/docker-compose.yml';
const project = 'vb365-compose-test';

type Service = Readonly<{ image: string; command?: readonly string[]; volumes?: readonly string[] }>;
type Compose = Readonly<{ services: Readonly<Record<string, Service>>; volumes: object }>;
type Peer = Readonly<{ tool: ToolName; entrypoint: string; user: string; folder: string; files?: string }>;

/**
 * The programs of this machine that stand in for the images of the compose file, with entry point, user and folder as
 * the images have them.
 */
const peers: Readonly<Record<string, Peer>> = {
  prometheus: { tool: 'prometheus', entrypoint: '/bin/prometheus', user: '65534:65534', folder: '/prometheus' },
  alertmanager: {
    tool: 'alertmanager',
    entrypoint: '/bin/alertmanager',
    user: '65534:65534',
    folder: '/alertmanager',
    files: '/usr/share/prometheus/alertmanager',
  },
  'otel-collector': { tool: 'otelcol', entrypoint: '/otelcol-contrib', user: '10001:10001', folder: '/nothing' },
  victorialogs: { tool: 'victoriaLogs', entrypoint: '/victoria-logs-prod', user: '0:0', folder: '/vlogs' },
  jaeger: { tool: 'jaeger', entrypoint: '/jaeger', user: '10001:10001', folder: '/nothing' },
};

const container = (service: string): string => `${project}_${service}_1`;

/** Starts it, with the image of the exporter that has been built before. Its own files are in `folder`. */
export async function startStack(folder: string): Promise<Stack> {
  const compose = parse(readFileSync(composeFile, 'utf8'), { merge: true }) as Compose;
  for (const [name, peer] of Object.entries(peers)) await makePeer(compose.services[name]?.image ?? '', peer);
  await podman('tag', image, compose.services['exporter']?.image ?? '');
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, stringify(runnable(compose)));
  const run = composeProgram(folder, file);
  await run('up', '--detach', '--no-build');
  return {
    container,
    url: async (service, port) => {
      const address = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
      const { output } = await podman('inspect', '--format', address, container(service));
      return `http://${output.trim()}:${String(port)}`;
    },
    stop: async () => {
      await run('down', '--volumes');
      await podman('network', 'rm', '--force', `${project}_default`);
    },
  };
}

async function makePeer(name: string, { tool, entrypoint, user, folder, files = '' }: Peer): Promise<void> {
  const args = [storage, `docker.io/${name}`, toolPath(tool), entrypoint, user, folder, files];
  await done({ path: 'bash', args: ['.ci/tools/image/peer', ...args] });
}

/** The compose file without what cannot be had here, and without the ports of this machine, which others may use. */
function runnable({ services, volumes }: Compose): object {
  const ours = Object.entries(services).map(([name, { volumes: mounts = [], ...service }]) => {
    const { ports: _ports, build: _build, restart: _restart, ...kept } = service as Record<string, unknown>;
    return [name, { ...kept, volumes: mounts.map(absolute) }] as const;
  });
  return { services: Object.fromEntries(ours), volumes };
}

const absolute = (mount: string): string =>
  mount.startsWith('.')
    ? resolve(dirname(composeFile), mount.split(':')[0] ?? '') + mount.slice(mount.indexOf(':'))
    : mount;

/** podman-compose on the storage of the tests. What hangs is ended after two minutes. */
function composeProgram(folder: string, file: string): (...args: readonly string[]) => Promise<void> {
  chmodSync(folder, 0o755);
  const program = join(folder, 'podman');
  writeFileSync(program, `#!/bin/sh\nexec ${[toolPath('podman'), ...where].join(' ')} "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, CONTAINERS_CONF: containersConf };
  const how = ['120', toolPath('podmanCompose'), '--podman-path', program, '--project-name', project, '--file', file];
  return async (...args) => done({ path: 'timeout', args: [...how, ...args], env });
}
