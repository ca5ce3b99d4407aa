import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { runProgram } from './running.js';
import { toolPath } from './tools.js';

export const chart = 'helm/vb365-exporter';

/** The two Helms that are in use. */
export const helms = ['helm', 'helm3'] as const;
export type Helm = (typeof helms)[number];

/** The files of values in `ci/`, one for each way to install the chart. */
export const cases = readdirSync(join(chart, 'ci')).map(file => join(chart, 'ci', file));

export type Ended = Readonly<{ code: number | null; output: string }>;

/** Runs Helm with its own folders, so that nothing of the user's counts. */
export async function helm(program: Helm, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const home = '.cache/helm';
  const folders = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  return runProgram({ path: toolPath(program), args, env: { ...process.env, ...folders, ...env } });
}

type Probe = Readonly<{ httpGet?: Readonly<{ path: string; port: string }> }>;

/** A container, as far as the tests look at it. */
export type Container = Readonly<{
  image: string;
  args?: readonly string[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  securityContext: Readonly<Record<string, unknown>>;
  env?: readonly Readonly<{ name: string }>[];
  ports?: readonly Readonly<{ name: string }>[];
  volumeMounts?: readonly Readonly<{ name: string; mountPath: string; readOnly?: boolean }>[];
}>;

export type PodSpec = Readonly<{
  containers: readonly Container[];
  volumes: readonly object[];
  securityContext: object;
}>;

export type Rule = Readonly<{ alert?: string; labels: object; annotations: Readonly<Record<string, string>> }>;

type Metadata = Readonly<{
  name: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
}>;

/** What the specs of all kinds may hold; a test that asks for something knows the kind. */
type Spec = PodSpec &
  Readonly<{
    template: Readonly<{ metadata: object; spec: PodSpec }>;
    volumeClaimTemplates?: readonly Readonly<{ metadata: Readonly<{ name: string }> }>[];
    groups: readonly Readonly<{ rules: readonly Rule[] }>[];
  }>;

/** An object as the chart makes it. */
export type Manifest = Readonly<{
  kind: string;
  metadata: Metadata;
  spec: Spec;
  data?: Readonly<Record<string, string>>;
}>;

/** What the chart makes of the values that `args` give, for the release `r`. */
export async function rendered(args: readonly string[], program: Helm = 'helm'): Promise<readonly Manifest[]> {
  const { code, output } = await helm(program, ['template', 'r', chart, '--namespace', 'monitoring', ...args]);
  if (code !== 0) throw new Error(output);
  return parseAllDocuments(output)
    .map(document => document.toJS() as Manifest | null)
    .filter(manifest => manifest !== null);
}

/** What makes the pods: a StatefulSet, or with PostgreSQL a Deployment. */
export const workload = (manifests: readonly Manifest[]): Manifest =>
  only(manifests, manifests.some(({ kind }) => kind === 'Deployment') ? 'Deployment' : 'StatefulSet');

/** The one object of this kind. */
export function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, another] = manifests.filter(manifest => manifest.kind === kind);
  if (found === undefined || another !== undefined) throw new Error(`There is not just one ${kind}`);
  return found;
}
