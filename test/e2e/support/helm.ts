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

/** Runs Helm with folders of its own, so that nothing of the user's counts. */
export async function helm(program: Helm, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const home = '.cache/helm';
  const folders = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  return runProgram({ path: toolPath(program), args, env: { ...process.env, ...folders, ...env } });
}

/** An object as the chart makes it; what a test asks it for, the test knows to be there. */
// oxlint-disable-next-line typescript/no-explicit-any -- any Kubernetes object at all
export type Manifest = Readonly<{ kind: string; metadata: any; spec: any; data: any }> & Record<string, unknown>;

/** What the chart makes of the values that `args` give, for the release `r`. */
export async function rendered(args: readonly string[], program: Helm = 'helm'): Promise<readonly Manifest[]> {
  const { code, output } = await helm(program, ['template', 'r', chart, '--namespace', 'monitoring', ...args]);
  if (code !== 0) throw new Error(output);
  return parseAllDocuments(output)
    .map(document => document.toJS() as Manifest | null)
    .filter(manifest => manifest !== null);
}

/** The one object of this kind. */
export function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, another] = manifests.filter(manifest => manifest.kind === kind);
  if (found === undefined || another !== undefined) throw new Error(`There is not just one ${kind}`);
  return found;
}
